/** A `JiraTracker` on a fake Jira, for tests. */

import type { JiraSettings } from "../../src/config/tracker_settings.ts";
import { JiraTracker } from "../../src/trackers/jira/jira_tracker.ts";
import type { Asking } from "../../src/trackers/tracker.ts";
import { FakeJira, type SeenRequest } from "./jira/fake_jira.ts";
import type { Issue } from "./jira/world.ts";

/** What every test of the tracker does in both editions. */
export const EDITIONS = ["cloud", "server"] as const;

/** A Jira, and the tracker that works with it. */
export interface TrackedJira extends AsyncDisposable {
  jira: FakeJira;
  tracker: JiraTracker;
  /** The requests that have come since this was asked last, as `METHOD /path`. */
  requests(): string[];
  issue(key: string): Issue;
}

/** Starts a Jira, and opens a tracker on it. */
export async function openJira(
  edition: "cloud" | "server",
  settings: Partial<JiraSettings> = {},
): Promise<TrackedJira> {
  const jira = await FakeJira.start({ edition });
  const tracker = trackerOf(jira, settings);
  let seen = 0;
  return {
    jira,
    tracker,
    requests() {
      const since = jira.requests.slice(seen);
      seen = jira.requests.length;
      return since.map(({ method, path }: SeenRequest) => `${method} ${path.replace(/\?.*/, "")}`);
    },
    issue(key) {
      const issue = jira.world.issues.find((one) => one.key === key);
      if (!issue) throw new Error(`there is no issue ${key}`);
      return issue;
    },
    async [Symbol.asyncDispose]() {
      tracker[Symbol.dispose]();
      await jira[Symbol.asyncDispose]();
    },
  };
}

/** A tracker on a Jira that runs. */
export function trackerOf(jira: FakeJira, settings: Partial<JiraSettings> = {}): JiraTracker {
  return new JiraTracker({ ...SETTINGS, url: jira.url, mail: jira.mail, token: jira.token, ...settings }, {
    proxy: "",
    noProxy: [],
    caFile: "",
  });
}

/** What the config says, where a test does not say more; the address and the key come from the fake. */
export const SETTINGS: JiraSettings = {
  kind: "Jira",
  url: "http://127.0.0.1:1",
  mail: "",
  token: "token",
  edition: "ask",
  projects: ["OPS"],
  newTicketType: "",
  fields: {},
  users: {},
  mailDomain: "corp.example",
  unknownUsers: "allow",
  logsTime: true,
  storySeconds: 30,
};

/** Somebody asks, and waits. */
export function as(name: string, signal: AbortSignal = AbortSignal.timeout(10_000)): Asking {
  return { person: { uid: 1000, name }, signal };
}
