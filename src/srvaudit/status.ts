/** `srvaudit status`: is the agent well, who is here, what waits? */

import { hostPaths } from "../config/paths.ts";
import { askAgent } from "../desk/agent_client.ts";
import { RefusedError } from "../desk/desk.ts";
import type { AgentStatus } from "../desk/protocol.ts";
import type {
  ConsumerState,
  DeadLetters,
  EvidenceReader,
  EvidenceSession,
  Extent,
  StoriesState,
} from "../evidence/reading.ts";
import { messageOf } from "../terminal/message_of.ts";
import { lengthOfTime, localTime } from "../terminal/moments.ts";
import { visible, visibleJson } from "../terminal/visible.ts";
import { openEvidence } from "./evidence_file.ts";
import { byteCount, CannotError, print, table, terminalWidth } from "./output.ts";
import { ticketOf } from "./sessions.ts";

/** More open sessions than these are counted, not shown. */
const MOST_SHOWN = 1000;

/** An open session, and for how long nothing has come of it. */
export type ShownSession = EvidenceSession & { idleUs: number };

/** All that there is to say; `srvaudit status --json` prints this. */
export interface HostStatus {
  /** Null where it does not answer. */
  agent: AgentStatus | null;
  /** Why not. */
  agentError: string | null;
  /** Null where it cannot be read. */
  evidence: Extent & { file: string; bytes: number } | null;
  evidenceError: string | null;
  /** The open ones, newest first. */
  sessions: ShownSession[];
  consumers: ConsumerState[];
  /** Null where the evidence cannot be read. */
  stories: StoriesState | null;
  /** What sinks have refused. */
  deadLetters: DeadLetters[];
}

/** @returns the exit code: 1 where the agent does not answer, or is in trouble */
export async function statusCommand(asJson: boolean): Promise<number> {
  const { socket, evidence } = hostPaths();
  const status = await hostStatus(socket, evidence, Date.now() * 1000);
  print(asJson ? visibleJson(status) + "\n" : await statusText(status, Date.now() * 1000));
  return status.agent === null || status.agent.trouble !== null ? 1 : 0;
}

/**
 * Asks the agent, and the evidence, which is there without it.
 *
 * @throws {CannotError} for who is not to know: an agent that says so is well
 */
async function hostStatus(socket: string, file: string, nowUs: number): Promise<HostStatus> {
  const status: HostStatus = {
    agent: null,
    agentError: null,
    evidence: null,
    evidenceError: null,
    sessions: [],
    consumers: [],
    stories: null,
    deadLetters: [],
  };
  try {
    status.agent = await askAgent(socket, "agent.status", {});
  } catch (error) {
    if (error instanceof RefusedError) throw new CannotError(`${error.message}: ask again with sudo`);
    status.agentError = messageOf(error);
  }
  try {
    using evidence = openEvidence(file);
    status.evidence = { file, bytes: bytesOf(file), ...evidence.extent() };
    status.sessions = openSessions(evidence, nowUs);
    status.consumers = evidence.consumers();
    status.stories = evidence.stories();
    status.deadLetters = evidence.deadLetters();
  } catch (error) {
    status.evidenceError = messageOf(error);
  }
  return status;
}

function openSessions(evidence: EvidenceReader, nowUs: number): ShownSession[] {
  return evidence.sessions({ isOpen: true, limit: MOST_SHOWN }).map((session) => ({
    ...session,
    idleUs: Math.max(0, nowUs - Math.max(session.lastUs, session.openedUs, typedAtUs(session.tty))),
  }));
}

/** When something was last typed at a terminal: what a command runs on at is no silence. */
function typedAtUs(tty: string): number {
  if (!tty.startsWith("/dev/")) return 0;
  try {
    return (Deno.statSync(tty).atime?.getTime() ?? 0) * 1000;
  } catch {
    return 0;
  }
}

function bytesOf(file: string): number {
  let bytes = 0;
  for (const name of [file, `${file}-wal`]) {
    try {
      bytes += Deno.statSync(name).size;
    } catch {
      // No WAL: nobody writes.
    }
  }
  return bytes;
}

/** The status for people. */
async function statusText(status: HostStatus, nowUs: number): Promise<string> {
  const parts = [
    pairs([
      ...agentPairs(status, nowUs),
      ...evidencePairs(status, nowUs),
      ...trackerPairs(status, nowUs),
      ...sinkPairs(status, nowUs),
    ]),
    await sessionsText(status.sessions),
    await consumersText(status.consumers, nowUs),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

type Pair = readonly [name: string, value: string];

function pairs(all: readonly Pair[]): string {
  return all.map(([name, value]) => `${name.padEnd(9)}${visible(value)}\n`).join("");
}

function agentPairs({ agent, agentError }: HostStatus, nowUs: number): Pair[] {
  if (!agent) {
    return [
      ["agent", `DOWN: ${agentError}`],
      ["", "shells go on, and what they record is taken in later"],
      [
        "mend",
        "systemctl start srvaudit (without systemd: /etc/init.d/srvaudit start); then srvaudit doctor",
      ],
    ];
  }
  return [
    [
      "agent",
      `up since ${localTime(agent.sinceUs)} (${lengthOfTime(nowUs - agent.sinceUs)}), pid ${agent.pid}`,
    ],
    [
      "",
      `version ${agent.version}, ${byteCount(agent.memory)} of memory, ${
        count(agent.connections, "connection")
      }`,
    ],
    ...(agent.trouble === null ? [] : [["TROUBLE", agent.trouble] as const]),
    ["spool", `${count(agent.files, "file")} followed, ${byteCount(agent.waiting)} waiting`],
    ["head", agent.head],
  ];
}

function evidencePairs({ evidence, evidenceError }: HostStatus, nowUs: number): Pair[] {
  if (!evidence) return [["evidence", evidenceError ?? "none"]];
  const { first, last, newestUs, bytes, file } = evidence;
  if (last === 0) return [["evidence", `${file}: no events yet`]];
  return [
    ["evidence", `${file}, ${byteCount(bytes)}`],
    ["", `events ${first} to ${last}, the newest ${lengthOfTime(nowUs - newestUs)} old`],
  ];
}

/** Nothing for tickets that the agent keeps itself. */
function trackerPairs({ agent, stories }: HostStatus, nowUs: number): Pair[] {
  const pairs: Pair[] = [];
  if (agent && agent.tracker.name !== "local") {
    const { name, state, reason, waiting } = agent.tracker;
    const words = { up: "answers", down: "DOWN", denied: "DOES NOT TAKE OUR KEY" }[state];
    pairs.push(["tracker", `${name} ${words}${reason === null ? "" : `: ${reason}`}`]);
    if (waiting > 0) {
      pairs.push(["", `${count(waiting, "ticket or note", "tickets and notes")} to be seen to`]);
    }
  }
  return stories ? [...pairs, ...storyPairs(stories, nowUs)] : pairs;
}

function storyPairs(
  { waiting, oldestUs, unverified, held, heldCount, asleep }: StoriesState,
  nowUs: number,
): Pair[] {
  if (waiting + unverified + heldCount + asleep.length === 0) return [];
  const oldest = oldestUs === null
    ? ""
    : `, of sessions that are over since ${lengthOfTime(nowUs - oldestUs)}`;
  const doubtful = unverified === 0 ? "" : `, ${unverified} until the ticket can be looked up`;
  const lines = [
    `${count(waiting, "story", "stories")} to be told${oldest}${doubtful}`,
    ...held.map(({ ticket, sinceUs, error }) =>
      `HELD for ${ticket}, since ${lengthOfTime(nowUs - sinceUs)}: ${error}`
    ),
    ...(heldCount > held.length ? [`${heldCount - held.length} more are held`] : []),
    ...asleep.map((one) => `${count(one.count, "story", "stories")} of another tracker: ${one.tracker}`),
  ];
  return lines.map((line, i) => [i === 0 ? "stories" : "", line] as const);
}

/** Nothing of sinks that are well. */
function sinkPairs({ agent, deadLetters }: HostStatus, nowUs: number): Pair[] {
  const since = (us: number | null) => us === null ? "" : ` since ${lengthOfTime(nowUs - us)}`;
  const lines = [
    ...(agent?.sinks ?? []).filter(({ state }) => state !== "up").map(({ name, state, sinceUs, reason }) =>
      `${name} ${state === "denied" ? "TAKES NOTHING" : "cannot be told"}${since(sinceUs)}: ${reason ?? ""}`
    ),
    ...deadLetters.flatMap(({ sink, count: dead, again, newest }) => [
      `${sink} has refused ${count(dead, "event")}${
        again === 0 ? "" : `, ${again} of them to be sent again`
      }:`,
      ...newest.map(({ seq, atUs, reason }) =>
        `  event ${seq}, ${lengthOfTime(nowUs - atUs)} ago: ${reason}`
      ),
    ]),
  ];
  return lines.map((line, i) => [i === 0 ? "sinks" : "", line] as const);
}

async function sessionsText(sessions: readonly ShownSession[]): Promise<string> {
  if (sessions.length === 0) return "no open sessions\n";
  const text = await table<ShownSession>(
    [
      { title: "USER", cell: ({ user }) => user },
      { title: "TICKET", cell: ticketOf },
      { title: "SINCE", cell: ({ openedUs }) => localTime(openedUs).slice(0, -3), goes: 1 },
      { title: "IDLE", cell: ({ idleUs }) => lengthOfTime(idleUs) },
      { title: "FROM", cell: ({ from }) => from || "-", goes: 2 },
      { title: "TTY", cell: ({ tty }) => tty.replace(/^\/dev\//, "") || "-", goes: 4 },
      { title: "CMDS", cell: ({ commands }) => String(commands), goes: 3 },
    ],
    sessions,
    terminalWidth(),
  );
  return `${count(sessions.length, "open session")}${
    sessions.length < MOST_SHOWN ? "" : " or more"
  }\n${text}`;
}

function consumersText(consumers: readonly ConsumerState[], nowUs: number): Promise<string> | string {
  if (consumers.length === 0) return "";
  return table<ConsumerState>(
    [
      { title: "CONSUMER", cell: ({ name }) => name },
      { title: "WAITING", cell: ({ waiting }) => String(waiting) },
      {
        title: "LAST",
        cell: ({ successUs }) => successUs === null ? "never" : `${lengthOfTime(nowUs - successUs)} ago`,
      },
      { title: "ERROR", cell: ({ error }) => error ?? "none" },
    ],
    consumers,
    terminalWidth(),
  );
}

function count(number: number, what: string, many = `${what}s`): string {
  return `${number} ${number === 1 ? what : many}`;
}
