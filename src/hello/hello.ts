/**
 * The login shell: asks for a ticket, and becomes the user's real shell.
 *
 * Nothing of ours stays behind, and nothing of ours may keep her out: what fails here is said in one line, and then
 * `onFailure` decides.
 */

import { type HostPaths, paths } from "../config/paths.ts";
import { DEFAULT_POLICY, hasAgent, type LoginPolicy, loginPolicy, type Policy } from "../config/policy.ts";
import { ownAccount, surviveFileSizeLimit } from "../posix/libc.ts";
import type { Called } from "../posix/program_name.ts";
import { tell } from "../terminal/ask.ts";
import { messageOf } from "../terminal/message_of.ts";
import { visible } from "../terminal/visible.ts";
import { become, type Login } from "./arrival.ts";
import { isForced, withoutForce } from "./forced.ts";
import { type Invocation, parseInvocation } from "./invocation.ts";
import { anyShell, type RealShell, realShell } from "./real_shell.ts";

/** There is no shell because the user would not have one. */
const ENDED_BY_USER: readonly string[] = ["NoTicketError", "SilenceError"];
/** There is none because the policy, or the agent, says so. */
const REFUSED: readonly string[] = [
  "RefusalError",
  "RefusedError",
  "NoSessionError",
  "TicketNotFoundError",
  "TicketRefusedError",
];

/**
 * @param called how this process was started
 * @param args the arguments behind argv[0]
 */
export async function main(called: Called, args: readonly string[]): Promise<void> {
  if (args.length === 1 && (args[0] === "--help" || args[0] === "--version")) {
    const { help, version } = await import("./help.ts");
    console.log(args[0] === "--help" ? help : version);
    return;
  }
  const start = isForced(args) ? withoutForce(called) : { called, args };
  const invocation = parseInvocation(start.called.isLogin, start.args);
  // What is written on the way is for this user alone, whatever her umask, which the shell gets back.
  const umask = Deno.umask(0o077);
  const login: Login = { called: start.called, invocation, hasPerson: isPersonThere(invocation), umask };
  let policy: Policy = DEFAULT_POLICY;
  let shell: RealShell | undefined;
  try {
    surviveFileSizeLimit();
    const places = paths();
    const found = policyOrDefaults(places);
    ({ policy } = found);
    shell = shellOrAnother(policy, places.shells);
    const arrival = { login, places, policy: found, shell };
    if (login.hasPerson) await (await import("./open_for_person.ts")).openForPerson(arrival);
    else await (await import("./open_for_command.ts")).openForCommand(arrival);
  } catch (error) {
    if (error instanceof Error && ENDED_BY_USER.includes(error.name)) {
      tell(`\nsrvaudit: ${error.message}: goodbye\n`);
      Deno.exit(1);
    }
    if (error instanceof Error && REFUSED.includes(error.name)) {
      tell(`srvaudit: ${visible(error.message)}\n`);
      Deno.exit(1);
    }
    fail(error, login, policy, shell);
  }
}

/**
 * A terminal, with somebody at it. Automation that asks sshd for a terminal to run a command in (ansible does) has none
 * of its own to tell the size of: no person sits before no rows and no columns.
 */
function isPersonThere(invocation: Invocation): boolean {
  if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) return false;
  if (invocation.command === undefined) return true;
  try {
    const { rows, columns } = Deno.consoleSize();
    return rows > 0 || columns > 0;
  } catch {
    // Standard output is elsewhere: `ssh -t host command >file`.
    return true;
  }
}

/** A real shell that cannot be had is said, and another taken: nobody's record hangs on it. */
function shellOrAnother(policy: Policy, mapFile: string): RealShell {
  try {
    return realShell(policy, mapFile, ownAccount());
  } catch (error) {
    if (policy.onFailure === "deny") throw error;
    const shell = anyShell(policy.defaultShell);
    tell(`srvaudit: ${visible(messageOf(error))}; going on with ${visible(shell.path)}\n`);
    return shell;
  }
}

/** A broken config must not keep anybody out, unless its one readable line says so. */
function policyOrDefaults(places: HostPaths): LoginPolicy {
  try {
    return loginPolicy(places);
  } catch (error) {
    const published = textOf(places.policy);
    const denies = /^\s*onFailure=["']?deny\b/m.test(textOf(places.config) ?? "") ||
      /"onFailure"\s*:\s*"deny"/.test(published ?? "");
    if (denies) {
      tell(`srvaudit: ${visible(messageOf(error))}; onFailure="deny": no shell\n`);
      Deno.exit(1);
    }
    tell(`srvaudit: ${visible(messageOf(error))}; going on with the defaults\n`);
    return { policy: DEFAULT_POLICY, hasAgent: hasAgent(places) };
  }
}

function textOf(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    // Not there, or not readable at all: then it says nothing.
    return undefined;
  }
}

/** Something of ours failed: one line, and what the policy says. */
function fail(error: unknown, login: Login, policy: Policy, shell: RealShell | undefined): never {
  const reason = visible(messageOf(error));
  if (policy.onFailure === "deny") {
    tell(`srvaudit: ${reason}; onFailure="deny": no shell\n`);
    Deno.exit(1);
  }
  tell(`srvaudit: ${reason}; this session is NOT recorded\n`);
  const fallback = shell ?? anyShell(ownAccount()?.shell);
  become(login, fallback, undefined);
}
