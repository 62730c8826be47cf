/** What the installer asks about: trackers and sinks, each a few questions whose answers are keys of the config. */

import type { AgentSettings } from "../config/agent_settings.ts";
import { SINK_KEYS } from "../config/sink_keys.ts";
import type { SinkName } from "../config/sink_settings.ts";
import { TRACKER_KEYS } from "../config/tracker_keys.ts";
import { type Checked, checkSink, checkTracker, NETWORK_KEYS } from "./check_answers.ts";
import type { Interview } from "./interview.ts";
import type { ConfigValues } from "./kinds/config.ts";

/** Takes away what is set. */
const NONE = "-";

/** Something that is asked about. */
export interface Topic {
  /** As people know it. */
  title: string;
  /** The key of the config that it is not without; what is given for it before need not be asked for. */
  mainKeys: readonly string[];
  /** All keys that are about it alone, and what else is to be known of the config. */
  keys: readonly string[];
  alsoReads: readonly string[];
  /** Asks for what it takes; form.values has it then. */
  ask(form: Form): Promise<void>;
  /** Whether values switch it on. */
  isOn(values: ConfigValues): boolean;
  /** What switches it on, beside the main keys, and off. */
  on: ConfigValues;
  off: ConfigValues;
  /** Asks its server. */
  check(settings: AgentSettings, signal: AbortSignal): Promise<Checked>;
}

/** The questions of one topic, and their answers. */
export class Form {
  /** What was answered. */
  readonly answers: Record<string, string> = {};

  /**
   * @param present what holds so far, by key
   * @param isGiven whether somebody has answered before: then only what is missing is asked for
   */
  constructor(readonly interview: Interview, readonly present: ConfigValues, readonly isGiven: boolean) {}

  value(key: string): string {
    return this.answers[key] ?? this.present[key] ?? "";
  }

  /** Asks until there is an answer. */
  async need(key: string, label: string, { isSecret = false } = {}): Promise<void> {
    if (this.isGiven && this.value(key) !== "") return;
    while (true) {
      const answer = await this.#ask(key, label, isSecret, "");
      if (answer !== "") return void (this.answers[key] = answer);
      this.interview.say("This is needed. Ctrl-C ends the installation, and nothing is changed.");
    }
  }

  /** Asks for what may stay empty. @param empty what that means */
  async want(key: string, label: string, { isSecret = false, empty = "" } = {}): Promise<void> {
    if (!this.isGiven) this.answers[key] = await this.#ask(key, label, isSecret, empty);
  }

  async #ask(key: string, label: string, isSecret: boolean, empty: string): Promise<string> {
    const now = this.value(key);
    const keys = empty && now ? `${NONE}: ${empty}` : empty && `Enter: ${empty}`;
    const hints = [isSecret ? "not shown" : "", keys].filter(Boolean).join("; ");
    const prompt = [label, hints && `(${hints})`, now && `[${isSecret ? "set" : now}]`].filter(Boolean).join(
      " ",
    );
    const answer = await this.interview.ask(`${prompt}: `, isSecret);
    return answer === NONE ? "" : answer || now;
  }
}

/** How sinks' keys are asked for. */
const SECRET = { isSecret: true, empty: "none" };

/** Redmine. */
export const REDMINE: Topic = {
  ...trackerTopic("Redmine", "redmine", ["redmineURL", "redmineKey"]),
  async ask(form) {
    await form.need("redmineURL", "Redmine's address (https://redmine.example.com)");
    await form.need("redmineKey", "API key of an administrator there", { isSecret: true });
    await form.want("redmineProject", "Projects, by identifier, new tickets go to the first", {
      empty: "all",
    });
  },
};

/** Jira. */
export const JIRA: Topic = {
  ...trackerTopic("Jira", "jira", ["jiraURL", "jiraToken"]),
  async ask(form) {
    await form.need("jiraURL", "Jira's address (https://example.atlassian.net)");
    await form.want("jiraMail", "Jira Cloud: mail address of the token's account", {
      empty: "Server, Data Center",
    });
    await form.need("jiraToken", "API token", { isSecret: true });
    await form.want("jiraProjectKey", "Projects, by key, new tickets go to the first", { empty: "all" });
  },
};

const SLACK: Topic = {
  ...sinkTopic("slack", "Slack", ["slackURL", "slackToken"]),
  async ask(form) {
    const now = form.value("slackToken") !== "" ? "slackToken" : "slackURL";
    await form.want(now, "Slack: address of a webhook, or a bot's token xoxb-...", SECRET);
    const answer = form.value(now);
    if (answer !== "") {
      const key = answer.startsWith("xox") ? "slackToken" : "slackURL";
      const other = key === "slackToken" ? "slackURL" : "slackToken";
      form.answers[key] = answer;
      if (form.value(other) !== "") form.answers[other] = "";
    }
    if (form.value("slackToken") !== "") await form.need("slackChannel", "Channel (#ops)");
  },
};

const NEW_RELIC: Topic = {
  ...sinkTopic("newRelic", "New Relic", ["newRelicLicenseKey"]),
  ask: (form) => form.want("newRelicLicenseKey", "New Relic: license key", SECRET),
};

const DATADOG: Topic = {
  ...sinkTopic("datadog", "Datadog", ["datadogKey"]),
  async ask(form) {
    await form.want("datadogKey", "Datadog: API key", SECRET);
    if (form.value("datadogKey") !== "") await form.want("datadogSite", "Datadog's site");
  },
};

/** The sinks that are asked about; the others are for the config alone. */
export const SINK_TOPICS: readonly Topic[] = [SLACK, NEW_RELIC, DATADOG];

function trackerTopic(title: "Redmine" | "Jira", prefix: string, mainKeys: string[]): Omit<Topic, "ask"> {
  return {
    title,
    mainKeys,
    keys: TRACKER_KEYS.filter((key) => key.startsWith(prefix) || key === "pms"),
    alsoReads: TRACKER_KEYS.filter((key) => !/^(redmine|jira|pms)/.test(key)),
    isOn: ({ pms = "" }) => pms.toLowerCase() === title.toLowerCase(),
    on: { pms: title === "Jira" ? "jira" : title },
    off: { pms: "0" },
    check: checkTracker,
  };
}

function sinkTopic(name: SinkName, title: string, mainKeys: string[]): Omit<Topic, "ask"> {
  const flag = `${name}Enabled`;
  return {
    title,
    mainKeys,
    keys: SINK_KEYS.filter((key) => key.startsWith(name)),
    alsoReads: NETWORK_KEYS,
    isOn: (values) =>
      !["0", "no", "false"].includes(values[flag] ?? "") &&
      mainKeys.some((key) => (values[key] ?? "") !== ""),
    on: { [flag]: "1" },
    off: { [flag]: "0" },
    async check(settings, signal) {
      const sink = settings.sinks.find((one) => one.name === name);
      if (!sink) return { ok: false, says: `${title} is off`, notes: [] };
      return await checkSink(sink, settings, signal);
    },
  };
}
