/** Short ways to ask what is on record. */

import assert from "node:assert/strict";
import type { LoginSession } from "../../src/record/login_session.ts";
import type { RecordedCommand, TestHost, TestUser } from "./sshd.ts";

/** All commands that are on record for the user, whichever shell ran them. */
export function commands(host: TestHost, user: TestUser): RecordedCommand[] {
  return host.shells(user).flatMap((shell) => shell.commands);
}

/** Text and exit code of each command, but for the `exit` that ends a shell before it can say how. */
export function summary(list: readonly RecordedCommand[]): [string, number | undefined][] {
  return list.filter(({ text }) => !/^exit\b/.test(text)).map(({ text, exitCode }) => [text, exitCode]);
}

/** The one session of a user who logged in once. */
export function onlySession(host: TestHost, user: TestUser): LoginSession {
  const sessions = host.sessions(user);
  assert.equal(sessions.length, 1, `sessions on record: ${sessions.length}`);
  const [session] = sessions;
  assert.ok(session);
  return session;
}

/**
 * How the one command of a session ended: as its closing says, or as the shell that ran it put on record at its end.
 *
 * @returns the exit code, or undefined if nothing on record knows it
 */
export function exitCodeOf(host: TestHost, user: TestUser, session: LoginSession): number | undefined {
  const shell = host.shells(user).find((shell) => shell.session === session.id && shell.commands.length > 0);
  const [command] = shell?.commands ?? [];
  if (command) assert.equal(command.text, session.opened.command);
  return session.closed?.exitCode ?? shell?.exitCode ?? command?.exitCode;
}
