/** Times that can be compared although the machine has other work: what is compared takes turns. */

import { succeed } from "../support/run.ts";

/**
 * Measures several things in turns, so that a busy moment of the machine's falls upon all of them.
 *
 * @param rounds how many turns each gets
 * @param measures what to measure: each gives a figure, in the unit that it likes
 * @returns the figures of each, the smallest first
 *
 * @example
 * ```ts
 * const { ours, theirs } = await takeTurns(30, { ours: () => timeMs(["hello"]), theirs: () => timeMs(["bash"]) });
 * ```
 */
export async function takeTurns<Name extends string>(
  rounds: number,
  measures: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(measures) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) figures[name].push(await measures[name]());
  }
  for (const name of names) figures[name].sort((a, b) => a - b);
  return figures;
}

/** @param sorted figures, the smallest first: at least one */
export function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** @param sorted figures, the smallest first: at least one */
export function least(sorted: readonly number[]): number {
  return sorted[0] ?? NaN;
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
