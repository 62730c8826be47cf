/** What stands in `hello`'s way must not keep the command from running. */

import assert from "node:assert/strict";
import { run } from "../support/run.ts";

const HELLO = new URL("../../dist/hello", import.meta.url).pathname;

/** Runs `hello -c 'echo ok; exit 3'` in a home of its own, behind some shell code. */
async function hello(before: string) {
  const home = await Deno.makeTempDir();
  const script = `${before}\nexec "$0" -c 'echo ok; exit 3'`;
  const env = { HOME: home, SRVAUDIT_ROOT: home, PATH: "/usr/bin:/bin" };
  const finished = await run(["bash", "-c", script, HELLO], { env });
  await run(["chmod", "-R", "u+rwx", home]);
  await Deno.remove(home, { recursive: true });
  return finished;
}

const SPOOL = 'mkdir -m 700 -p "$HOME/.ash/spool"';
const SESSION = '"$HOME/.ash/spool/01ffffff-ffff-7fff-bfff-ffffffffffff.session"';

for (
  const [name, before] of Object.entries({
    "a FIFO in the spool": `${SPOOL}; mkfifo ${SESSION}`,
    "a link to /dev/zero in the spool": `${SPOOL}; ln -s /dev/zero ${SESSION}`,
    "a folder by a session's name in the spool": `${SPOOL}; mkdir ${SESSION}`,
    "a session as large as a disk": `${SPOOL}; truncate -s 40G ${SESSION}`,
    "a umask that closes every file": "umask 777",
    "another user's bad line in the map of shells":
      'mkdir -p "$HOME/etc/srvaudit"; echo "somebody else" > "$HOME/etc/srvaudit/shells"',
  })
) {
  Deno.test(`hello -c runs its command, and records it, with ${name}`, async () => {
    const { code, text, errors } = await hello(before);
    assert.deepEqual({ code, text, errors }, { code: 3, text: "ok\n", errors: "" });
  });
}

for (
  const [name, before, reason] of [
    ["no file that may grow", "ulimit -f 0", /too large|NOT recorded/i],
    ["a spool that is a file", 'mkdir -m 700 "$HOME/.ash"; : > "$HOME/.ash/spool"', /spool/],
    [
      "a real shell that is not there",
      'mkdir -p "$HOME/etc/srvaudit"; echo "$(id -un)=/nowhere" > "$HOME/etc/srvaudit/shells"; ' +
      'echo defaultShell=/nowhere > "$HOME/etc/srvaudit/config"',
      /\/nowhere/,
    ],
  ] as const
) {
  Deno.test(`hello -c runs its command, and says so in one line, with ${name}`, async () => {
    const { code, text, errors } = await hello(before);
    assert.deepEqual({ code, text }, { code: 3, text: "ok\n" });
    assert.match(errors, reason);
    assert.match(errors, /^srvaudit: [^\n]+\n$/);
  });
}

Deno.test('hello -c refuses, and names the cause, with a spool that is a file and onFailure="deny"', async () => {
  const { code, text, errors } = await hello(
    'mkdir -m 700 "$HOME/.ash"; : > "$HOME/.ash/spool"; mkdir -p "$HOME/etc/srvaudit"\n' +
      'echo onFailure=deny > "$HOME/etc/srvaudit/config"',
  );
  assert.deepEqual({ code, text }, { code: 1, text: "" });
  assert.match(errors, /^srvaudit: [^\n]*spool[^\n]*; onFailure="deny": no shell\n$/);
});

Deno.test('hello -c refuses with a config that is broken elsewhere and says onFailure="deny"', async () => {
  const { code, text, errors } = await hello(
    'mkdir -p "$HOME/etc/srvaudit"; printf \'what?\\nonFailure="deny"\\n\' > "$HOME/etc/srvaudit/config"',
  );
  assert.deepEqual({ code, text }, { code: 1, text: "" });
  assert.match(errors, /^srvaudit: [^\n]*config: line 1: [^\n]*; onFailure="deny": no shell\n$/);
});
