import assert from "node:assert/strict";
import { testThatNeeds } from "../support/needs.ts";
import { run } from "../support/run.ts";
import { TestHost } from "../support/sshd.ts";

testThatNeeds(["root", "sshd"], "the test host lets a user in and leaves nothing behind", async () => {
  let name: string;
  let folder: string;
  {
    await using host = await TestHost.start({ sshd: ["MaxSessions 3"] });
    const user = await host.addUser("/bin/bash");
    ({ folder } = host);
    ({ name } = user);
    const who = await host.ssh(user, ["id -un; echo oops >&2; cat; exit 7"], { stdin: "hello\n" });
    assert.deepEqual(
      { code: who.code, text: who.text, errors: who.errors },
      { code: 7, text: `${user.name}\nhello\n`, errors: "oops\n" },
      host.log,
    );
    assert.match(await Deno.readTextFile(`${user.home}/.bashrc`), /bash/);
    assert.equal((await host.as(user, ["id", "-un"])).text, `${user.name}\n`);
    assert.deepEqual(await host.sessions(user), []);
    // Left running on purpose.
    await host.ssh(user, ["sleep 1000 > /dev/null 2>&1 < /dev/null &"]);
  }
  assert.equal((await run(["getent", "passwd", name])).text, "");
  assert.equal((await run(["grep", "-F", folder, "/etc/shells"])).text, "");
  await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
});

testThatNeeds(["root", "sshd"], "an installed test host is a machine of its own", async () => {
  let name: string;
  {
    await using host = await TestHost.start({ installed: true });
    const user = await host.addUser("/bin/bash");
    ({ name } = user);
    const seen = await host.ssh(user, ["id -un; readlink -f /usr/bin/saticket; echo here > file"]);
    assert.deepEqual([seen.text, seen.errors], [`${name}\n/usr/lib/srvaudit/srvaudit\n`, ""]);
    assert.equal(await Deno.readTextFile(`${user.files}/file`), "here\n");
    assert.equal((await host.as(user, ["cat", "file"])).text, "here\n");
    assert.equal((await run(["getent", "passwd", name])).text, "");
  }
  await assert.rejects(Deno.stat("/usr/lib/srvaudit"), Deno.errors.NotFound);
});
