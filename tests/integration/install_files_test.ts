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
        "./usr/lib/srvaudit/snippets/bashrc.bash 644",
        "./usr/lib/srvaudit/defaults/config 644",
        "./usr/lib/srvaudit/defaults/mask 644",
        "./usr/lib/systemd/system/srvaudit.service 644",
        "./usr/lib/tmpfiles.d/srvaudit.conf 644",
        "./etc/logrotate.d/srvaudit 644",
        "./usr/lib/srvaudit/init/srvaudit 755",
        "./usr/share/man/man1/ash_query.1.gz 644",
        "./usr/share/man/man1/hello.1.gz 644",
        "./usr/share/man/man1/hello-srvaudit.1.gz 777",
        "./usr/share/bash-completion/completions/saticket 644",
        "./usr/share/fish/vendor_completions.d/saticket.fish 644",
      ]
    ) assert.ok(first.includes(`\n${wanted} `), `not installed: ${wanted}\n${first}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the manifest names every file and link that was placed, and no other, with modes and sums", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await succeed([SCRIPT, folder, "/usr"]);
    const manifest = await Deno.readTextFile(`${folder}/usr/lib/srvaudit/manifest`);
    const lines = manifest.split("\n").filter(Boolean);
    for (const line of lines) {
      const [type, mode, what, path] = line.split("\t");
      if (type === "link") {
        assert.equal(await Deno.readLink(`${folder}${path}`), what);
        continue;
      }
      assert.equal((await succeed(["sha256sum", `${folder}${path}`])).slice(0, 64), what);
      assert.equal(((await Deno.stat(`${folder}${path}`)).mode ?? 0).toString(8).slice(-3), mode);
    }
    const placed = (await succeed(["find", folder, "(", "-type", "f", "-o", "-type", "l", ")"])).split("\n")
      .filter(Boolean).map((path) => path.slice(folder.length));
    assert.deepEqual(
      [...lines.map((line) => line.split("\t")[3]), "/usr/lib/srvaudit/manifest"].sort(),
      placed.sort(),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what is placed is srvAudit's alone: no startup file of a shell, no config", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await succeed([SCRIPT, folder, "/usr", "any"]);
    const etc = (await succeed(["find", `${folder}/etc`, "-type", "f"])).split("\n").filter(Boolean);
    assert.deepEqual(etc.map((path) => path.slice(folder.length)).sort(), [
      "/etc/logrotate.d/srvaudit",
      "/etc/profile.d/srvaudit.sh",
    ]);
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
