/** The SELinux module: that it compiles, what it allows in a real policy, and that the installer loads it and takes it away. */

import assert from "node:assert/strict";
import { debianPolicy, type Policy } from "../support/selinux_policy.ts";
import { run, succeed } from "../support/run.ts";
import { testThatNeeds } from "../support/needs.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
const BUILD = `${PROJECT}packaging/selinux/build.sh`;
const MACHINE = `${PROJECT}tests/support/machine.sh`;
const COMPILERS = ["checkmodule", "semodule_package"];
const READERS = ["semodule", "sesearch", "matchpathcon", "apt-get", "dpkg-deb"];

testThatNeeds(COMPILERS, "the SELinux module compiles, the same each time, for RHEL 8 too", async () => {
  await withFolder(async (folder) => {
    await succeed([BUILD, `${folder}/a`]);
    await succeed([BUILD, `${folder}/b`]);
    const bytes = await Deno.readFile(`${folder}/a/srvaudit.pp`);
    assert.deepEqual(bytes, await Deno.readFile(`${folder}/b/srvaudit.pp`));
    // Behind its name a module has its type (2: no base), and then its format: libsepol 2.9 reads up to 19.
    const name = "SE Linux Module";
    const at = new TextDecoder("latin1").decode(bytes).indexOf(name) + name.length;
    const view = new DataView(bytes.buffer);
    assert.deepEqual([view.getUint32(at, true), view.getUint32(at + 4, true)], [2, 19]);
  });
});

testThatNeeds(
  ["root", ...COMPILERS, ...READERS],
  "a policy with the module lets users log in to hello, reach the agent, and read no evidence",
  async (test) => {
    await withFolder(async (folder) => {
      await succeed([BUILD, folder]);
      const policy = await debianPolicy(folder);
      await test.step("the installer's change loads it, finds it done, and takes it away", () =>
        changeIsMade(folder));
      await policy.add(`${folder}/srvaudit.pp`);
      await test.step("each path has its label", () => pathsAreLabelled(policy));
      await test.step("every domain that people log in to may enter hello", () => usersMayEnter(policy));
      await test.step("confined users reach the agent, and add to what is recorded", () =>
        usersReach(policy));
      await test.step("evidence is root's, and secrets no service's", () => evidenceIsRoots(policy));
      await test.step("systemd may start the agent in its domain, and rotate its log", () =>
        systemMayServe(policy));
    });
  },
);

/** In a copy of this machine that has the policy, as `srvaudit install` does it. No SELinux in the kernel: labels stay as they are. */
async function changeIsMade(folder: string): Promise<void> {
  const script = `
    import { selinuxModule } from "${PROJECT}src/install/kinds/selinux.ts";
    const target = { root: "", family: "redhat", init: "systemd", hasSelinux: true, library: "/usr/lib/srvaudit", hello: "/usr/bin/hello-srvaudit" } as const;
    const args = { module: "${folder}/srvaudit.pp" };
    const before = await selinuxModule.before(target, args);
    const said = [before, await selinuxModule.isDone(target, args)];
    await selinuxModule.apply(target, args);
    said.push(await selinuxModule.isDone(target, args), (await selinuxModule.before(target, args)).had);
    await selinuxModule.undo(target, args, before);
    said.push(await selinuxModule.isDone(target, args), await selinuxModule.before(target, args));
    Deno.removeSync("/usr/sbin/semodule");
    said.push(await Promise.resolve(selinuxModule.before(target, args)).catch((error) => error.message));
    console.log(JSON.stringify(said));
  `;
  await Deno.writeTextFile(`${folder}/change.ts`, script);
  const inside = 'cp -a "$1/root/etc/selinux/." /etc/selinux/ && mkdir -p /var/lib/selinux && ' +
    'cp -a "$1/root/var/lib/selinux/." /var/lib/selinux/ && shift && exec "$@"';
  const words = ["unshare", "--mount", "--propagation", "private", MACHINE, `${folder}/machine`];
  const deno = [
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    "--config",
    `${PROJECT}deno.json`,
    `${folder}/change.ts`,
  ];
  const env = Object.fromEntries(["DENO_DIR", "HOME"].flatMap((key) => {
    const value = Deno.env.get(key);
    return value === undefined ? [] : [[key, value]];
  }));
  const { text, errors } = await run([
    ...words,
    "sh",
    "-c",
    `mkdir -p /etc/selinux /var/lib/srvaudit && ${inside}`,
    "sh",
    folder,
    ...deno,
  ], {
    env,
  });
  assert.deepEqual(
    JSON.parse(text || `"${errors}"`),
    [
      { had: false },
      false,
      true,
      true,
      false,
      { had: false },
      "SELinux is on here, but semodule is missing: install policycoreutils (dnf install policycoreutils), and run it again",
    ],
    errors,
  );
}

async function pathsAreLabelled(policy: Policy): Promise<void> {
  const labels: [string, string, ("dir" | "file" | "lnk_file" | "sock_file")?][] = [
    ["/usr/lib/srvaudit", "bin_t", "dir"],
    ["/usr/lib/srvaudit/srvaudit", "shell_exec_t"],
    // Just placed, not renamed yet: whoever logs in meanwhile gets in.
    ["/usr/lib/srvaudit/srvaudit.new", "bin_t"],
    ["/usr/lib/srvaudit/hello", "bin_t", "lnk_file"],
    ["/usr/lib/srvaudit/shell/srvaudit.bash", "bin_t"],
    ["/usr/bin/hello-srvaudit", "bin_t", "lnk_file"],
    ["/srv/audit", "bin_t", "dir"],
    ["/srv/audit/hello", "bin_t", "lnk_file"],
    ["/etc/srvaudit", "etc_t", "dir"],
    ["/etc/srvaudit/config", "srvaudit_conf_t"],
    ["/etc/srvaudit/mask", "srvaudit_conf_t"],
    ["/etc/srvaudit/shells", "etc_t"],
    ["/run/srvaudit", "srvaudit_run_t", "dir"],
    ["/var/run/srvaudit/policy.json", "srvaudit_run_t"],
    ["/run/srvaudit/agent.sock", "srvaudit_run_t", "sock_file"],
    ["/var/lib/srvaudit/evidence.db", "srvaudit_var_lib_t"],
    ["/var/spool/srvaudit/1000", "srvaudit_spool_t", "dir"],
    ["/var/log/srvaudit.log", "srvaudit_log_t"],
    ["/var/log/srvaudit.log.2.gz", "srvaudit_log_t"],
  ];
  for (const [path, type, kind] of labels) assert.equal(await policy.typeOf(path, kind), type, path);
}

async function usersMayEnter(policy: Policy): Promise<void> {
  for (const user of ["user_t", "unconfined_t"]) {
    assert.ok((await policy.allowed(user, "shell_exec_t")).has("file entrypoint"), user);
    assert.ok((await policy.allowed(user, "bin_t")).has("file entrypoint"), user);
  }
  // V8's memory, whatever the policy's own switch for it says.
  assert.ok((await policy.allowed("user_t", "user_t")).has("process execmem"));
}

async function usersReach(policy: Policy): Promise<void> {
  const agent = await policy.allowed("user_t", "srvaudit_t");
  assert.ok(agent.has("unix_stream_socket connectto"));
  assert.ok(!agent.has("process ptrace") && !agent.has("process signal"));
  const run = await policy.allowed("user_t", "srvaudit_run_t");
  assert.ok(run.has("sock_file write") && run.has("file read") && run.has("dir search"));
  assert.ok(!run.has("file write") && !run.has("dir add_name"));
  const spool = await policy.allowed("user_t", "srvaudit_spool_t");
  for (const needed of ["file append", "file read", "file open", "dir search"]) {
    assert.ok(spool.has(needed), needed);
  }
  for (
    const denied of [
      "file write",
      "file setattr",
      "file create",
      "file unlink",
      "file rename",
      "dir remove_name",
    ]
  ) {
    assert.ok(!spool.has(denied), denied);
  }
}

/** Who may read files of any kind: root's unconfined domains, and what backs up or compares whole file systems. */
const READS_EVERYTHING =
  /^(files_unconfined_type|aide_t|amanda_t|backup_t|bacula_t|quota_t|samhaind?_t|siggen_t|tripwire_t)$/;

async function evidenceIsRoots(policy: Policy): Promise<void> {
  const readers = async (type: string) => {
    const rules = await policy.rules("-A", "-t", type, "-c", "file", "-p", "read");
    return rules.map((rule) => rule.split(" ")[1] ?? "").filter((source) => !READS_EVERYTHING.test(source))
      .sort();
  };
  assert.deepEqual(await readers("srvaudit_var_lib_t"), ["sysadm_t", "systemd_tmpfiles_t"]);
  // What else guards the config is its mode.
  assert.deepEqual(await readers("srvaudit_conf_t"), ["sysadm_t", "userdomain"]);
}

async function systemMayServe(policy: Policy): Promise<void> {
  const start = await policy.allowed("init_t", "srvaudit_t");
  assert.ok(start.has("process transition") && start.has("process2 nnp_transition"));
  assert.ok((await policy.allowed("srvaudit_t", "shell_exec_t")).has("file entrypoint"));
  // ExecReload= is kill(1).
  assert.ok((await policy.allowed("srvaudit_t", "bin_t")).has("file entrypoint"));
  assert.ok((await policy.allowed("srvaudit_t", "srvaudit_t")).has("process execmem"));
  assert.ok((await policy.allowed("srvaudit_t", "user_home_t")).has("file append"));
  assert.ok((await policy.allowed("logrotate_t", "srvaudit_log_t")).has("file rename"));
  assert.ok((await policy.allowed("logrotate_t", "srvaudit_run_t")).has("file read"));
  assert.ok((await policy.allowed("logrotate_t", "srvaudit_t")).has("process signal"));
  const logs = await policy.rules("-T", "-s", "srvaudit_t", "-t", "var_log_t", "-c", "file");
  assert.deepEqual(logs, ["type_transition srvaudit_t var_log_t:file srvaudit_log_t srvaudit.log;"]);
  const spool = await policy.rules("-T", "-s", "srvaudit_t", "-t", "var_spool_t", "-c", "dir");
  assert.deepEqual(spool, ["type_transition srvaudit_t var_spool_t:dir srvaudit_spool_t srvaudit;"]);
}

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "selinux." });
  try {
    await work(folder);
  } finally {
    await succeed(["rm", "-rf", folder]);
  }
}
