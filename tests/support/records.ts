/** What is on record for a user of a test host, as the user's own `ash_query` tells it. */

import assert from "node:assert/strict";
import type { TestHost, TestUser } from "./sshd.ts";

/** A login session. */
export interface RecordedSession {
  id: string;
  user: string;
  uid: number;
  mode: "interactive" | "command";
  tty: string;
  from: string;
  shell: string;
  /** What `hello -c` was given. */
  command: string | null;
  /** The ticket that it was on last. */
  ticket: string | null;
  /** How it ended; null while it is open. */
  how: "logout" | "hangup" | "killed" | null;
  exitCode: number | null;
  /** Notes and statuses, in order: what was written or set. */
  said: string[];
}

/** One shell. */
export interface RecordedShell {
  shell: string;
  /** The login session that it belongs to. */
  session: string | null;
  tty: string;
  shellLevel: number;
  exitCode: number | null;
  commands: RecordedCommand[];
}

/** One command. */
export interface RecordedCommand {
  text: string;
  textState: string;
  directory: string;
  /** Null if nobody saw its end. */
  exitCode: number | null;
  /** The exit code of each part of the pipeline, joined by `_`. */
  pipeStates: string;
}

/** Asks the history in SQL. @returns the rows in JSON */
type Ask = (sql: string) => Promise<string>;

/** Reads all login sessions, oldest first. */
export async function sessionsFrom(ask: Ask): Promise<RecordedSession[]> {
  const rows = JSON.parse(
    await ask(`
      select id, user, uid, mode, tty, from_address as "from", shell, command, how_closed as how,
        exit_code as "exitCode",
        (select ticket from srvaudit_tickets where login_session = id order by since_us desc limit 1) as ticket
      from srvaudit_sessions order by id`),
  );
  const events: { session: string; said: string }[] = JSON.parse(
    await ask(`
      select login_session as session, coalesce(text, to_value) as said from srvaudit_events
      where kind in ('note', 'status') order by id`),
  );
  return rows.map((row: RecordedSession) => ({
    ...row,
    said: events.filter((event) => event.session === row.id).map((event) => event.said),
  }));
}

/** Reads all shells, in the order of their starts. */
export async function shellsFrom(ask: Ask): Promise<RecordedShell[]> {
  const shells: (RecordedShell & { id: number })[] = JSON.parse(
    await ask(`
      select s.id, x.version as shell, x.login_session as session, s.tty, x.shell_level as "shellLevel",
        x.exit_code as "exitCode"
      from sessions s join srvaudit_shells x on x.session_id = s.id order by x.start_us`),
  );
  const commands: (RecordedCommand & { shell: number })[] = JSON.parse(
    await ask(`
      select c.session_id as shell, c.command as text, x.text_state as "textState", c.cwd as directory,
        case when x.end_us is null then null else c.rval end as "exitCode", c.pipe_vals as "pipeStates"
      from commands c join srvaudit_commands x on x.command_id = c.id order by c.session_id, c.command_no`),
  );
  return shells.map(({ id, ...shell }) => ({
    ...shell,
    commands: commands.filter((command) => command.shell === id).map(({ shell: _, ...command }) => command),
  }));
}

/** All commands that are on record for the user, whichever shell ran them. */
export async function commands(host: TestHost, user: TestUser): Promise<RecordedCommand[]> {
  return (await host.shells(user)).flatMap((shell) => shell.commands);
}

/** Text and exit code of each command, but for the `exit` that ends a shell before it can say how. */
export function summary(list: readonly RecordedCommand[]): [string, number | null][] {
  return list.filter(({ text }) => !/^exit\b/.test(text)).map(({ text, exitCode }) => [text, exitCode]);
}

/** The one session of a user who logged in once. */
export async function onlySession(host: TestHost, user: TestUser): Promise<RecordedSession> {
  const [session, ...others] = await host.sessions(user);
  assert.ok(session, "no session is on record");
  assert.deepEqual(others, []);
  return session;
}
