import assert from "node:assert/strict";
import { giveShellsBack } from "../../src/install/give_shells_back.ts";
import { rescueCommand } from "../../src/install/rescue.ts";
import { AccountsRoot } from "../support/accounts_root.ts";

const HELLO = "/usr/bin/hello-srvaudit";
const BEGIN = "# >>> srvaudit >>>\n";
const END = "# <<< srvaudit <<<\n";

/** One user for each of these shells: u0, u1, ... */
function users(shells: readonly string[]): string {
  return shells.map((shell, i) => `u${i}:x:${1000 + i}:100::/home/u${i}:${shell}\n`).join("");
}

function shellsIn(root: AccountsRoot): string[] {
  return root.read("/etc/passwd").trimEnd().split("\n").map((line) => line.split(":")[6] ?? "");
}

function rescue(root: AccountsRoot, request: { users?: string[]; hooks?: boolean } = {}): Promise<number> {
  return rescueCommand({ users: [], hooks: false, ...request, root: root.path });
}

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
{
  using root = new AccountsRoot(users([HELLO]));
  giveShellsBack(root.target);
}

Deno.test("rescue finds hello by whatever path it was given, and leaves all other shells as they are", async () => {
  const hellos = [
    HELLO,
    "/usr/lib/srvaudit/hello",
    "/srv/audit/hello",
    "/opt/srvaudit/lib/srvaudit/hello",
    "/opt/link",
  ];
  using root = new AccountsRoot(
    users([...hellos, "/usr/bin/zsh", "/usr/sbin/nologin", "", "/gone/bash"]) + "+::::::\n",
  );
  Deno.mkdirSync(`${root.path}/opt`);
  Deno.symlinkSync(HELLO, `${root.path}/opt/link`);
  Deno.symlinkSync("../lib/srvaudit/srvaudit", `${root.path}${HELLO}`);
  Deno.mkdirSync(`${root.path}/usr/lib/srvaudit`, { recursive: true });
  const others = ["/usr/bin/zsh", "/usr/sbin/nologin", "", "/gone/bash", ""];
  assert.equal(await rescue(root), 0);
  assert.deepEqual(shellsIn(root), [...hellos.map(() => "/bin/bash"), ...others]);
  const after = root.listing();
  assert.equal(await rescue(root), 0, "and again");
  assert.deepEqual(root.listing(), after);
});

Deno.test("each gets the shell that the journal has, else hello's map, else bash, else sh: one that is there", () => {
  using root = new AccountsRoot(users(Array(6).fill(HELLO)));
  root.program(HELLO);
  const recorded = [["u0", ""], ["u1", "/usr/bin/fish"], ["u2", "/gone/zsh"], ["u3", HELLO]];
  const args = { users: recorded.map(([name, from]) => ({ name, from })), to: HELLO };
  Deno.mkdirSync(`${root.path}/var/lib/srvaudit`);
  root.write(
    "/var/lib/srvaudit/install.journal",
    `not json\n${JSON.stringify({ kind: "login shells", args })}\n{"`,
  );
  root.write("/etc/srvaudit/shells", 'u0="/usr/bin/zsh"\nu4="/usr/bin/zsh"\nu5="\n');
  root.write("/etc/srvaudit/config", "what is this");
  giveShellsBack(root.target);
  assert.deepEqual(shellsIn(root), [
    "",
    "/usr/bin/fish",
    "/bin/bash",
    "/bin/bash",
    "/usr/bin/zsh",
    "/bin/bash",
  ]);
  root.write("/etc/passwd", users([HELLO, HELLO]));
  for (const shell of ["bash", "fish"]) Deno.removeSync(`${root.path}/usr/bin/${shell}`);
  assert.deepEqual(giveShellsBack(root.target).given.map(({ shell }) => shell), ["", "/bin/sh"]);
});

Deno.test("rescue goes on where map, journal and config are not even files", () => {
  using root = new AccountsRoot(users([HELLO]));
  for (const name of ["etc/srvaudit/shells", "etc/srvaudit/config", "var/lib/srvaudit/install.journal"]) {
    Deno.mkdirSync(`${root.path}/${name}`, { recursive: true });
  }
  assert.deepEqual(giveShellsBack(root.target), { given: [{ name: "u0", shell: "/bin/bash" }], notes: [] });
});

Deno.test("rescue does without a lock that cannot be had, and says so", () => {
  using root = new AccountsRoot(users([HELLO]));
  Deno.removeSync(`${root.path}/etc/.pwd.lock`);
  Deno.mkdirSync(`${root.path}/etc/.pwd.lock`);
  const { given, notes } = giveShellsBack(root.target);
  assert.deepEqual(given, [{ name: "u0", shell: "/bin/bash" }]);
  assert.match(notes.join(), /\.pwd\.lock cannot be opened: .*; passwd was written all the same/);
});

Deno.test("who is named gets a shell, also for one that is not there; all else stays, and who is unknown is an error", async () => {
  using root = new AccountsRoot(users([HELLO, HELLO, "/gone/zsh", "/usr/bin/zsh"]));
  Deno.mkdirSync(`${root.path}/etc/ssh/sshd_config.d`, { recursive: true });
  const match = `${BEGIN}Match User u1\n    ForceCommand exec ${HELLO} --forced\nMatch all\n${END}`;
  root.write("/etc/ssh/sshd_config.d/srvaudit.conf", match);
  assert.equal(await rescue(root, { users: ["u1", "u2", "u3"] }), 0);
  assert.deepEqual(shellsIn(root), [HELLO, "/bin/bash", "/bin/bash", "/usr/bin/zsh"]);
  assert.equal(root.read("/etc/ssh/sshd_config.d/srvaudit.conf"), match);
  assert.equal(await rescue(root, { users: ["u0", "nobody"] }), 1);
  assert.deepEqual(shellsIn(root)[0], "/bin/bash");
});

Deno.test("rescue takes what sshd is forced by away: the file of ours, and the block in sshd_config", async () => {
  using root = new AccountsRoot(users(["/bin/bash"]));
  Deno.mkdirSync(`${root.path}/etc/ssh/sshd_config.d`, { recursive: true });
  const match = `${BEGIN}Match User u1\n    ForceCommand exec ${HELLO} --forced\nMatch all\n${END}`;
  root.write("/etc/ssh/sshd_config.d/srvaudit.conf", match);
  root.write("/etc/ssh/sshd_config", `UsePAM yes\n${match}# hers\n`);
  assert.equal(await rescue(root), 0);
  assert.deepEqual([...Deno.readDirSync(`${root.path}/etc/ssh/sshd_config.d`)], []);
  assert.equal(root.read("/etc/ssh/sshd_config"), "UsePAM yes\n# hers\n");
  // By hand, in a way of her own.
  root.write("/etc/ssh/sshd_config", `Match User u1\n  ForceCommand ${HELLO} -l\n`);
  assert.equal(await rescue(root), 1);
});

Deno.test("with --hooks the startup files are without our lines, links followed below the root alone", async () => {
  using root = new AccountsRoot(users(["/bin/bash"]));
  const block = `${BEGIN}. /usr/lib/srvaudit/shell/srvaudit.bash\n${END}`;
  Deno.mkdirSync(`${root.path}/etc/zsh`);
  Deno.mkdirSync(`${root.path}/etc/profile.d`);
  root.write("/etc/real_bashrc", `umask 022\n${block}alias ll=ls\n${block}`);
  Deno.symlinkSync("/etc/real_bashrc", `${root.path}/etc/bash.bashrc`);
  root.write("/etc/zsh/zshrc", `\xe9\n${block}`);
  root.write("/etc/profile.d/srvaudit.sh", "");
  root.write("/etc/zsh/zshenv", `${BEGIN}nobody knows where this ends\n`);
  assert.equal(await rescue(root), 0, "without --hooks they stay");
  assert.ok(root.read("/etc/zsh/zshrc").includes(block));
  assert.equal(await rescue(root, { hooks: true }), 1);
  assert.equal(root.read("/etc/real_bashrc"), "umask 022\nalias ll=ls\n");
  assert.equal(Deno.readLinkSync(`${root.path}/etc/bash.bashrc`), "/etc/real_bashrc");
  assert.equal(root.read("/etc/zsh/zshrc"), "\xe9\n");
  assert.equal(root.read("/etc/zsh/zshenv"), `${BEGIN}nobody knows where this ends\n`, "an editor's work");
  assert.deepEqual([...Deno.readDirSync(`${root.path}/etc/profile.d`)], []);
});

Deno.test("where there is no passwd, rescue says that no disk is mounted there", async () => {
  using root = new AccountsRoot("");
  Deno.removeSync(`${root.path}/etc/passwd`);
  assert.equal(await rescue(root), 1);
  assert.throws(() => giveShellsBack(root.target), /is the host's disk mounted at .*accounts_root/);
});
