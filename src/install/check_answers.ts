/** Whether what an admin has answered works: her trackers and sinks are asked, by the code that will ask them later. */

import type { AgentSettings } from "../config/agent_settings.ts";
import { hostPaths } from "../config/paths.ts";
import { SINK_KEYS } from "../config/sink_keys.ts";
import type { SinkName, SinkSettings } from "../config/sink_settings.ts";
import { TRACKER_KEYS } from "../config/tracker_keys.ts";
import { patiently } from "../net/patience.ts";
import { openSink } from "../sinks/open_sinks.ts";
import { sendTest } from "../sinks/test_news.ts";
import { messageOf } from "../terminal/message_of.ts";
import { openTracker } from "../trackers/open_tracker.ts";
import type { Tracker } from "../trackers/tracker.ts";
import type { Answers } from "./answers.ts";
import { plannedConfig, reportOn } from "./kinds/config.ts";
import type { Target } from "./target.ts";

/** How long a server may take, in milliseconds. */
const LIMIT_MS = 10_000;
/** What holds for whatever is reached over a network. */
export const NETWORK_KEYS: readonly string[] = ["proxy", "noProxy", "caFile"];
/** As people know them. */
const TITLES: Readonly<Record<SinkName, string>> = {
  slack: "Slack",
  datadog: "Datadog",
  newRelic: "New Relic",
  syslog: "syslog",
  otlp: "OTLP",
  webhook: "the webhook",
};

/** What came of asking one of them. Texts have words of others in them: `visible()` before a terminal sees them. */
export interface Checked {
  ok: boolean;
  /** A line: what it said, or why it failed and what to do. No secret is in it. */
  says: string;
  /** What is not wrong, and should be known. */
  notes: readonly string[];
}

/** What came of asking all of them. */
export interface CheckReport {
  ok: string[];
  failed: string[];
  notes: string[];
}

/**
 * Checks answers that nobody has been asked for: the config as it would be, and each tracker and sink that they are about.
 *
 * @throws {Error} if the present config cannot be read
 */
export async function checkAnswers(
  { config }: Pick<Answers, "config">,
  target: Target,
  signal: AbortSignal = new AbortController().signal,
): Promise<CheckReport> {
  const report = reportOn(target, plannedConfig(target, config));
  const given = Object.keys(config);
  const { settings } = report;
  const errors = report.errors.map((line) => asGiven(line, given));
  const warnings = report.warnings.map((line) => asGiven(line, given));
  // What is wrong already, and that nobody has touched now, is no reason to stop an upgrade.
  if (!settings) return { ok: [], failed: given.length === 0 ? [] : errors, notes: warnings };
  const isAbout = (keys: readonly string[]) => given.some((key) => keys.includes(key));
  const isNetwork = isAbout(NETWORK_KEYS);
  const sinks = settings.sinks.filter(({ name }) =>
    isNetwork || isAbout(SINK_KEYS.filter((key) => key.startsWith(name)))
  );
  const found = await Promise.all([
    ...(isAbout(TRACKER_KEYS) ? [checkTracker(settings, signal)] : []),
    ...sinks.map((sink) => checkSink(sink, settings, signal)),
  ]);
  return {
    ok: found.filter(({ ok }) => ok).map(({ says }) => says),
    failed: found.filter(({ ok }) => !ok).map(({ says }) => says),
    notes: [...warnings, ...found.flatMap(({ notes }) => notes)],
  };
}

/** The config that a line counts in is not there yet: what somebody has just given she finds by its key. */
function asGiven(line: string, given: readonly string[]): string {
  const { fault = "", key = "" } = /: line [0-9]+: (?<fault>(?<key>\w+).*)$/s.exec(line)?.groups ?? {};
  return given.includes(key) ? fault : line;
}

/**
 * Asks a tracker whether it takes the key, has the projects, and finds tickets there.
 *
 * @throws the signal's reason
 */
export async function checkTracker(
  settings: Pick<AgentSettings, "tracker" | "network">,
  signal: AbortSignal = new AbortController().signal,
): Promise<Checked> {
  const { tracker } = settings;
  if (tracker.kind === "local") return passed("tickets are kept on this host");
  const where = `${tracker.kind} at ${tracker.url}`;
  try {
    using opened = openTracker(settings, { hostTickets: hostPaths().hostTickets });
    const late = () => new Error(`no answer in ${LIMIT_MS / 1000} seconds`);
    return await patiently(LIMIT_MS, signal, late, async (end) => {
      await opened.check?.(end);
      const account = await opened.accountName?.(end) ?? "";
      const missing = await opened.missingProjects?.(end) ?? [];
      if (missing.length > 0) {
        return failed(where, `it takes this key (${account}), which sees no project ${missing.join(", ")}`);
      }
      if (tracker.unknownUsers === "allow") await searchIn(opened, end);
      const projects = tracker.projects.length === 0 ? "all projects" : tracker.projects.join(", ");
      return passed(`${where} takes this key: ${account}; ${projects}`, opened);
    });
  } catch (error) {
    signal.throwIfAborted();
    return failed(where, messageOf(error));
  }
}

/**
 * Sends a sink a news that is marked as a test.
 *
 * @throws the signal's reason
 */
export async function checkSink(
  sink: SinkSettings,
  { network }: Pick<AgentSettings, "network">,
  signal: AbortSignal = new AbortController().signal,
): Promise<Checked> {
  const title = TITLES[sink.name];
  try {
    using opened = openSink(sink, network);
    const { ok, answer } = await sendTest(opened, Deno.hostname(), LIMIT_MS, signal);
    return ok ? passed(`${title} has taken a test: ${answer}`) : failed(title, answer);
  } catch (error) {
    signal.throwIfAborted();
    return failed(title, messageOf(error));
  }
}

/** Finding tickets takes other permissions than a key alone. Root is who asks: whom the tracker does not know it takes for itself. */
async function searchIn(tracker: Tracker, signal: AbortSignal): Promise<void> {
  await tracker.search({ person: { uid: 0, name: "root" }, signal }, {
    words: "",
    limit: 1,
    closedToo: true,
  });
}

function passed(says: string, { concern }: Pick<Tracker, "concern"> = {}): Checked {
  return { ok: true, says, notes: concern ? [`${concern.what}: ${concern.mend}`] : [] };
}

/** Messages of trackers name their service already. */
function failed(where: string, why: string): Checked {
  const isNamed = [where, where.split(" ")[0]].some((name) => why.startsWith(`${name}:`));
  return { ok: false, says: isNamed ? why : `${where}: ${why}`, notes: [] };
}
