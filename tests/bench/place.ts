/** Where the benchmark works: nothing of it touches the user's own home. */

import { SCHEMA_VERSION } from "../../src/history/schema.ts";
import { makeHistory, MILLION } from "./make_history.ts";

const PROJECT = new URL("../..", import.meta.url).pathname;

/** The recording hooks' folder. Beside it lies no executable, so that no hook starts the background's ingest. */
export const HOOKS = `${PROJECT}src/shell`;

/** The folder of the compiled programs. */
export const PROGRAMS = Deno.env.get("SRVAUDIT_BENCH_PROGRAMS") ?? `${PROJECT}dist`;

const CACHE = `${PROJECT}.tools/bench`;

/** @returns the path of one of our programs */
export function program(name: "hello" | "saticket" | "ash_query" | "srvaudit"): string {
  return `${PROGRAMS}/${name}`;
}

/** A home for one measurement, gone after it. */
export class Home implements Disposable {
  readonly folder: string;
  /** For programs that run in it. */
  readonly env: Record<string, string>;

  constructor() {
    Deno.mkdirSync(CACHE, { recursive: true });
    this.folder = Deno.makeTempDirSync({ dir: CACHE, prefix: "home." });
    // An empty root: the machine's own config is no part of this.
    this.env = { HOME: this.folder, SRVAUDIT_ROOT: `${this.folder}/root`, SHELL: "/bin/bash" };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/**
 * The home with a million commands, made where it is not there or of another schema than today's.
 *
 * @returns its folder
 */
export function homeOfMillion(): string {
  const home = `${CACHE}/million-${SCHEMA_VERSION}`;
  const history = `${home}/.ash/history.db`;
  if (!isThere(history)) {
    console.error("making a history of 1,000,000 commands, once: some 15 s");
    Deno.mkdirSync(`${home}/.ash/spool`, { recursive: true, mode: 0o700 });
    // Under its own name only when it is whole.
    if (isThere(`${history}.new`)) Deno.removeSync(`${history}.new`);
    makeHistory(`${history}.new`, MILLION);
    Deno.renameSync(`${history}.new`, history);
  }
  return home;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
