/**
 * The try-out: `hello`, as a user who is to get it, before she gets it. Nothing of the host is changed for it, and nothing
 * stays but what a login leaves: a ticket, a session on record, two lines in her shell's history.
 *
 * What she has in her startup files is hers: it may ask, print, hang or fail. Then she is left as she is, and is named.
 */

import { loginPolicy, mappedShell, type Policy } from "../config/policy.ts";
import { asUser } from "../posix/as_user.ts";
import { endSession } from "../posix/process_session.ts";
import { PseudoTerminal, startOn } from "../posix/pseudo_terminal.ts";
import { editsLinesItself } from "../posix/terminal_modes.ts";
import { messageOf } from "../terminal/message_of.ts";
import { visible } from "../terminal/visible.ts";
import { Conversation, SilentError } from "./conversation.ts";
import type { Target } from "./target.ts";
import { runAs, tryCommands } from "./try_out_commands.ts";
import { agentAnswers, awaitRecord } from "./try_out_record.ts";

/** How long all of it may take for a user, in milliseconds. */
const PATIENCE_MS = 30_000;
/** How long a shell that does not edit lines must have printed nothing to count as ready, in milliseconds. */
const QUIET_MS = 2000;
/** So much of the terminal is shown of a try-out that failed. */
const SHOWN_LINES = 15;
/** Shells that have hooks: what is typed there goes on record. */
const HOOKED = /\/(?:bash|zsh|fish)$/;

/** Which part of a try-out failed. */
export type Step = "user" | "agent" | "command" | "ticket" | "shell" | "logout" | "record";

/** `hello` does not do for this user. */
export class TryOutError extends Error {
  override name = "TryOutError";

  /**
   * @param screen the last lines that the terminal showed, harmless
   */
  constructor(
    readonly user: string,
    readonly step: Step,
    readonly reason: string,
    readonly screen: readonly string[] = [],
  ) {
    super(
      [
        `${visible(user)} cannot log in by hello yet: ${reason}`,
        ...(screen.length > 0 ? ["the terminal showed:", ...screen.map((line) => `  | ${line}`)] : []),
      ].join("\n"),
    );
  }
}

/** Whom to try it out as. */
export interface TriedUser {
  name: string;
  /** Her present shell, as passwd has it: `hello` becomes it, unless `/etc/srvaudit/shells` names another. */
  shell: string;
}

/** How to try it out. */
export interface TryOutOptions {
  /** The ticket that the login is for; a new one is made where there is none. */
  testTicket?: string | undefined;
  /** Whether the host's agent is to have it on record. */
  hasAgent: boolean;
  /** How long all of it may take, in milliseconds; 30 s. */
  patienceMs?: number | undefined;
}

/**
 * Runs commands through `hello` as that user, and logs in to it on a terminal. She has `hello` as her shell in neither case:
 * su(1) is told to take it. Where the installer itself is run within a login session of `hello`'s, all that it starts belongs to
 * that one, and no ticket is asked for.
 *
 * @throws {TryOutError} if anything of it fails, or does not end in 30 seconds
 *
 * @example
 * ```ts
 * await tryOut(target, { name: "alice", shell: "/bin/zsh" }, { testTicket: "17", hasAgent: true });
 * ```
 */
export async function tryOut(target: Target, user: TriedUser, options: TryOutOptions): Promise<void> {
  const patienceMs = options.patienceMs ?? PATIENCE_MS;
  const attempt = { target, user, options, patienceMs, deadline: performance.now() + patienceMs };
  const standing = await inStep(attempt, "user", () => standingOf(attempt));
  const { isExempt, policy: { nonInteractive } } = standing;
  const within = options.hasAgent ? await inStep(attempt, "agent", () => agentAnswers(target)) : null;
  const runCommands = (environment: Record<string, string>) =>
    inStep(attempt, "command", () => tryCommands(target, user, environment, attempt.deadline));
  if (isExempt || nonInteractive === "record") await runCommands({});
  const login = await logIn(attempt, standing, isExempt || within !== null);
  // The ticket that the policy wants for each command: the one that there is now.
  if (!isExempt && nonInteractive === "require" && login.ticket !== null) {
    await runCommands({ SRVAUDIT_TICKET: login.ticket });
  }
  if (options.hasAgent) {
    const typed = standing.isRecorded ? login.typed : undefined;
    const expected = { ...login, user: user.name, typed, within };
    await inStep(attempt, "record", () => awaitRecord(target, expected, attempt.deadline));
  }
}

interface Attempt {
  target: Target;
  user: TriedUser;
  options: TryOutOptions;
  patienceMs: number;
  deadline: number;
}

/** What holds for the user. */
interface Standing {
  uid: number;
  policy: Policy;
  isExempt: boolean;
  /** Whether what she types goes on record. */
  isRecorded: boolean;
}

/** A login that came to its end. */
interface FinishedLogin {
  /** The terminal that it was on, and since when, in microseconds since 1970. */
  tty: string;
  sinceUs: number;
  /** Null where none is known: she needs none, or the tracker is to make it later. */
  ticket: string | null;
  /** The command that was typed. */
  typed: string;
}

async function standingOf(attempt: Attempt): Promise<Standing> {
  const { target: { root }, user } = attempt;
  const [uid, gid] = [Number(await askId("-u", user.name)), Number(await askId("-g", user.name))];
  const groups = (await askId("-nG", user.name)).split(" ");
  await mustBeLetIn(attempt);
  const places = {
    policy: `${root}/run/srvaudit/policy.json`,
    hostSpool: `${root}/var/spool/srvaudit`,
    config: `${root}/etc/srvaudit/config`,
  };
  // As she may read it: without an agent the config may be root's alone.
  const { policy } = asUser({ uid, gid }, () => loginPolicy(places));
  const isExempt = policy.exemptUsers.includes(user.name) ||
    policy.exemptGroups.some((group) => groups.includes(group));
  const shell = mappedShell(`${root}/etc/srvaudit/shells`, user.name) ?? (user.shell || "/bin/sh");
  return { uid, policy, isExempt, isRecorded: HOOKED.test(shell) };
}

/** An account that has expired, or that PAM keeps out, says nothing about hello. */
async function mustBeLetIn({ user: { name }, deadline }: Attempt): Promise<void> {
  const { code, errors } = await runAs(name, "/bin/true", "true", new Uint8Array(), {}, deadline);
  if (code === 0) return;
  const said = new TextDecoder().decode(errors).trim().replaceAll("\n", "; ");
  throw new Error(`nobody can become her at present: ${visible(said)}`);
}

/** Asks id(1), and so LDAP and SSSD as well. */
async function askId(what: string, user: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("id", { args: [what, user], stdin: "null" })
    .output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(visible(decoder.decode(stderr).trim()));
  return decoder.decode(stdout).trim();
}

/** @param isUnasked whether no ticket is asked for */
async function logIn(attempt: Attempt, { uid }: Standing, isUnasked: boolean): Promise<FinishedLogin> {
  const { target, user, deadline } = attempt;
  const sinceUs = Date.now() * 1000;
  using terminal = new PseudoTerminal({ rows: 50, columns: 200 });
  // As login(1) and sshd(8) do: what opens it by its name is hers.
  Deno.chownSync(terminal.path, uid, null);
  const child = startOn(terminal, ["su", "-l", "-s", target.hello, user.name], { TERM: "xterm" });
  const conversation = new Conversation(terminal, child.status, deadline);
  try {
    const ticket = isUnasked ? null : await giveTicket(attempt, conversation);
    const typed = await runInShell(attempt, conversation);
    await leave(attempt, conversation);
    const { code } = await child.status;
    if (code !== 0) throw failed(attempt, conversation, "logout", `the login ended with exit code ${code}`);
    return { tty: terminal.path, sinceUs, ticket, typed };
  } finally {
    endSession(child.pid);
    await child.status;
  }
}

const TICKET_PROMPT = /blank for new[^\r\n]*: /;

/** @returns the ticket, or null if it is to be made later */
async function giveTicket(attempt: Attempt, conversation: Conversation): Promise<string | null> {
  const { testTicket } = attempt.options;
  const fail = (reason: string) => failed(attempt, conversation, "ticket", reason);
  const prompt = await hearing(attempt, conversation, "ticket", "hello did not ask for a ticket", {
    ticket: TICKET_PROMPT,
  });
  if (prompt.heard === "end") throw fail("hello ended before it had asked for a ticket");
  conversation.type(`${testTicket ?? ""}\r`);
  while (true) {
    const next = await hearing(attempt, conversation, "ticket", "hello took no ticket", {
      taken: /(?:^|\n)Ticket (\S+) {2}[^\r\n]*\r?\n/,
      later: /(?:^|\n)New ticket: [^\r\n]*\r?\n/,
      again: TICKET_PROMPT,
      question: /(Enter|Choose) ([^\r\n]+) for new ticket: /,
    });
    if (next.heard === "end") throw fail("hello ended before it had a ticket");
    if (next.heard === "taken") return next.match[1] ?? null;
    if (next.heard === "later") return null;
    if (next.heard === "again") {
      throw fail(
        testTicket === undefined ? "no ticket was made" : `the ticket ${visible(testTicket)} was not taken`,
      );
    }
    const question = next.match.slice(1).join(" ");
    const answer =
      { "Choose tracker": "1", "Enter subject": `srvAudit try-out on ${Deno.hostname()}` }[question];
    if (answer === undefined) {
      throw fail(
        `a new ticket needs more than a try-out can know (${visible(question)}): name one by --test-ticket`,
      );
    }
    conversation.type(`${answer}\r`);
  }
}

/** @returns what was typed */
async function runInShell(attempt: Attempt, conversation: Conversation): Promise<string> {
  const { terminal } = conversation;
  const silent = `her shell ran no command in ${
    attempt.patienceMs / 1000
  } s: do her startup files ask, or hang?`;
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  // What is typed is echoed: only its output has the two in one.
  const typed = `printf '%s-%s\\n' try-out ${number}`;
  const pattern = new RegExp(`(?:^|[\\r\\n])try-out-${number}\\r?\\n`);
  try {
    await conversation.settle(() => editsLinesItself(terminal.path), QUIET_MS);
  } catch (error) {
    if (error instanceof SilentError) throw failed(attempt, conversation, "shell", silent);
    throw error;
  }
  conversation.type(`${typed}\r`);
  const { heard } = await hearing(attempt, conversation, "shell", silent, { ran: pattern });
  if (heard === "end") {
    throw failed(attempt, conversation, "shell", "the login ended before it ran a command");
  }
  return typed;
}

/** Leaves the shell; what is asked then is answered by Enter. */
async function leave(attempt: Attempt, conversation: Conversation): Promise<void> {
  const silent = "the login did not end";
  conversation.type("exit\r");
  while (true) {
    const { heard } = await hearing(attempt, conversation, "logout", silent, {
      notes: /Session notes[^\r\n]*: /,
      status: /Choose ticket status[^\r\n]*: /,
    });
    if (heard === "end") return;
    conversation.type("\r");
  }
}

async function hearing<Name extends string>(
  attempt: Attempt,
  conversation: Conversation,
  step: Step,
  otherwise: string,
  patterns: Readonly<Record<Name, RegExp>>,
) {
  try {
    return await conversation.hear(patterns);
  } catch (error) {
    if (error instanceof SilentError) throw failed(attempt, conversation, step, otherwise);
    throw error;
  }
}

function failed({ user }: Attempt, conversation: Conversation, step: Step, reason: string): TryOutError {
  return new TryOutError(user.name, step, reason, conversation.lastLines(SHOWN_LINES));
}

async function inStep<T>({ user }: Attempt, step: Step, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new TryOutError(user.name, step, visible(messageOf(error), "\n"));
  }
}
