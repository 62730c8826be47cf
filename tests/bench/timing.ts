/** Times that can be compared although the machine has other work: what is compared takes turns. */

import { succeed } from "../support/run.ts";

/**
 * Measures several things in turns, so that a busy moment of the machine's falls upon all of them.
 *
 * @param rounds how many turns each gets
 * @param measures what to measure: each gives a figure, in the unit that it likes
 * @returns the least figure of each: whatever else the machine does can only add to that
 *
 * @example
 * ```ts
 * const { ours, theirs } = await takeTurns(30, { ours: () => timeMs(["hello"]), theirs: () => timeMs(["bash"]) });
 * ```
 */
export async function takeTurns<Name extends string>(
  rounds: number,
  measures: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(measures) as Name[];
  const least = Object.fromEntries(names.map((name) => [name, Infinity])) as Record<Name, number>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) least[name] = Math.min(least[name], await measures[name]());
  }
  return least;
}

/**
 * How long a whole process takes, from before its start until after its end, in milliseconds. What it prints is
 * thrown away.
 *
 * @param command the program and its arguments
 * @param env its environment, PATH and a UTF-8 locale aside
 * @throws {Error} if it fails, with what it said
 */
export async function timeMs(
  command: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
): Promise<number> {
  const [program = "", ...args] = command;
  const start = performance.now();
  const { code } = await new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", LC_ALL: "C.UTF-8", ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn().status;
  const took = performance.now() - start;
  if (code !== 0) await succeed(command, { env, ...(cwd === undefined ? {} : { cwd }) });
  return took;
}
