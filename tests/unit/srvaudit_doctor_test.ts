import assert from "node:assert/strict";
import { DEFAULT_POLICY } from "../../src/config/policy.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { protect } from "../../src/posix/file_flags.ts";
import { diagnose, diagnosisText } from "../../src/srvaudit/doctor.ts";
import * as evidence from "../../src/srvaudit/doctor/evidence.ts";
import type { Check, Finding } from "../../src/srvaudit/doctor/finding.ts";
import * as logins from "../../src/srvaudit/doctor/logins.ts";
import * as machine from "../../src/srvaudit/doctor/machine.ts";
import * as programs from "../../src/srvaudit/doctor/programs.ts";
import * as service from "../../src/srvaudit/doctor/service.ts";
import * as trackers from "../../src/srvaudit/doctor/trackers.ts";
import { sshdSettings } from "../../src/install/sshd.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { NOON_US } from "../support/evidence.ts";
import { DoctorHost } from "../support/doctor_host.ts";

// libc is opened before a test counts what it opens.
effectiveUid();
protect("/nowhere/at/all", "none");

/** Breaks something of a host that is well, and looks. @returns what is not ok */
async function breaking(
  check: Check,
  breakIt: (host: DoctorHost) => Promise<void> | void,
): Promise<Finding[]> {
  await using host = await DoctorHost.make();
  const before = (await check(host)).filter(({ state }) => state === "wrong");
  assert.deepEqual(before, [], "nothing is wrong before");
  await breakIt(host);
  return (await check(host)).filter(({ state }) => state !== "ok");
}

function assertFound(findings: Finding[], state: Finding["state"], what: RegExp): void {
  assert.ok(
    findings.some((finding) =>
      finding.state === state && what.test(finding.what) && finding.mend !== undefined
    ),
    `${state} ${what} with a mend in:\n${JSON.stringify(findings, null, 2)}`,
  );
}

Deno.test("doctor: a host that is well has nothing wrong but that no agent runs there", async () => {
  await using host = await DoctorHost.make();
  const bad = (await diagnose(host)).filter(({ state }) => state === "wrong");
  assert.deepEqual(bad.map(({ check }) => check), ["agent"]);
});

Deno.test("doctor: an executable that others can write is wrong", async () => {
  const found = await breaking(programs.programs, (host) => host.chmod("/usr/lib/srvaudit/srvaudit", 0o775));
  assertFound(found, "wrong", /has mode 0775/);
});

Deno.test("doctor: an executable that is gone is wrong", async () => {
  const found = await breaking(programs.programs, (host) => host.remove("/usr/lib/srvaudit/srvaudit"));
  assertFound(found, "wrong", /is not there/);
});

Deno.test("doctor: a link that leads elsewhere is wrong", async () => {
  const found = await breaking(programs.programs, async (host) => {
    await host.remove("/usr/lib/srvaudit/hello");
    await host.write("/usr/lib/srvaudit/hello", "", 0o755);
  });
  assertFound(found, "wrong", /hello does not lead to/);
});

Deno.test("doctor: a startup file without the hook is wrong, and so is one where it is commented out", async () => {
  const gone = await breaking(programs.hooks, (host) => host.write("/etc/bash.bashrc", "alias l=ls\n"));
  assertFound(gone, "wrong", /bash.bashrc .* brings the hook into bash/);
  const off = await breaking(
    programs.hooks,
    (host) => host.write("/etc/profile.d/srvaudit.sh", "# . /usr/lib/srvaudit/shell/attach.bash\n"),
  );
  assertFound(off, "wrong", /profile.d/);
});

Deno.test("doctor: a hook that is gone, or that others can write, is wrong", async () => {
  const hook = "/usr/lib/srvaudit/shell/attach.bash";
  assertFound(await breaking(programs.hooks, (host) => host.remove(hook)), "wrong", /is not there/);
  assertFound(await breaking(programs.hooks, (host) => host.chmod(hook, 0o666)), "wrong", /0666/);
});

Deno.test("doctor: a shell that is there and has no hook is wrong", async () => {
  const found = await breaking(programs.hooks, (host) => host.write("/usr/bin/fish", "", 0o755));
  assertFound(found, "wrong", /srvaudit.fish is not there/);
});

Deno.test("doctor: users whose hello, or whose real shell, is missing are named", async () => {
  const noHello = await breaking(logins.users, (host) => host.remove("/usr/bin/hello-srvaudit"));
  assertFound(noHello, "wrong", /alice cannot log in/);
  const noShell = await breaking(
    logins.users,
    (host) => host.write("/etc/srvaudit/shells", 'alice="/usr/bin/zsh"\n'),
  );
  assertFound(noShell, "wrong", /the real shell \/usr\/bin\/zsh of alice cannot be run/);
  const loop = await breaking(
    logins.users,
    (host) => host.write("/etc/srvaudit/shells", 'alice="/usr/bin/hello-srvaudit"\n'),
  );
  assertFound(loop, "wrong", /is hello itself/);
  const none = await breaking(logins.users, (host) => host.write("/etc/passwd", ""));
  assertFound(none, "warning", /nobody/);
});

Deno.test("doctor: a map of real shells that users cannot read, or can write, is wrong", async () => {
  const map = "/etc/srvaudit/shells";
  const write = (mode: number) => (host: DoctorHost) => host.write(map, 'alice="/bin/bash"\n', mode);
  assertFound(await breaking(logins.shellMap, write(0o600)), "wrong", /0600/);
  assertFound(await breaking(logins.shellMap, write(0o666)), "wrong", /0666/);
  const line = await breaking(logins.shellMap, (host) => host.write(map, 'CORP\\al@x="/bin/bash"\noops "\n'));
  assert.equal(line.length, 1);
  assertFound(line, "warning", /line 2/);
});

Deno.test("doctor: hello that is not in /etc/shells is told of", async () => {
  const found = await breaking(logins.shellsFile, (host) => host.write("/etc/shells", "/bin/bash\n"));
  assertFound(found, "warning", /has no \/usr\/bin\/hello-srvaudit/);
});

Deno.test("doctor: what goes past hello in sshd is named", () => {
  const find = (text: string, policy = { ...DEFAULT_POLICY }) =>
    logins.sshdFindings(sshdSettings(text), policy);
  const fine =
    "subsystem sftp /usr/lib/openssh/sftp-server\nacceptenv LANG\nacceptenv LC_*\npermituserenvironment no\n";
  assert.deepEqual(find(fine), []);
  assertFound(find("subsystem sftp internal-sftp -l INFO"), "warning", /Subsystem/);
  assertFound(find("forcecommand internal-sftp"), "warning", /ForceCommand/);
  assertFound(find("permituserenvironment yes"), "wrong", /PermitUserEnvironment/);
  assertFound(find("acceptenv LD_*"), "wrong", /LD_PRELOAD/);
  const requires = { ...DEFAULT_POLICY, nonInteractive: "require" as const };
  assertFound(find(fine, requires), "wrong", /SRVAUDIT_TICKET/);
  assert.deepEqual(find(`${fine}acceptenv SRVAUDIT_*\n`, requires), []);
});

Deno.test("doctor: a config with errors is wrong, and each is named", async () => {
  const found = await breaking(
    service.config,
    (host) => host.write("/etc/srvaudit/config", "oops\nspoolDays=x\nshowBaner=yes\n", 0o640),
  );
  assertFound(found, "wrong", /line 1/);
  assertFound(found, "wrong", /line 2/);
  assertFound(found, "warning", /did you mean showBanner/);
});

Deno.test("doctor: secrets that every user can read are wrong, others' right to write as well", async () => {
  const write = (text: string, mode: number) => (host: DoctorHost) =>
    host.write("/etc/srvaudit/config", text, mode);
  assertFound(await breaking(service.config, write('redmineKey="k"\n', 0o644)), "wrong", /secrets/);
  assertFound(await breaking(service.config, write('slackURL="https', 0o644)), "wrong", /secrets/);
  assertFound(
    await breaking(service.config, write('redmineKey=""\n', 0o644)),
    "warning",
    /every user can read/,
  );
  assertFound(await breaking(service.config, write("", 0o660)), "wrong", /0660/);
});

Deno.test("doctor: an agent that does not answer is wrong; on a host that has none, that is all to say of it", async () => {
  await using host = await DoctorHost.make();
  assertFound(await service.agent(host), "wrong", /the agent/);
  await host.remove("/run/srvaudit");
  await host.remove("/var/lib/srvaudit");
  await host.remove("/var/spool/srvaudit");
  const bad = (await diagnose(host)).filter(({ state }) => state !== "ok" && state !== "unseen");
  assert.deepEqual(
    bad.map(({ check, state }) => `${check} ${state}`).filter((line) =>
      !/^(programs|append-only|room) w/.test(line)
    ),
    [
      "agent warning",
    ],
  );
});

Deno.test("doctor: folders and files of the agent's with another mode are wrong", async () => {
  const places: [path: string, mode: number][] = [
    ["/run/srvaudit", 0o777],
    ["/run/srvaudit/agent.sock", 0o600],
    ["/var/spool/srvaudit", 0o755],
    ["/var/lib/srvaudit", 0o755],
    ["/var/lib/srvaudit/evidence.db", 0o644],
  ];
  for (const [path, mode] of places) {
    const found = await breaking(service.ownership, (host) => host.chmod(path, mode));
    assert.equal(found.length, 1, path);
    assertFound(found, "wrong", new RegExp(`${path} has mode 0${mode.toString(8)}`));
  }
});

Deno.test("doctor: what belongs to another user is wrong", async () => {
  await using host = await DoctorHost.make();
  const found = service.ownership({ ...host, owner: host.owner + 1 });
  assertFound(found, "wrong", /belongs to the user/);
});

Deno.test("doctor: a policy that is not the config's is told of", async () => {
  const stale = await breaking(
    service.policy,
    (host) => host.write("/etc/srvaudit/config", 'onAgentDown="deny"\n', 0o640),
  );
  assertFound(stale, "warning", /onAgentDown/);
  const broken = await breaking(service.policy, (host) => host.write("/run/srvaudit/policy.json", "{"));
  assertFound(broken, "wrong", /no JSON/);
  const gone = await breaking(service.policy, (host) => host.remove("/run/srvaudit/policy.json"));
  assertFound(gone, "wrong", /is not there/);
});

Deno.test("doctor: evidence that is gone, or damaged, is wrong", async () => {
  const gone = await breaking(evidence.size, (host) => host.remove("/var/lib/srvaudit/evidence.db"));
  assertFound(gone, "wrong", /there is no evidence/);
  const damaged = await breaking(
    evidence.size,
    (host) => host.write("/var/lib/srvaudit/evidence.db", "no database ".repeat(1000), 0o600),
  );
  assertFound(damaged, "wrong", /damaged/);
});

Deno.test("doctor: an event that was changed is wrong, and named", async () => {
  const found = await breaking(evidence.chain, (host) => {
    using store = new EvidenceStore(host.places.evidence);
    store.database.exec(
      "drop trigger event_is_never_changed; update event set text = 'make love' where seq = 4",
    );
  });
  assertFound(found, "wrong", /breaks at event 4/);
});

Deno.test("doctor: little room is told of, no room is wrong", () => {
  assert.equal(evidence.roomFinding("x", 2e9, 1e6).state, "ok");
  assertFound([evidence.roomFinding("x", 5e8, 1e6)], "warning", /only 500 MB/);
  assertFound([evidence.roomFinding("x", 5e6, 1e6)], "wrong", /only 5.0 MB/);
  assertFound([evidence.roomFinding("x", 2e9, 10)], "wrong", /10 files/);
});

Deno.test("doctor: a spool that cannot be written is wrong, and no scratch file stays in one that can", async () => {
  await using host = await DoctorHost.make();
  const [finding] = evidence.appendOnly(host);
  assert.ok(finding?.state === "ok" || finding?.state === "warning", "as its file system is");
  assert.deepEqual([...Deno.readDirSync(host.places.hostSpool)], []);
  await host.remove("/var/spool/srvaudit");
  await host.write("/var/spool/srvaudit", "a file");
  assertFound(evidence.appendOnly(host), "wrong", /no file can be made/);
});

Deno.test("doctor: what waits in the spool for long is wrong", async () => {
  const found = await breaking(evidence.backlog, async (host) => {
    await host.write("/var/spool/srvaudit/x.shell", "0123456789");
    const at = host.nowMs / 1000 - 3600;
    await Deno.utime(`${host.places.hostSpool}/x.shell`, at, at);
  });
  assertFound(found, "wrong", /10 B in 1 spool files .* since 1h/);
  assertFound([evidence.backlogFinding(3, 1e8, 1000)], "warning", /100 MB/);
  assert.equal(evidence.backlogFinding(3, 1e6, 1000).state, "ok", "it has just come");
});

Deno.test("doctor: a consumer with an error is told of, with its age", async () => {
  const found = await breaking(evidence.consumers, (host) => {
    using store = new EvidenceStore(host.places.evidence);
    store.database.prepare("insert into consumer values ('slack', 4, 0, ?, 'HTTP 500', ?)")
      .run(host.nowMs * 1000 - 3600e6, host.nowMs * 1000);
  });
  assertFound(found, "warning", /slack cannot be told of 7 events, last 1h ago: HTTP 500/);
});

Deno.test("doctor: a log that others can read, or that nobody rotates, is told of", async () => {
  assertFound(
    await breaking(machine.log, (host) => host.chmod("/var/log/srvaudit.log", 0o644)),
    "wrong",
    /0644/,
  );
  assertFound(
    await breaking(machine.log, (host) => host.remove("/var/log/srvaudit.log")),
    "wrong",
    /not there/,
  );
  const rotate = await breaking(machine.log, (host) => host.remove("/etc/logrotate.d/srvaudit"));
  assertFound(rotate, "warning", /nothing rotates/);
});

Deno.test("doctor: a clock that ran backwards is wrong", async () => {
  const back = await breaking(evidence.clock, (host) => {
    host.nowMs = NOON_US / 1000 - 120_000;
  });
  assertFound(back, "wrong", /3m before the newest evidence/);
  const zero = await breaking(evidence.clock, (host) => {
    host.nowMs = 0;
  });
  assertFound(zero, "wrong", /before srvAudit was installed/);
});

Deno.test("doctor: small limits of inotify are told of", async () => {
  const found = await breaking(
    machine.inotify,
    (host) => host.write("/proc/sys/fs/inotify/max_user_watches", "8\n"),
  );
  assertFound(found, "warning", /max_user_watches is 8/);
});

Deno.test("doctor: who is not root is told what was not looked at", async () => {
  await using host = await DoctorHost.make();
  host.isRoot = false;
  const found = await diagnose(host);
  const unseen = found.filter(({ state }) => state === "unseen").map(({ check }) => check);
  assert.deepEqual(unseen, ["installation", "installer", "append-only", "backlog"]);
  assert.match(await diagnosisText(found), /1 wrong, \d+ warnings?, 4 not looked at: that takes root\n$/);
});

Deno.test("doctor: a finding is one line, with its mend, and nothing in it acts on a terminal", async () => {
  const finding = { check: "x", state: "wrong", what: "a \x1b[31mname", mend: "rm it" } as const;
  assert.equal(
    await diagnosisText([finding]),
    "wrong    x: a ^[[31mname. Mend: rm it\n1 wrong, 0 warnings\n",
  );
});

Deno.test("doctor: a tracker that does not let srvAudit in is wrong, one that is down a warning", () => {
  const state = (state: "up" | "down" | "denied", reason: string | null) => {
    const status = { name: "Redmine", state, reason, concern: null, waiting: 2 };
    const [finding, another] = trackers.trackerFindings(status, "/etc/srvaudit/config");
    assert.ok(finding && !another);
    return finding;
  };
  assertFound([state("denied", "401")], "wrong", /does not let srvAudit in: 401; 2 tickets and notes wait/);
  assert.match(state("denied", "401").mend ?? "", /redmineKey in \/etc\/srvaudit\/config .* reload/);
  assertFound([state("down", "no route")], "warning", /cannot be asked: no route/);
  assert.equal(state("up", null).state, "ok");
});

Deno.test("doctor: what is not safe in how the tracker is set up is a warning, with its mend", () => {
  const concern = { what: "anybody is an administrator", mend: 'say trackerUnknownUsers="deny"' };
  const status = { name: "Redmine", state: "up", reason: null, concern, waiting: 0 } as const;
  const [answers, warned] = trackers.trackerFindings(status, "/etc/srvaudit/config");
  assert.equal(answers?.state, "ok");
  assert.equal(warned?.state, "warning");
  assert.match(warned?.mend ?? "", /"deny" in \/etc\/srvaudit\/config; then: systemctl reload/);
});

Deno.test("doctor: a story that is refused is a warning that names ticket and reason, and so is an old queue", () => {
  const now = NOON_US;
  const none = { waiting: 0, oldestUs: null, unverified: 0, held: [], heldCount: 0, asleep: [] };
  assert.deepEqual(trackers.storyFindings(none, now).map(({ state }) => state), ["ok"]);
  const held = [{ ticket: "99", sinceUs: now - 3600e6, error: "there is no ticket 99" }];
  assertFound(
    trackers.storyFindings({ ...none, held, heldCount: 5 }, now),
    "warning",
    /ticket 99 is refused since 1h: there is no ticket 99/,
  );
  assertFound(
    trackers.storyFindings({ ...none, waiting: 3, oldestUs: now - 3600e6 }, now),
    "warning",
    /3 stories are to be told.*since 1h/,
  );
  assertFound(
    trackers.storyFindings({ ...none, asleep: [{ tracker: "Jira https://x", count: 2 }] }, now),
    "warning",
    /2 stories wait for Jira https:\/\/x/,
  );
});
