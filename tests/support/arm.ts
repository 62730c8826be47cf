/**
 * Gives a user `hello` as the installer does, after the guardian was armed: the tests run it in a copy of the machine.
 *
 *     deno run -A tests/support/arm.ts NAME SECONDS [killed]
 *
 * `killed`: it kills itself at the end of that, where the installer would say more.
 */

import { applyChanges } from "../../src/install/apply.ts";
import { detectTarget } from "../../src/install/detect.ts";
import { readJournal, recordBegin, recordFinish } from "../../src/install/journal.ts";
import { loginShellsChange } from "../../src/install/kinds/login_shells.ts";
import { lockInstaller } from "../../src/install/preflight.ts";
import { arm } from "../../src/install/safety.ts";
import { localAccounts } from "../../src/posix/accounts.ts";

const [name = "", seconds = "", isKilled] = Deno.args;
const target = detectTarget("", "/usr/lib/srvaudit/srvaudit");
const lock = lockInstaller(target);
const run = readJournal(target).lastRun + 1;
recordBegin(target, run, "test");
await arm(target, run, Number(seconds));
const change = loginShellsChange(target, localAccounts("/etc/passwd").filter((user) => user.name === name));
if (!change) throw new Error(`${name} has hello already`);
await applyChanges(target, run, [change]);
console.log(`armed ${run}`);
if (isKilled) Deno.kill(Deno.pid, "SIGKILL");
recordFinish(target, run);
lock[Symbol.dispose]();
