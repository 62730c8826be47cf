/** What the variables in a query hold. */

import { paths } from "../config/paths.ts";
import { currentSession } from "../record/login_session.ts";
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
 * @throws {ParameterError} if it is gone, or its name is no UTF-8
 */
export function workingDirectory(): string {
  const named = environment("PWD");
  try {
    if (named?.startsWith("/")) {
      const [there, here] = [Deno.statSync(named), Deno.statSync(".")];
      if (there.ino === here.ino && there.dev === here.dev) return named;
    }
    return Deno.cwd();
  } catch (error) {
    // A directory that has been removed still has the name that the shell knew it by.
    if (named?.startsWith("/")) return named;
    throw new ParameterError(
      `the working directory has no name: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) {
      throw new ParameterError(`the variable ${name} holds bytes that are no UTF-8, which SQL cannot`);
    }
    throw error;
  }
}

function presentTicket(): string | undefined {
  return currentSession(paths().spool, environment("SRVAUDIT_SESSION"))?.ticket ?? undefined;
}
