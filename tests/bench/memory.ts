/** The most memory that each program ever holds. */

import { findProgram } from "../support/needs.ts";
import { start } from "../support/pty.ts";
import { succeed } from "../support/run.ts";
import { COMMANDS, fillSpool } from "./ingesting.ts";
import { Home, homeOfMillion, program } from "./place.ts";
import { notMeasured, type Row, times } from "./report.ts";

/** Each program's peak, against bash's own. */
export async function measureMemory(): Promise<Row[]> {
  const time = findProgram("time");
  if (!time) return [notMeasured("peak memory", "there is no time(1) here: Debian's package is `time`")];
  using home = new Home();
  using full = new Home();
  fillSpool(full.folder);
  const million = homeOfMillion();
  const peak = (command: string[], env: Record<string, string>) => peakKib(time, command, env);
  const bash = await peak(["bash", "-c", "true"], home.env);
  const asked = { HOME: million, SRVAUDIT_ROOT: `${million}/root` };
  const found: [string, number][] = [
    ["hello -c true, until it is bash", await peak([program("hello"), "-c", "true"], home.env)],
    ["saticket list", await peak([program("saticket"), "list"], home.env)],
    [
      "ash_query -q SESSIONS, 1,000,000 commands",
      await peak([program("ash_query"), "-q", "SESSIONS"], asked),
    ],
    ["ash_query -q DEMO, 1,000,000 rows", await peak([program("ash_query"), "-q", "DEMO"], asked)],
    [
      `srvaudit ingest --linger, ${COMMANDS} commands`,
      await peak([program("srvaudit"), "ingest", "--linger", "2"], full.env),
    ],
  ];
  if (findProgram("script")) found.splice(1, 0, ["hello, at the ticket prompt", await peakAtPromptKib(home)]);
  return found.map(([what, kib]) => ({
    what: `peak memory: ${what}`,
    measured: mebibytes(kib),
    against: `bash -c true: ${mebibytes(bash)}`,
    result: `${times(kib, bash)} as much`,
  }));
}

/**
 * The most memory that a program ever holds, in KiB.
 *
 * time(1) is small, so that what a new process inherits from it does not count.
 *
 * @param time its path
 */
export async function peakKib(time: string, command: string[], env: Record<string, string>): Promise<number> {
  const file = await Deno.makeTempFile();
  try {
    await succeed(
      [time, "--format=%M", `--output=${file}`, "sh", "-c", '"$@" >/dev/null', "sh", ...command],
      { env },
    );
    return Number(await Deno.readTextFile(file));
  } finally {
    await Deno.remove(file);
  }
}

async function peakAtPromptKib(home: Home): Promise<number> {
  await using terminal = start(program("hello"), [], {
    PATH: "/usr/bin:/bin",
    LC_ALL: "C.UTF-8",
    ...home.env,
  });
  await terminal.expect(/blank for new/);
  const pid = processIn(home);
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]);
}

/** The process of ours that lives in that home. */
function processIn(home: Home): number {
  const wanted = Deno.realPathSync(program("hello"));
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readLinkSync(`/proc/${name}/exe`) !== wanted) continue;
      if (Deno.readTextFileSync(`/proc/${name}/environ`).includes(`HOME=${home.folder}\0`)) {
        return Number(name);
      }
    } catch {
      // It has ended, or is another user's.
    }
  }
  throw new Error("hello has asked for a ticket, and is gone");
}

function mebibytes(kib: number): string {
  return `${(kib / 1024).toFixed(1)} MiB`;
}
