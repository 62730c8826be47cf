/** How long a login waits for us: `hello -c`, and `hello` up to its question. */

import { sessionFile } from "../../src/record/login_session.ts";
import { appendEvent } from "../../src/record/spool.ts";
import { findProgram } from "../support/needs.ts";
import { start } from "../support/pty.ts";
import { succeed } from "../support/run.ts";
import { opened } from "../support/spool_files.ts";
import { Home, program } from "./place.ts";
import { milliseconds, notMeasured, type Row } from "./report.ts";
import { takeTurns, timeMs } from "./timing.ts";

const ROUNDS = 30;

/** What a thousand times 'ssh host command' leaves, until somebody asks the history. */
const SESSIONS = 1000;

/** `hello -c true` against `bash -c true`, and what is left of us while the command runs. */
export async function measureCommand(): Promise<Row[]> {
  using home = new Home();
  using crowded = new Home();
  fillSpool(`${crowded.folder}/.ash/spool`);
  const { ours, bash, empty, among } = await takeTurns(ROUNDS, {
    ours: () => timeMs([program("hello"), "-c", "true"], home.env),
    bash: () => timeMs(["bash", "-c", "true"], home.env),
    empty: () => timeMs([program("hello"), "--version"], home.env),
    among: () => timeMs([program("hello"), "-c", "true"], crowded.env),
  });
  const added = ours - bash;
  const look = "readlink /proc/$$/exe; ls /proc/$$/task | wc -l; grep VmHWM /proc/$$/status";
  const [executable, threads, peak] = (await succeed([program("hello"), "-c", look], { env: home.env }))
    .split("\n");
  const isShell = /\/bash$/.test(executable ?? "") && threads === "1";
  return [
    {
      what: "hello -c true",
      measured: milliseconds(ours),
      against: `bash -c true: ${milliseconds(bash)}`,
      result: `+${milliseconds(added)}`,
      budget: { text: "+40 ms", kept: added <= 40 },
    },
    {
      what: "hello -c true",
      measured: milliseconds(ours),
      against: `hello --version: ${milliseconds(empty)}`,
      result: `+${milliseconds(ours - empty)}`,
    },
    {
      what: `hello -c true, ${SESSIONS} ended sessions in the spool`,
      measured: milliseconds(among),
      against: `hello -c true, a few there: ${milliseconds(ours)}`,
      result: `${among < ours ? "" : "+"}${milliseconds(among - ours)}`,
    },
    {
      what: "hello -c: its process while the command runs",
      measured: `${executable}, ${threads} thread, ${peak?.replace(/^VmHWM:\s*/, "peak ")}`,
      against: "",
      result: isShell ? "nothing of ours is left" : "something of ours is left",
      budget: { text: "nothing resident", kept: isShell },
    },
  ];
}

function fillSpool(spool: string): void {
  Deno.mkdirSync(spool, { recursive: true, mode: 0o700 });
  for (let i = 0; i < SESSIONS; i++) {
    const event = opened({ mode: "command", ticket: null });
    appendEvent(sessionFile(spool, event.session), event);
  }
}

/** From the exec of `hello` to its question; what the terminal costs is measured with printf(1), and taken off. */
export async function measurePrompt(): Promise<Row[]> {
  const what = "hello: from exec to the ticket prompt";
  if (!findProgram("script")) return [notMeasured(what, "there is no script(1) here")];
  using home = new Home();
  const { ours, printf } = await takeTurns(ROUNDS / 2, {
    ours: () => promptMs(program("hello"), [], home.env),
    printf: () => promptMs("printf", ["blank for new"], home.env),
  });
  const took = ours - printf;
  return [{
    what,
    measured: milliseconds(ours),
    against: `printf on such a terminal: ${milliseconds(printf)}`,
    result: `+${milliseconds(took)}`,
    budget: { text: "+80 ms", kept: took <= 80 },
  }];
}

async function promptMs(path: string, args: readonly string[], env: Record<string, string>): Promise<number> {
  const began = performance.now();
  await using terminal = start(path, args, { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", ...env });
  await terminal.expect(/blank for new/);
  return performance.now() - began;
}
