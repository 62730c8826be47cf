/** What the variables in a query hold. */

import { paths } from "../config/paths.ts";
import { readable } from "../record/readable.ts";
import { currentSession } from "../record/login_session.ts";
import { messageOf } from "../terminal/message_of.ts";
import { type Lookup, ParameterError } from "./parameters.ts";

/**
 * A look-up of the environment's variables, and of three that are known better than the environment can:
 *
 * - `PWD`: the working directory, where the environment has none or another's;
 * - `ASH_SESSION_ID`: the shell's row in `sessions`, where the environment does not name one;
 * - `SRVAUDIT_TICKET`: the ticket that the login session is on now.
 *
 * @param shellRow finds the row of the shell that this process was started from; asked only for ASH_SESSION_ID
 */
export function variables(shellRow: () => number | undefined): Lookup {
  return (name) => {
    if (name === "PWD") return workingDirectory();
    const value = environment(name);
    if (name === "ASH_SESSION_ID" && !/^[0-9]+$/.test(value ?? "")) return shellRow()?.toString();
    // A ticket that is switched does not change the environment of the shells that run.
    if (name === "SRVAUDIT_TICKET") return presentTicket() ?? value;
    return value;
  };
}

/**
 * The working directory by the name that the shell has for it, symbolic links and all, as it is on record.
 *
 * @throws {ParameterError} if it has none: it is gone, or unreadable
 */
export function workingDirectory(): string {
  const named = environment("PWD");
  if (named !== undefined && isHere(named)) return named;
  try {
    return Deno.cwd();
  } catch (error) {
    // Removed, or bytes that are no UTF-8: the shell knows its name all the same.
    if (named?.startsWith("/")) return named;
    throw new ParameterError(
      `the working directory has no name: ${messageOf(error)}`,
    );
  }
}

function isHere(path: string): boolean {
  if (!path.startsWith("/")) return false;
  try {
    const [there, here] = [Deno.statSync(path), Deno.statSync(".")];
    return there.ino === here.ino && there.dev === here.dev;
  } catch {
    // No such directory (any more).
    return false;
  }
}

function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.InvalidData)) throw error;
    // Bytes that are no UTF-8: as the history writes them.
    const wanted = new TextEncoder().encode(`${name}=`);
    const bytes = [...fieldsOf(Deno.readFileSync("/proc/self/environ"))]
      .find((field) => wanted.every((byte, i) => field[i] === byte));
    return bytes && readable(bytes.subarray(wanted.length)).text;
  }
}

function* fieldsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    yield bytes.subarray(start, end < 0 ? bytes.length : end);
    start = end < 0 ? bytes.length : end + 1;
  }
}

function presentTicket(): string | undefined {
  return currentSession(paths().spool, environment("SRVAUDIT_SESSION"))?.ticket ?? undefined;
}
