/** Commands through `hello`, as scp, rsync and git send them: byte for byte as her own shell runs them. */

import { Buffer } from "node:buffer";
import { endSession } from "../posix/process_session.ts";
import { visible } from "../terminal/visible.ts";
import type { Target } from "./target.ts";
import type { TriedUser } from "./try_out.ts";

/** So much is read of what a command says, in bytes. */
const MOST = 65_536;
/** So much of it is shown, in characters. */
const SHOWN = 300;

/** What came of a command. */
export interface Ran {
  code: number;
  output: Uint8Array;
  errors: Uint8Array;
}

/**
 * Runs `hello -c true`, which is to say nothing, and `hello -c cat`, which is to say what it is told.
 *
 * @param environment what is set for it
 * @param deadline by `performance.now()`
 * @throws {Error} that says what came of it, if that is not what comes of it in her present shell as well
 */
export async function tryCommands(
  target: Target,
  user: TriedUser,
  environment: Readonly<Record<string, string>>,
  deadline: number,
): Promise<void> {
  const everyByte = Uint8Array.from({ length: 4096 }, (_, i) => i % 256);
  for (const [command, input] of [["true", new Uint8Array()], ["cat", everyByte]] as const) {
    const run = (shell: string) => runAs(user.name, shell, command, input, environment, deadline);
    const ran = await run(target.hello);
    if (ran.code === 0 && isSame(ran.output, input) && ran.errors.length === 0) continue;
    // Her own ~/.zshenv may say something, or fail: that is no fault of hello's.
    const before = await run(user.shell);
    const isAsBefore = ran.code === before.code && isSame(ran.output, before.output) &&
      isSame(ran.errors, before.errors);
    if (!isAsBefore) throw new Error(`hello -c ${command} ${saying(ran, input)}`);
  }
}

function saying({ code, output, errors }: Ran, input: Uint8Array): string {
  const said = [errors, isSame(output, input) ? new Uint8Array() : output].map((bytes) =>
    visible(new TextDecoder().decode(bytes).slice(0, SHOWN).trim())
  ).filter(Boolean).join("; ");
  const how = code === 0 ? "did not give back what it got" : `ended with exit code ${code}`;
  return said === "" ? how : `${how}, and said: ${said}`;
}

/** Runs a command as a user in a shell of choice, as `tryCommands`. @throws {Error} if it does not end in time */
export async function runAs(
  user: string,
  shell: string,
  command: string,
  input: Uint8Array,
  environment: Readonly<Record<string, string>>,
  deadline: number,
): Promise<Ran> {
  const child = new Deno.Command("setsid", {
    args: ["su", "-s", shell, user, "-c", command],
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...environment },
    cwd: "/",
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${shell} -c ${command} did not end`)),
    Math.max(0, deadline - performance.now()),
  );
  const work = async () => {
    const fed = feed(child.stdin, input);
    const [output, errors] = await Promise.all([read(child.stdout), read(child.stderr)]);
    // What it has left behind may hold its streams, but not its end.
    const { code } = await child.status;
    await fed;
    return { code, output, errors };
  };
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
    endSession(child.pid);
  }
}

async function feed(stream: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch {
    // It ended without reading: what it gives back tells.
  }
}

/** @returns its beginning: who says more than that is not waited for */
async function read(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    pieces.push(piece);
    length += piece.length;
    if (length > MOST) break;
  }
  return Buffer.concat(pieces);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
