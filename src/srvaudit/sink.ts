/** `srvaudit sink`: where what goes on record is told, how that goes, and whether it works. */

import { SINK_NAMES, type SinkName, type Wants } from "../config/sink_settings.ts";
import type { SinkStatus } from "../desk/protocol.ts";
import { lengthOfTime } from "../terminal/moments.ts";
import { visible, visibleJson } from "../terminal/visible.ts";
import { askSinks } from "./ask_sinks.ts";
import { print, table, terminalWidth } from "./output.ts";

/** Longer than the agent gives a sink. */
const TEST_TIMEOUT_MS = 25_000;

/** @throws {CannotError} */
export async function sinkList(asJson: boolean): Promise<void> {
  const { sinks } = await askSinks("agent.status", {});
  const nowUs = Date.now() * 1000;
  print(asJson ? visibleJson(sinks) + "\n" : await sinksText(sinks, nowUs));
}

/**
 * @returns the exit code: 1 where it was not taken
 * @throws {CannotError}
 */
export async function sinkTest(sink: SinkName): Promise<number> {
  const { ok, answer } = await askSinks("sink.test", { sink }, TEST_TIMEOUT_MS);
  print(`${sink} ${ok ? "has taken it" : "has NOT taken it"}: ${visible(answer)}\n`);
  return ok ? 0 : 1;
}

/** All sinks there are, those that are off included. */
export function sinksText(sinks: readonly SinkStatus[], nowUs: number): Promise<string> {
  const ago = (us: number | null) => us === null ? "never" : `${lengthOfTime(nowUs - us)} ago`;
  const on = new Map(sinks.map((sink) => [sink.name, sink]));
  const cell = (of: (sink: SinkStatus) => string) => (name: SinkName) => {
    const sink = on.get(name);
    return sink ? of(sink) : "-";
  };
  return table<SinkName>(
    [
      { title: "SINK", cell: (name) => name },
      { title: "STATE", cell: (name) => stateOf(on.get(name)) },
      { title: "WAITING", cell: cell(({ depth }) => String(depth)) },
      {
        title: "OLDEST",
        cell: cell(({ oldestUs }) => oldestUs === null ? "-" : lengthOfTime(nowUs - oldestUs)),
        goes: 2,
      },
      { title: "LAST", cell: cell(({ successUs }) => ago(successUs)), goes: 1 },
      { title: "DEAD", cell: cell(({ dead }) => String(dead)) },
      { title: "WANTS", cell: cell(({ wants }) => wantsText(wants)), goes: 3 },
      {
        title: "ERROR",
        cell: cell(({ error, errorUs }) => error === null ? "none" : `${ago(errorUs)}: ${error}`),
      },
    ],
    SINK_NAMES,
    terminalWidth(),
  );
}

function stateOf(sink: SinkStatus | undefined): string {
  return sink ? { up: "on", down: "DOWN", denied: "DENIED" }[sink.state] : "off";
}

/** @returns what it wants, as short as may be */
export function wantsText({ events, users, hosts, tickets, exitCodes }: Wants): string {
  const limits: [what: string, values: readonly (string | number)[]][] = [
    ["users", users],
    ["hosts", hosts],
    ["tickets", tickets],
    ["exit codes", typeof exitCodes === "string" ? (exitCodes === "all" ? [] : [exitCodes]) : exitCodes],
  ];
  return [
    events,
    ...limits.filter(([, values]) => values.length > 0).map(([what, values]) =>
      `${what} ${values.join(",")}`
    ),
  ].join("; ");
}
