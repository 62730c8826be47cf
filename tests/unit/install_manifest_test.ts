import assert from "node:assert/strict";
import { sampleOf } from "../../src/install/choose.ts";
import { parseManifest, releaseOf } from "../../src/install/manifest.ts";

const SUM = "0".repeat(64);
const MANIFEST =
  `file\t755\t${SUM}\t/usr/lib/srvaudit/srvaudit\nlink\t-\t../lib/srvaudit/hello\t/usr/bin/hello-srvaudit\n`;

Deno.test("a manifest says what is placed, with which mode and sum, and where links point to", () => {
  assert.deepEqual(parseManifest(MANIFEST), [
    { type: "file", path: "/usr/lib/srvaudit/srvaudit", mode: 0o755, sha256: SUM },
    { type: "link", path: "/usr/bin/hello-srvaudit", to: "../lib/srvaudit/hello" },
  ]);
});

Deno.test("a manifest that names what it must not is refused: a path that leads elsewhere, a mode or sum that is none", () => {
  for (
    const line of [
      `file\t755\t${SUM}\tusr/bin/x`,
      `file\t755\t${SUM}\t/usr/../etc/passwd`,
      `file\t755\t${SUM}\t/usr//x`,
      `file\t755\t${SUM}\t/usr/./x`,
      `file\t755\t${SUM}\t/usr/`,
      `file\t4755\t${SUM}\t/usr/bin/x`,
      `file\t755\tno sum\t/usr/bin/x`,
      `folder\t755\t-\t/usr/bin`,
      "link\t-\t\t/usr/bin/x",
    ]
  ) assert.throws(() => parseManifest(`${line}\n`), /says nothing/, line);
});

Deno.test("a program knows the release that it was unpacked with, or that it is the installed one", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const library = `${folder}/usr/lib/srvaudit`;
    await Deno.mkdir(library, { recursive: true });
    assert.equal(releaseOf(`${library}/srvaudit`), undefined);
    await Deno.writeTextFile(`${library}/manifest`, MANIFEST);
    const release = releaseOf(`${library}/srvaudit`);
    assert.deepEqual([release?.root, release?.library], [folder, "/usr/lib/srvaudit"]);
    // A manifest of another program's is none of its own.
    await Deno.writeTextFile(
      `${library}/manifest`,
      MANIFEST.replaceAll("/usr/lib/srvaudit/", "/opt/lib/srvaudit/"),
    );
    assert.equal(releaseOf(`${library}/srvaudit`), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("hello is tried out as twenty users at most, and as one of each shell at least", () => {
  const users = Array.from({ length: 10_000 }, (_, i) => ({ name: `user${i}`, shell: "/bin/bash" }));
  const zsh = { name: "zoe", shell: "/bin/zsh" };
  const sample = sampleOf([...users, zsh]);
  assert.equal(sample.length, 20);
  assert.ok(sample.includes(zsh));
  assert.deepEqual(sampleOf([zsh]), [zsh]);
  const many = Array.from({ length: 30 }, (_, i) => ({ name: `user${i}`, shell: `/bin/shell${i}` }));
  assert.equal(sampleOf(many).length, 30);
});
