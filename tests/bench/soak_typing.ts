/** People at real shells, many at a time: each has logged in through `hello`, and types one command after the other. */

import { tryLock } from "../../src/posix/lock.ts";
import { start, type Terminal } from "../support/pty.ts";
import { type AgentHost, pause } from "./agent_host.ts";
import { program } from "./place.ts";

/** How many log in at a time: they share the processors with the agent. */
const AT_ONCE = 8;

/** Shells that are typed at until this is disposed of; then they are hung up. */
export interface Typing extends AsyncDisposable {
  /** Stands in each command: `: soak PHASE SESSION NUMBER`. */
  phase: string;
  /** How many commands there were. */
  readonly typed: number;
}

/**
 * Keeps the user's own history from being freshened until this is disposed of: so many shells of one user are many users' on a
 * real host, and the one process that looks after them all would take a processor for itself.
 */
export function withoutFreshening({ home }: AgentHost): Disposable {
  const spool = `${home.folder}/.ash/spool`;
  Deno.mkdirSync(spool, { recursive: true, mode: 0o700 });
  return tryLock(`${spool}/.ingest.lock`) ?? raise("the history's lock is held by somebody else");
}

function raise(why: string): never {
  throw new Error(why);
}

/** Logs in as root, on one ticket. */
export async function logInAtOnce(host: AgentHost, count: number): Promise<Terminal[]> {
  Deno.writeTextFileSync(`${host.home.folder}/.bashrc`, "unset HISTFILE\nPS1='READY> '\n");
  const terminals = [await logIn(host, "")];
  const more = async () => {
    while (terminals.length + pending < count) {
      pending++;
      const terminal = await logIn(host, "1");
      pending--;
      terminals.push(terminal);
    }
  };
  let pending = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, more));
  return terminals;
}

async function logIn(host: AgentHost, ticket: string): Promise<Terminal> {
  const env = { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", ...host.home.env, TERM: "dumb" };
  const terminal = start(program("hello"), [], env, { patienceMs: 60_000 });
  await terminal.expect(/blank for new[^\r\n]*: $/);
  await terminal.send(`${ticket}\r`);
  if (ticket === "") {
    await terminal.expect(/Enter subject for new ticket: $/);
    await terminal.send("Benchmark\r");
  }
  await terminal.expect(/READY> $/);
  // Every 20 s it would start a process that finds the history's lock held.
  await terminal.send("SRVAUDIT_BIN=\r");
  await terminal.expect(/READY> $/);
  return terminal;
}

/** Types at all of them. */
export function type(terminals: readonly Terminal[], everyMs: number): Typing {
  let isOver = false;
  const typing = {
    phase: "",
    typed: 0,
    async [Symbol.asyncDispose]() {
      if (isOver) return;
      isOver = true;
      await Promise.all(typists);
      await Promise.all(terminals.map((terminal) => terminal[Symbol.asyncDispose]()));
    },
  };
  const typists = terminals.map(async (terminal, session) => {
    // Not all at the same moment.
    await pause(everyMs * session / terminals.length);
    for (let number = 1; !isOver; number++) {
      await terminal.send(`: soak ${typing.phase} ${session} ${number}\r`);
      typing.typed++;
      await pause(everyMs);
    }
  });
  return typing;
}
