/** News for the tests of the Slack sink. */

import type { SlackSettings } from "../../../src/config/sink_settings.ts";
import type { NewsSession, SinkNews } from "../../../src/sinks/news.ts";
import type { SinkMemory } from "../../../src/sinks/sink.ts";
import type { FakeSlack } from "./fake_slack.ts";

/** Sunday, 2026-11-22 13:30:00 UTC, in microseconds. */
export const NOON_US = 1_795_354_200_000_000;

/** A session of alice's. */
export function sessionOf(more: Partial<NewsSession> = {}): NewsSession {
  return {
    id: "0193f5d0-0000-7000-8000-000000000001",
    user: "alice",
    uid: 1001,
    from: "10.0.0.9",
    tty: "pts/3",
    shell: "/bin/bash",
    mode: "interactive",
    openedUs: NOON_US,
    ...more,
  };
}

/** News of a session, its `seq` being its place in evidence. */
export function newsOf(seq: number, kind: SinkNews["kind"], more: Partial<SinkNews> = {}): SinkNews {
  return {
    id: `0193f5d0-1111-7000-8000-${String(seq).padStart(12, "0")}`,
    seq,
    kind,
    atUs: NOON_US + seq * 1_000_000,
    host: "web1",
    session: sessionOf(),
    ticket: "OPS-17",
    ticketUrl: "https://jira.example/browse/OPS-17",
    ...more,
  };
}

/** A command that has ended. */
export function commandOf(seq: number, text: string, more: Partial<SinkNews> = {}, exitCode = 0): SinkNews {
  const startUs = NOON_US + seq * 1_000_000;
  const command = {
    text,
    directory: "/srv",
    startUs,
    endUs: startUs + 310_000,
    exitCode,
    pipeStates: [exitCode],
    tty: "pts/3",
    effectiveUid: 1001,
    isMasked: false,
    textState: "whole" as const,
  };
  return newsOf(seq, "command", { command, ...more });
}

/** The end of a session. */
export function closingOf(seq: number, more: Partial<SinkNews> = {}): SinkNews {
  const durationUs = seq * 1_000_000;
  const closing = { how: "logout", exitCode: 0, durationUs, commands: 12, failures: 2, tickets: ["OPS-17"] };
  return newsOf(seq, "session closed", { closing, ...more });
}

/** A login without a ticket. */
export function emergencyOf(seq: number, reason: string): SinkNews {
  return newsOf(seq, "session opened", {
    session: sessionOf({ emergency: reason }),
    ticket: null,
    ticketUrl: null,
  });
}

/** What the dispatcher's memory does: what is set in a batch is kept when the batch was taken, and only then. */
export class TestMemory implements SinkMemory {
  readonly kept = new Map<string, string>();
  #staged = new Map<string, string | null>();

  get(name: string): string | undefined {
    const staged = this.#staged.get(name);
    return staged === undefined ? this.kept.get(name) : staged ?? undefined;
  }

  set(name: string, value: string | null): void {
    this.#staged.set(name, value);
  }

  /** The batch was taken. */
  keep(): void {
    for (const [name, value] of this.#staged) {
      if (value === null) this.kept.delete(name);
      else this.kept.set(name, value);
    }
    this.forget();
  }

  /** It was not. */
  forget(): void {
    this.#staged = new Map();
  }
}

const NOWHERE = {
  name: "slack",
  url: "",
  token: "",
  apiUrl: "",
  channel: "",
  emergencyChannel: "",
  emergencyUrl: "",
  wants: { events: "sessions", users: [], hosts: [], tickets: [], exitCodes: "all" },
} as const satisfies SlackSettings;

/** Settings for a fake's webhook. */
export function hookSettings(slack: FakeSlack, more: Partial<SlackSettings> = {}): SlackSettings {
  return { ...NOWHERE, url: slack.hook(0), ...more };
}

/** Settings for a fake's token. */
export function botSettings(slack: FakeSlack, more: Partial<SlackSettings> = {}): SlackSettings {
  return { ...NOWHERE, token: slack.world.token, apiUrl: slack.apiUrl, channel: "C0000000OPS", ...more };
}
