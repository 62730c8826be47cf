/** The user's history on a host with an agent: links to the agent's files, and who removes what. */

import assert from "node:assert/strict";
import { ingestAndRelease } from "../../src/desk/release.ts";
import { ERRORS } from "../../src/desk/protocol.ts";
import { ingest } from "../../src/history/ingest.ts";
import type { SpoolRecord } from "../../src/record/event.ts";
import { linkSpool } from "../../src/record/spool_links.ts";
import { encodeRecord } from "../../src/record/spool.ts";
import { openDatabase } from "../../src/sqlite/database.ts";
import { AnsweredError, SocketAgent } from "../support/socket_agent.ts";
import { alive, command, exit, GONE, Home, opened, shell, T0 } from "../support/spool_files.ts";

/** A home, and beside it the folders of a host with an agent. */
class Host extends Home {
  readonly hostSpool = `${this.folder}/host`;
  readonly policy = `${this.folder}/policy.json`;
  readonly socket = `${this.folder}/agent.sock`;

  constructor() {
    super();
    Deno.mkdirSync(this.hostSpool);
    Deno.writeTextFileSync(this.policy, "{}");
  }

  /** Makes a shell's file as the agent does. @returns its path */
  shellFile(session: string | null, pid = GONE.pid): string {
    const file = `${this.hostSpool}/${session ?? "stray"}.${pid}-${GONE.startTicks}-${T0}.shell`;
    Deno.writeFileSync(file, new Uint8Array());
    return file;
  }

  /** Makes a session's file as the agent does. @returns its path */
  sessionFile(session: string, ...records: SpoolRecord[]): string {
    const file = `${this.hostSpool}/${session}.session`;
    append(file, ...records);
    return file;
  }

  ingest() {
    return ingest(this.spool, this.history, { hostSpool: this.hostSpool, hasAgent: true });
  }
}

function append(file: string, ...records: SpoolRecord[]): void {
  for (const record of records) Deno.writeFileSync(file, encodeRecord(record), { append: true });
}

const LINK = `${GONE.pid}-${T0}.shell`;

Deno.test("linkSpool() links to what the agent has made, and a second time changes nothing", () => {
  using host = new Host();
  const opening = opened();
  const spool = host.shellFile(opening.session);
  const sessionFile = host.sessionFile(opening.session, { type: "event", event: opening });
  for (const _ of [1, 2]) {
    assert.equal(linkSpool(host.spool, { spool, sessionFile, session: opening.session }), true);
    assert.deepEqual(host.names(), [LINK, `${opening.session}.session`].sort());
  }
  assert.equal(Deno.readLinkSync(`${host.spool}/${LINK}`), spool);
});

Deno.test("linkSpool() makes the folder, for its owner alone", () => {
  using host = new Host();
  Deno.removeSync(`${host.folder}/.ash`, { recursive: true });
  assert.equal(
    linkSpool(host.spool, { spool: host.shellFile(null), sessionFile: null, session: null }),
    true,
  );
  assert.equal((Deno.statSync(host.spool).mode ?? 0) & 0o777, 0o700);
  assert.deepEqual(host.names(), [LINK]);
});

Deno.test("linkSpool() makes no link to a session that cannot be read, and bears with a home that is none", () => {
  using host = new Host();
  const { session } = opened();
  const missing = `${host.hostSpool}/${session}.session`;
  assert.equal(linkSpool(host.spool, { spool: null, sessionFile: missing, session }), true);
  assert.deepEqual(host.names(), []);
  Deno.writeTextFileSync(`${host.folder}/file`, "");
  assert.equal(
    linkSpool(`${host.folder}/file/spool`, { spool: host.shellFile(null), sessionFile: null, session: null }),
    false,
  );
});

Deno.test("ingest() reads through links into the agent's folder, and through no others", () => {
  using host = new Host();
  const spool = host.shellFile(null);
  append(spool, shell(), ...command(1));
  linkSpool(host.spool, { spool, sessionFile: null, session: null });
  const outside = `${host.folder}/stray.1-1-2.shell`;
  Deno.mkdirSync(`${host.hostSpool}/inner`);
  for (const file of [outside, `${host.hostSpool}/inner/stray.1-1-3.shell`, `${host.hostSpool}/real.shell`]) {
    append(file, shell(), ...command(1));
  }
  Deno.symlinkSync(`${host.hostSpool}/real.shell`, `${host.hostSpool}/stray.1-1-4.shell`);
  Deno.symlinkSync(outside, `${host.spool}/1-2.shell`);
  Deno.symlinkSync(`${host.hostSpool}/inner/stray.1-1-3.shell`, `${host.spool}/1-3.shell`);
  Deno.symlinkSync(`${host.hostSpool}/stray.1-1-4.shell`, `${host.spool}/1-4.shell`);
  Deno.symlinkSync(`${host.hostSpool}/../stray.1-1-2.shell`, `${host.spool}/1-5.shell`);
  Deno.symlinkSync(`${host.hostSpool}/real.shell`, `${host.spool}/1-6.session`);
  assert.equal(host.ingest().shells, 1);
  assert.deepEqual(host.ask("select file from srvaudit_spool"), [{ file: LINK }]);
});

Deno.test("ingest() on a host with an agent removes nothing, and names what is finished", () => {
  using host = new Host();
  const opening = opened();
  const file = `${opening.session}.session`;
  linkSpool(host.spool, {
    spool: host.shellFile(opening.session),
    sessionFile: host.sessionFile(opening.session, { type: "event", event: opening }),
    session: opening.session,
  });
  append(`${host.spool}/${LINK}`, shell(), ...command(1), exit(0));
  host.add("7-7.shell", shell({ atUs: T0 + 5 }), ...command(1));
  const names = [LINK, "7-7.shell", file].sort();
  const report = host.ingest();
  assert.deepEqual(report.finished.map((one) => one.file).sort(), names);
  assert.deepEqual([report.removed, report.waiting], [0, []]);
  const again = host.ingest();
  assert.deepEqual([again.finished, again.waiting.map((one) => one.file).sort()], [[], names]);
  assert.deepEqual(host.names(), names);
});

Deno.test("a shell's file of the agent's tells its login session; a claim counts only where that tells of none", () => {
  using host = new Host();
  const [hers, other] = [opened({ leaderPid: 1 }), opened({ uid: 1001, leaderPid: 1, ticket: "18" })];
  for (const opening of [hers, other]) {
    const sessionFile = host.sessionFile(opening.session, { type: "event", event: opening });
    linkSpool(host.spool, { spool: null, sessionFile, session: opening.session });
  }
  const root = host.shellFile(other.session, GONE.pid);
  const stray = host.shellFile(null, GONE.pid - 1);
  for (const spool of [root, stray]) linkSpool(host.spool, { spool, sessionFile: null, session: null });
  append(root, shell({ uid: 0, effectiveUid: 0, session: hers.session }), ...command(1));
  append(stray, shell({ pid: GONE.pid - 1, session: hers.session }), ...command(1));
  host.ingest();
  assert.deepEqual(
    host.ask("select login_session, known_by from srvaudit_shells order by pid"),
    [
      { login_session: hers.session, known_by: "claim" },
      { login_session: other.session, known_by: "agent" },
    ],
  );
  assert.deepEqual(
    host.ask("select ticket from srvaudit_commands order by ticket"),
    [{ ticket: "17" }, { ticket: "18" }],
  );
});

Deno.test("a link goes when the agent has removed its file, and the shell's rows are closed", () => {
  using host = new Host();
  const spool = host.shellFile(null);
  append(spool, shell(), ...command(1), exit(0));
  linkSpool(host.spool, { spool, sessionFile: null, session: null });
  host.ingest();
  Deno.removeSync(spool);
  assert.equal(host.ingest().removed, 1);
  assert.deepEqual(host.names(), []);
});

Deno.test("a link goes when the agent has removed its file before all of it was taken in", () => {
  using host = new Host();
  const spool = host.shellFile(null);
  const { pid } = alive();
  append(spool, shell({ pid, startTicks: 1 }), ...command(1));
  linkSpool(host.spool, { spool, sessionFile: null, session: null });
  // As it is while the shell lives.
  ingest(host.spool, host.history, { hostSpool: host.hostSpool, hasAgent: true });
  Deno.removeSync(spool);
  const report = host.ingest();
  assert.deepEqual([report.removed, report.finished, host.names()], [1, [], []]);
  assert.deepEqual(host.ask("select count(*) as open from srvaudit_shells where end_us is null"), [{
    open: 0,
  }]);
});

Deno.test("a link to another machine's file is left alone, and its shell is not taken for gone", () => {
  using host = new Host();
  // Of a home that two machines share: known from the other one, and not yet known at all.
  const spool = host.shellFile(null);
  append(spool, shell(alive()), ...command(1));
  linkSpool(host.spool, { spool, sessionFile: null, session: null });
  host.ingest();
  const database = openDatabase(host.history, { busyTimeoutMs: 1000 });
  database.exec("update srvaudit_spool set host = 'elsewhere'");
  database.close();
  Deno.removeSync(spool);
  Deno.symlinkSync(`${host.hostSpool}/stray.5-5-5.shell`, `${host.spool}/5-5.shell`);
  const report = host.ingest();
  assert.deepEqual([report.removed, report.finished], [0, []]);
  assert.equal(host.names().length, 2);
  assert.deepEqual(host.ask("select count(*) as open from srvaudit_shells where end_us is null"), [{
    open: 1,
  }]);
});

Deno.test("no link goes while the agent's folder is not there", () => {
  using host = new Host();
  const spool = host.shellFile(null);
  append(spool, shell(), ...command(1));
  linkSpool(host.spool, { spool, sessionFile: null, session: null });
  host.ingest();
  Deno.renameSync(host.hostSpool, `${host.hostSpool}.away`);
  assert.equal(host.ingest().removed, 0);
  assert.deepEqual(host.names(), [LINK]);
});

Deno.test("what was said of a session while the agent was down is taken in, and its file finished with the session", () => {
  using host = new Host();
  const opening = opened();
  const sessionFile = host.sessionFile(opening.session, { type: "event", event: opening });
  linkSpool(host.spool, { spool: null, sessionFile, session: opening.session });
  const { session } = opening;
  host.add(`${session}.own.session`, {
    type: "event",
    event: { kind: "note", session, atUs: T0, ticket: "17", text: "done" },
  }, { type: "event", event: { kind: "session closed", session, atUs: T0 + 9, how: "logout", exitCode: 0 } });
  const report = host.ingest();
  assert.equal(report.events, 3);
  assert.deepEqual(
    report.finished.map((one) => one.file).sort(),
    [`${session}.own.session`, `${session}.session`],
  );
  assert.deepEqual(host.ask("select how_closed, closed_us from srvaudit_sessions"), [
    { how_closed: "logout", closed_us: T0 + 9 },
  ]);
});

Deno.test("what the agent says of a session's end takes the place of what the history has guessed", () => {
  using host = new Host();
  const opening = opened();
  const { session } = opening;
  const sessionFile = host.sessionFile(session, { type: "event", event: opening });
  linkSpool(host.spool, { spool: null, sessionFile, session });
  host.ingest();
  const how = () => host.ask("select how_closed from srvaudit_sessions")[0]?.how_closed;
  assert.equal(how(), "killed");
  append(sessionFile, {
    type: "event",
    event: { kind: "session closed", session, atUs: T0, how: "idle" },
  });
  host.ingest();
  assert.equal(how(), "idle");
  append(sessionFile, {
    type: "event",
    event: { kind: "session closed", session, atUs: T0 + 1, how: "logout" },
  });
  host.ingest();
  assert.equal(how(), "idle", "the first one that is on record stays");
});

Deno.test("ingestAndRelease() removes what the agent has, too, and nothing else", async () => {
  using host = new Host();
  for (const number of [1, 2, 3]) {
    host.add(`${number}-${number}.shell`, shell({ atUs: T0 + number }), ...command(1));
  }
  host.add("4-4.shell", shell(alive()), ...command(1));
  const remove = ["1-1.shell", "3-3.shell", "4-4.shell", "../history.db"];
  await using agent = new SocketAgent(host.socket, () => ({ remove }));
  const report = await ingestAndRelease(host, { about: "new", timeoutMs: 2000 });
  assert.equal(agent.asked.length, 1);
  const files: unknown = agent.asked[0]?.params.files;
  assert.deepEqual(Array.isArray(files) && files.sort(), ["1-1.shell", "2-2.shell", "3-3.shell"]);
  assert.deepEqual([report.removed, host.names()], [2, ["2-2.shell", "4-4.shell"]]);
});

Deno.test("ingestAndRelease() asks once after what is new, and again only when told to ask after all", async () => {
  using host = new Host();
  host.add("1-1.shell", shell(), ...command(1));
  await using agent = new SocketAgent(host.socket, () => ({ remove: [] }));
  for (const _ of [1, 2, 3]) await ingestAndRelease(host, { about: "new", timeoutMs: 2000 });
  assert.equal(agent.asked.length, 1);
  await ingestAndRelease(host, { about: "all", timeoutMs: 2000 });
  assert.equal(agent.asked.length, 2);
  host.add("2-2.shell", shell({ atUs: T0 + 1 }), ...command(1));
  await ingestAndRelease(host, { about: "new", timeoutMs: 2000 });
  assert.deepEqual(agent.all("spool.taken")[2]?.files, ["2-2.shell", "1-1.shell"]);
});

Deno.test("ingestAndRelease() leaves files where the agent is down, refuses or does not answer", async () => {
  using host = new Host();
  host.add("1-1.shell", shell(), ...command(1));
  const asking = { about: "all", timeoutMs: 50 } as const;
  assert.equal((await ingestAndRelease(host, asking)).commands, 1);
  for (const answer of [refuse, () => undefined]) {
    await using _agent = new SocketAgent(host.socket, answer);
    await ingestAndRelease(host, asking);
    await Deno.remove(host.socket);
  }
  assert.deepEqual(host.names(), ["1-1.shell"]);
});

Deno.test("ingestAndRelease() on a host without an agent removes what is finished by itself", async () => {
  using host = new Host();
  host.add("1-1.shell", shell(), ...command(1));
  await using agent = new SocketAgent(host.socket, () => ({ remove: [] }));
  // While the machine starts nothing is published yet, and the agent has been here before.
  Deno.removeSync(host.policy);
  assert.equal((await ingestAndRelease(host, { about: "all", timeoutMs: 2000 })).removed, 0);
  assert.equal(agent.asked.splice(0).length, 1);
  Deno.removeSync(host.hostSpool);
  assert.equal((await ingestAndRelease(host, { about: "all", timeoutMs: 2000 })).removed, 1);
  assert.deepEqual([host.names(), agent.asked], [[], []]);
});

function refuse(): never {
  throw new AnsweredError(ERRORS.refused, "too many questions");
}
