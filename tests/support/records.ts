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
