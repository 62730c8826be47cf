/** A host of the benchmark's own with an agent: its places lie in a home's root. Needs root. */

import { openDatabase } from "../../src/sqlite/database.ts";
import { removeFolder } from "../support/remove_folder.ts";
import { succeed } from "../support/run.ts";
import { Home, program } from "./place.ts";

const UNPROTECT = new URL("../support/unprotect.sh", import.meta.url).pathname;
const OPEN_SESSIONS = new URL("open_sessions.pl", import.meta.url).pathname;

/** Waits until something is so, looking again every so many milliseconds. @throws {Error} after two minutes */
export async function until(what: string, everyMs: number, probe: () => boolean): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!probe()) {
    if (performance.now() > deadline) throw new Error(`never came: ${what}`);
    await pause(everyMs);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The host, and the agent while it runs. */
export class AgentHost implements AsyncDisposable {
  readonly home = new Home();
  readonly root = `${this.home.folder}/root`;
  readonly spool = `${this.root}/var/spool/srvaudit`;
  readonly socket = `${this.root}/run/srvaudit/agent.sock`;
  readonly evidence = `${this.root}/var/lib/srvaudit/evidence.db`;
  #agent: Deno.ChildProcess | undefined;

  /** @param config lines of its config; the defaults hold without */
  constructor(readonly config: readonly string[] = []) {}

  /** Starts the agent. @returns how long it took until it served, in milliseconds */
  async start(): Promise<number> {
    Deno.mkdirSync(`${this.root}/etc/srvaudit`, { recursive: true });
    const config = `${this.root}/etc/srvaudit/config`;
    if (this.config.length > 0) {
      Deno.writeTextFileSync(config, this.config.join("\n") + "\n", { mode: 0o600 });
    }
    // The agent's socket is every user's.
    Deno.chmodSync(this.home.folder, 0o755);
    const log = `${this.root}/var/log/srvaudit.log`;
    const starts = () => textOf(log).split("is serving").length;
    const before = starts();
    const began = performance.now();
    this.#agent = new Deno.Command(program("srvaudit"), {
      args: ["agent"],
      env: this.home.env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await until("an agent that serves", 2, () => starts() > before);
    return performance.now() - began;
  }

  get pid(): number {
    if (!this.#agent) throw new Error("the agent does not run");
    return this.#agent.pid;
  }

  /** A number of `/proc/PID/FILE`, in KiB. */
  kib(file: "status" | "smaps_rollup", name: string): number {
    const text = Deno.readTextFileSync(`/proc/${this.pid}/${file}`);
    return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(text)?.[1]);
  }

  /** The time that the agent has used of a processor, in clock ticks of 10 ms. */
  ticks(): number {
    const fields = Deno.readTextFileSync(`/proc/${this.pid}/stat`).replace(/^.*\) /s, "").split(" ");
    return Number(fields[11]) + Number(fields[12]);
  }

  /** Asks the evidence for one number. */
  ask(sql: string): number {
    const [row] = this.rows<Record<string, number>>(sql);
    return Number(Object.values(row ?? {})[0]);
  }

  /** Asks the evidence for rows. */
  rows<Row>(sql: string): Row[] {
    const database = openDatabase(this.evidence, { readOnly: true, busyTimeoutMs: 10_000 });
    try {
      return database.prepare(sql).all() as Row[];
    } finally {
      database.close();
    }
  }

  /** Kills the agent: it has no time for anything. */
  async kill(): Promise<void> {
    this.#agent?.kill("SIGKILL");
    await this.#agent?.status;
    this.#agent = undefined;
  }

  /** Ends the agent. */
  async stop(): Promise<void> {
    this.#agent?.kill("SIGTERM");
    await this.#agent?.status;
    this.#agent = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await succeed([UNPROTECT, this.home.folder]);
    // What the shells have started to take their records in may still be about to end.
    await removeFolder(this.home.folder);
  }
}

function textOf(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    // It is not there yet.
    return "";
  }
}

/** Login sessions that real processes lead, open until this is disposed of. */
export class OpenSessions implements AsyncDisposable {
  private constructor(private readonly child: Deno.ChildProcess, readonly tookUs: readonly number[]) {}

  /**
   * Opens so many, one after the other, as users of this machine, who take turns.
   *
   * @param on the tickets that they are on, in turns; none without
   * @param users how many users, at most
   */
  static async open(
    host: AgentHost,
    count: number,
    { on = [], users = Infinity }: { on?: readonly string[]; users?: number } = {},
  ): Promise<OpenSessions> {
    // The system's own: others may be a test's, and gone soon.
    const uids = Deno.readTextFileSync("/etc/passwd").trimEnd().split("\n").map((line) =>
      line.split(":")[2] ?? ""
    )
      .filter((uid) => Number(uid) > 0 && Number(uid) < 1000).slice(0, users);
    const child = new Deno.Command(OPEN_SESSIONS, {
      args: [host.socket, String(count), on.join(), ...uids],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    let said = "";
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    while (!said.endsWith("open\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the sessions were not opened:\n${said}`);
      said += value;
    }
    reader.releaseLock();
    const lines = said.trimEnd().split("\n").slice(0, -1);
    const refused = lines.find((line) => !/^\d+$/.test(line));
    if (refused !== undefined) throw new Error(`a session was not opened: ${refused}`);
    return new OpenSessions(child, lines.map(Number));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stdin.close();
    await this.child.status;
  }
}

/** The figure that so many of a hundred are not above. */
export function percentile(figures: readonly number[], percent: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * percent / 100))] ?? NaN;
}
