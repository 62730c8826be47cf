/** What is put back of several runs: the last one alone, or all of them. */

import assert from "node:assert/strict";
import { applyChanges } from "../../src/install/apply.ts";
import type { Change } from "../../src/install/change.ts";
import { recordBegin, recordFinish } from "../../src/install/journal.ts";
import { forceCommand } from "../../src/install/kinds/force_command.ts";
import { loginShellsChange } from "../../src/install/kinds/login_shells.ts";
import { chooseUsers } from "../../src/install/people.ts";
import { undoAll, undoRun } from "../../src/install/undo.ts";
import { AccountsRoot } from "../support/accounts_root.ts";
import { testThatNeeds } from "../support/needs.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\n" +
  "bob:x:1001:1001::/home/bob:/bin/zsh\n";
const SNIPPET = "/etc/ssh/sshd_config.d/srvaudit.conf";
const FORCED = { kind: forceCommand, about: "User alice", args: { match: "User alice" } };

function hostWithSshd(): AccountsRoot {
  const host = new AccountsRoot(PASSWD);
  Deno.mkdirSync(`${host.path}/etc/ssh/sshd_config.d`, { recursive: true });
  host.write("/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n");
  return host;
}

function shellsOf(host: AccountsRoot, ...names: string[]): Change | undefined {
  return loginShellsChange(host.target, chooseUsers(host.target, { who: "users", names }).users);
}

async function install({ target }: AccountsRoot, run: number, change: Change | undefined): Promise<void> {
  assert.ok(change);
  recordBegin(target, run, "test");
  await applyChanges(target, run, [change]);
  recordFinish(target, run);
}

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
if (Deno.uid() === 0) {
  using host = hostWithSshd();
  await install(host, 1, FORCED);
  await install(host, 2, shellsOf(host, "alice"));
  await undoAll(host.target);
}

testThatNeeds(
  ["root"],
  "sshd's lines that an admin has changed, mended and not confirmed, are as she wrote them; and all of it can go",
  async () => {
    using host = hostWithSshd();
    const listing = host.listing();
    await install(host, 1, FORCED);
    const ours = host.read(SNIPPET);
    const hers = ours.replace("Match User alice\n", "Match User alice,bob\n");
    host.write(SNIPPET, hers);
    await install(host, 2, FORCED);
    assert.equal(host.read(SNIPPET), ours);
    await undoRun(host.target, 2);
    assert.equal(host.read(SNIPPET), hers);
    await install(host, 3, FORCED);
    await undoAll(host.target);
    assert.deepEqual(host.listing(), listing);
  },
);

testThatNeeds(
  ["root"],
  "who gets hello once more, not confirmed, has the shell that she had just before; and the first run can be undone",
  async () => {
    using host = hostWithSshd();
    const chosen = PASSWD.replace("alice:/bin/bash", "alice:/bin/zsh");
    const listing = host.listing().map((line) => line.replace(PASSWD, chosen));
    await install(host, 1, shellsOf(host, "alice"));
    const given = host.read("/etc/passwd");
    host.write("/etc/passwd", chosen);
    await install(host, 2, shellsOf(host, "alice"));
    assert.equal(host.read("/etc/passwd"), given);
    await undoRun(host.target, 2);
    assert.equal(host.read("/etc/passwd"), chosen);
    assert.equal(host.read("/etc/srvaudit/shells"), 'alice="/bin/bash"\n');
    await undoAll(host.target);
    assert.deepEqual(host.listing(), listing);
  },
);

testThatNeeds(["root"], "a run that is not confirmed leaves whom an earlier one gave hello", async () => {
  using host = hostWithSshd();
  await install(host, 1, shellsOf(host, "alice"));
  const listing = host.listing();
  await install(host, 2, shellsOf(host, "alice", "bob"));
  await undoRun(host.target, 2);
  assert.deepEqual(host.listing(), listing);
});
