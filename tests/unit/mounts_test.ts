import assert from "node:assert/strict";
import { mayHang, parseMounts } from "../../src/posix/mounts.ts";

const LIST = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:41 / /net/a\\040b rw - nfs4 server:/homes rw,vers=4.2
41 22 0:42 / /mnt rw - xfs /dev/vdb rw
42 41 0:43 / /mnt rw,nosuid master:3 - fuse.sshfs user@there: rw
`;

Deno.test("parseMounts() reads the kernel's list, and what lies on top in one place", () => {
  assert.deepEqual([...parseMounts(LIST)], [["/", "ext4"], ["/net/a b", "nfs4"], ["/mnt", "fuse.sshfs"]]);
  assert.deepEqual([...parseMounts("garbage\n\n")], []);
});

Deno.test("mayHang() finds what may not answer on the way, through links as well, and touches nothing behind it", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(`${folder}/homes/alice`, { recursive: true });
    await Deno.symlink(`${folder}/homes`, `${folder}/absolute`);
    await Deno.symlink("absolute/../homes/alice", `${folder}/relative`);
    await Deno.symlink("loop", `${folder}/loop`);
    const types = new Map([["/", "ext4"], [`${folder}/homes`, "nfs4"], [`${folder}/local`, "xfs"]]);
    for (
      const path of ["homes", "homes/alice/.ash/spool", "absolute/alice", "relative/.ash", "homes/nobody"]
    ) {
      assert.equal(mayHang(`${folder}/${path}`, 0, types), "nfs4", path);
    }
    // A link that is not to be followed leads nowhere.
    assert.equal(mayHang(`${folder}/absolute/alice`, 2, types), undefined);
    assert.equal(mayHang(`${folder}/homes/absolute/x`, 2, types), "nfs4");
    for (const path of ["", "local/bob", "nothing/there", "loop/x"]) {
      assert.equal(mayHang(`${folder}/${path}`, 0, types), undefined, path);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("mayHang() asks the kernel's own list", () => {
  assert.equal(mayHang("/proc/self"), "proc");
});
