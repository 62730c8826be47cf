/** News of every kind, for tests of sinks. */

import type { NewsKind, SinkNews } from "../../src/sinks/news.ts";

/** Every kind, in an order in which they may happen. */
export const NEWS_KINDS: readonly NewsKind[] = [
  "session opened",
  "command started",
  "command",
  "note",
  "status",
  "ticket switched",
  "tamper",
  "session closed",
  "test",
];

let seq = 0;

/**
 * Makes up news that has just happened.
 *
 * @param changes what is to be otherwise
 */
export function makeNews(kind: NewsKind, changes: Partial<SinkNews> = {}): SinkNews {
  const atUs = changes.atUs ?? Date.now() * 1000;
  seq += 1;
  return {
    id: crypto.randomUUID(),
    seq,
    kind,
    atUs,
    host: "web1.corp.example",
    session: {
      id: "0197a5a2-7f3e-7c61-9e5b-0a1b2c3d4e5f",
      user: "alice",
      uid: 1001,
      from: "192.0.2.7",
      tty: "pts/3",
      shell: "/bin/bash",
      mode: "interactive",
      openedUs: atUs - 60_000_000,
    },
    ticket: "OPS-17",
    ticketUrl: "https://jira.corp.example/browse/OPS-17",
    ...(kind === "command" || kind === "command started" ? { command: makeCommand(kind, atUs) } : {}),
    ...(kind === "session closed"
      ? {
        closing: {
          how: "exit",
          exitCode: 0,
          durationUs: 60_000_000,
          commands: 12,
          failures: 2,
          tickets: ["OPS-17"],
        },
      }
      : {}),
    ...(kind === "status" ? { change: { from: "Open", to: "In Progress" } } : {}),
    ...(kind === "ticket switched" ? { change: { from: "OPS-17", to: "WEB-3" } } : {}),
    ...(["note", "tamper", "test"].includes(kind) ? { text: `the words of a ${kind}` } : {}),
    ...changes,
  };
}

/** News of a command. */
export function makeCommandNews(text: string, changes: Partial<SinkNews["command"]> = {}): SinkNews {
  const news = makeNews("command");
  return news.command ? { ...news, command: { ...news.command, text, ...changes } } : news;
}

function makeCommand(kind: NewsKind, atUs: number): NonNullable<SinkNews["command"]> {
  const hasEnded = kind === "command";
  return {
    text: "systemctl restart nginx",
    directory: "/etc/nginx",
    startUs: atUs,
    endUs: hasEnded ? atUs + 2_500_000 : null,
    exitCode: hasEnded ? 0 : null,
    pipeStates: hasEnded ? [0] : [],
    tty: "pts/3",
    effectiveUid: 0,
    isMasked: false,
    textState: "whole",
  };
}
