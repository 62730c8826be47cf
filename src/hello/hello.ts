/**
 * The login shell: asks for a ticket, and becomes the user's real shell.
 *
 * Nothing of ours stays behind, and nothing of ours may keep her out: what fails here is said in one line, and then
 * `onFailure` decides.
 */

import { DEFAULTS, type LoginSettings, loginSettings } from "../config/settings.ts";
import { type Paths, paths } from "../config/paths.ts";
import { ownAccount, surviveFileSizeLimit } from "../posix/libc.ts";
import type { Called } from "../posix/program_name.ts";
import { terminalOf } from "../posix/process.ts";
import { currentSession } from "../record/login_session.ts";
import { tell } from "../terminal/ask.ts";
import { visible } from "../terminal/visible.ts";
import { TrackerUnavailableError } from "../trackers/tracker.ts";
import { variable } from "./environment.ts";
import { type Invocation, parseInvocation, recordedText } from "./invocation.ts";
import { openSession, recordCommand } from "./open_session.ts";
import { becomeShell, type Recording } from "./launch.ts";
import { anyShell, type RealShell, realShell } from "./real_shell.ts";
import { tidySpool } from "./tidy_spool.ts";

const BANNER = "This session is recorded, and belongs to a ticket (srvAudit).\n";

/** What is known before anything can fail. */
interface Login {
  called: Called;
  invocation: Invocation;
  /** Whether there is somebody to ask. */
  hasPerson: boolean;
  umask: number;
}

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
  const invocation = parseInvocation(called.isLogin, args);
  // What is written on the way is for this user alone, whatever her umask, which the shell gets back.
  const umask = Deno.umask(0o077);
  const login: Login = { called, invocation, hasPerson: isPersonThere(invocation), umask };
  let settings: LoginSettings = DEFAULTS;
  let shell: RealShell | undefined;
  try {
    surviveFileSizeLimit();
    const places = paths();
    settings = settingsOrDefaults(places.config);
    shell = shellOrAnother(settings, places.shells, ownAccount()?.name ?? "");
    if (login.hasPerson) await openForPerson(login, places, settings, shell);
    else openForCommand(login, places, shell);
  } catch (error) {
    if (error instanceof Error && ["NoTicketError", "SilenceError"].includes(error.name)) {
      tell(`\nsrvaudit: ${error.message}: goodbye\n`);
      Deno.exit(1);
    }
    fail(error, login, settings, shell);
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

/** With somebody to ask: a ticket, then the shell. */
async function openForPerson(
  login: Login,
  places: Paths,
  settings: LoginSettings,
  shell: RealShell,
): Promise<void> {
  const session = currentSession(places.spool, variable("SRVAUDIT_SESSION"));
  if (session) becomeRecorded(session.id, login, places, shell);
  if (settings.showBanner) tell(BANNER);
  const ticket = await ticketOrFailure(settings);
  const id = openSession(places, {
    mode: "interactive",
    shell: shell.path,
    ticket,
    tty: terminalOf(0) ?? "",
    command: login.invocation.command,
  });
  becomeRecorded(id, login, places, shell);
}

/** The ticket's key; or null where tickets cannot be had now and the policy lets her in without: on record all the same. */
async function ticketOrFailure(settings: LoginSettings): Promise<string | null> {
  const [{ LocalDesk }, { askForTicket, ticketLine }] = await Promise.all([
    import("../desk/local_desk.ts"),
    import("./ticket_dialogue.ts"),
  ]);
  using desk = new LocalDesk();
  try {
    const ticket = await askForTicket(desk);
    tell(`Ticket ${ticketLine(ticket)}\n`);
    return ticket.key;
  } catch (error) {
    if (!(error instanceof TrackerUnavailableError) || settings.onFailure === "deny") throw error;
    tell(`srvaudit: ${visible(error.message)}; this session is recorded, without a ticket\n`);
    return null;
  }
}

function becomeRecorded(session: string, login: Login, places: Paths, shell: RealShell): never {
  const text = recordedText(login.invocation);
  const commandFile = text === undefined ? {} : { commandFile: recordCommand(places, session, shell, text) };
  become(shell, login, { paths: places, session, ...commandFile });
}

/** Without: nobody can be asked; the command goes on record and runs. */
function openForCommand(login: Login, places: Paths, shell: RealShell): never {
  const session = currentSession(places.spool, variable("SRVAUDIT_SESSION"));
  const text = recordedText(login.invocation);
  const id = session?.id ?? openSession(places, {
    mode: "command",
    shell: shell.path,
    ticket: null,
    tty: "",
    command: text,
  });
  const { forcesInteractive } = login.invocation;
  // What `hello -i` reads is recorded line by line.
  const command = forcesInteractive && text === undefined
    ? {}
    : { commandFile: recordCommand(places, id, shell, text) };
  tidySpool(places);
  // On a terminal there may be shells within, whose hooks record what is typed there; and `-i` is such a shell itself.
  const forHooks = Deno.stdin.isTerminal() || forcesInteractive ? { session: id } : {};
  become(shell, login, { paths: places, ...command, ...forHooks });
}

function become(shell: RealShell, login: Login, recording: Recording | undefined): never {
  Deno.umask(login.umask);
  becomeShell(shell, login.invocation, login.called, recording);
}

/** A real shell that cannot be had is said, and another taken: nobody's record hangs on it. */
function shellOrAnother(settings: LoginSettings, mapFile: string, user: string): RealShell {
  try {
    return realShell(settings, mapFile, user);
  } catch (error) {
    if (settings.onFailure === "deny") throw error;
    const shell = anyShell(settings.defaultShell);
    tell(`srvaudit: ${visible(messageOf(error))}; going on with ${visible(shell.path)}\n`);
    return shell;
  }
}

/** A broken config must not keep anybody out, unless its one readable line says so. */
function settingsOrDefaults(file: string): LoginSettings {
  try {
    return loginSettings(file);
  } catch (error) {
    let denies = false;
    try {
      denies = /^\s*onFailure=["']?deny\b/m.test(Deno.readTextFileSync(file));
    } catch {
      // Not readable at all: then it says nothing.
    }
    if (denies) {
      tell(`srvaudit: ${visible(messageOf(error))}; onFailure="deny": no shell\n`);
      Deno.exit(1);
    }
    tell(`srvaudit: ${visible(messageOf(error))}; going on with the defaults\n`);
    return DEFAULTS;
  }
}

/** Something of ours failed: one line, and what the policy says. */
function fail(error: unknown, login: Login, settings: LoginSettings, shell: RealShell | undefined): never {
  const reason = visible(messageOf(error));
  if (settings.onFailure === "deny") {
    tell(`srvaudit: ${reason}; onFailure="deny": no shell\n`);
    Deno.exit(1);
  }
  tell(`srvaudit: ${reason}; this session is NOT recorded\n`);
  const fallback = shell ?? anyShell(ownAccount()?.shell);
  become(fallback, login, undefined);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
