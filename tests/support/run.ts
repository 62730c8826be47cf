/** Runs a program to its end and keeps what it said. */

const decoder = new TextDecoder();

/** What a program left. */
export interface Finished {
  code: number;
  stdout: Uint8Array;
  stderr: Uint8Array;
  /** stdout as text. */
  text: string;
  /** stderr as text. */
  errors: string;
}

/** How to run it. */
export interface RunOptions {
  /** What it reads; nothing (`/dev/null`) by default. */
  stdin?: string | Uint8Array;
  /** Its whole environment, but for PATH and a UTF-8 locale, which are there unless given. */
  env?: Record<string, string>;
  cwd?: string;
}

/**
 * @param command the program and its arguments
 * @returns how it ended and what it said
 * @throws {Error} if there is no such program
 */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, {
    args,
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }).spawn();
  const fed = options.stdin === undefined ? Promise.resolve() : feed(child.stdin, options.stdin);
  const [output] = await Promise.all([child.output(), fed]);
  return {
    code: output.code,
    stdout: output.stdout,
    stderr: output.stderr,
    text: decoder.decode(output.stdout),
    errors: decoder.decode(output.stderr),
  };
}

/**
 * Runs a program that must succeed.
 *
 * @returns what it wrote on stdout
 * @throws {Error} if it ends with another exit code than 0, with what it wrote on stderr
 */
export async function succeed(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const finished = await run(command, options);
  if (finished.code !== 0) {
    throw new Error(`${command.join(" ")}: exit code ${finished.code}\n${finished.errors}${finished.text}`);
  }
  return finished.text;
}

async function feed(stdin: WritableStream<Uint8Array>, input: string | Uint8Array): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input);
    await writer.close();
  } catch {
    // It ended without reading all: its exit code tells.
  }
}
