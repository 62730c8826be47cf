import assert from "node:assert/strict";
import { run, succeed } from "../support/run.ts";

const SCRIPT = new URL("../../packaging/install_files.sh", import.meta.url).pathname;

/** Every file below a folder: its path, mode, and text, or where it points to. */
async function tree(folder: string): Promise<string> {
  return await succeed([
    "sh",
    "-c",
    'cd "$1" && find . \\( -type f -o -type l \\) -printf "%p %m %l " -exec sh -c \'test -L "$1" || sha256sum < "$1"; echo\' sh {} \\; | sort',
    "sh",
    folder,
  ]);
}

Deno.test("make install puts every program where it is found, and a second time changes nothing", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await succeed([SCRIPT, folder, "/usr"]);
    const first = await tree(folder);
    await succeed([SCRIPT, folder, "/usr"]);
    assert.equal(await tree(folder), first);
    for (const program of ["srvaudit", "saticket", "ash_query", "hello-srvaudit"]) {
      assert.match(await Deno.realPath(`${folder}/usr/bin/${program}`), /\/usr\/lib\/srvaudit\/srvaudit$/);
    }
    for (
      const wanted of [
        "./usr/lib/srvaudit/hello 777 srvaudit",
        "./usr/lib/srvaudit/shell/srvaudit.bash 644",
        "./usr/lib/srvaudit/shell/srvaudit.zsh 644",
        "./usr/lib/srvaudit/shell/srvaudit.fish 644",
        "./usr/lib/srvaudit/queries 644",
        "./etc/profile.d/srvaudit.sh 644",
        "./etc/fish/config.fish 644",
        "./etc/srvaudit/config 640",
        "./etc/srvaudit/mask 640",
        "./usr/lib/systemd/system/srvaudit.service 644",
        "./usr/lib/tmpfiles.d/srvaudit.conf 644",
        "./etc/logrotate.d/srvaudit 644",
        "./usr/lib/srvaudit/init/srvaudit 755",
        "./usr/share/man/man1/ash_query.1 644",
        "./usr/share/man/man1/hello.1 644",
        "./usr/share/man/man1/hello-srvaudit.1 777",
        "./usr/share/bash-completion/completions/saticket 644",
        "./usr/share/fish/vendor_completions.d/saticket.fish 644",
      ]
    ) assert.ok(first.includes(`\n${wanted} `), `not installed: ${wanted}\n${first}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("make install keeps what an admin wrote: the config, and their lines in the shells' startup files", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const bashrc = `${folder}/etc/bash.bashrc`;
    await Deno.mkdir(`${folder}/etc/srvaudit`, { recursive: true });
    await Deno.writeTextFile(`${folder}/etc/srvaudit/config`, 'redmineKey="KEY"\n');
    await Deno.writeTextFile(bashrc, "# before\n", { mode: 0o600 });
    await succeed([SCRIPT, folder, "/usr"]);
    await Deno.writeTextFile(bashrc, "# after\n", { append: true });
    await succeed([SCRIPT, folder, "/usr"]);
    const text = await Deno.readTextFile(bashrc);
    assert.match(text, /^# before\n# after\n# >>> srvaudit >>>\n[^]*# <<< srvaudit <<<\n$/);
    assert.equal(text.match(/>>> srvaudit >>>/g)?.length, 1);
    assert.equal(((await Deno.stat(bashrc)).mode ?? 0) & 0o777, 0o600);
    assert.equal(await Deno.readTextFile(`${folder}/etc/srvaudit/config`), 'redmineKey="KEY"\n');
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("make install to another PREFIX: what is installed speaks of that one", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await succeed([SCRIPT, folder, "/usr/local"]);
    assert.equal(
      (await run(["grep", "-rIl", "/usr/lib/srvaudit", `${folder}/etc`, `${folder}/usr/local/lib`])).text,
      "",
    );
    await Deno.stat(`${folder}/usr/local/lib/srvaudit/srvaudit`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
