import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { MIGRATIONS as HISTORY } from "../../src/history/schema.ts";
import {
  closed,
  command,
  ended,
  EvidenceFolder,
  opened,
  shellEnded,
  shellStarted,
  switched,
  T0,
} from "../support/evidence_events.ts";

const SECOND = 1_000_000;
const START_S = T0 / SECOND;

/** All rows of a table or a view. */
function rowsOf(store: EvidenceStore, name: string): Record<string, unknown>[] {
  return store.database.prepare(`select * from ${name}`).all().map((row) => ({ ...row }));
}

Deno.test("the views have the columns of ASH's tables and of the history's, in their order", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  const history = new DatabaseSync(":memory:");
  for (const script of HISTORY) history.exec(script);
  const columns = (database: DatabaseSync, table: string) =>
    database.prepare("select name from pragma_table_info(?) order by cid").all(table).map((row) => row.name);
  const tables = ["sessions", "commands", "srvaudit_sessions", "srvaudit_shells", "srvaudit_commands"];
  for (const table of [...tables, "srvaudit_bytes", "srvaudit_tickets", "srvaudit_events"]) {
    const ours = columns(store.database, table);
    // What an older history has not, evidence need not have; but nothing may be missing.
    assert.deepEqual(columns(history, table).filter((name) => ours.includes(name)), ours, table);
  }
  assert.deepEqual(columns(store.database, "sessions"), columns(history, "sessions"));
  assert.deepEqual(columns(store.database, "commands"), columns(history, "commands"));
  history.close();
});

Deno.test("a shell is a row of sessions, open until it has ended", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  store.transaction(() => {
    store.append(
      shellStarted(null, { sshClient: "", sshConnection: "", sudoUser: "bob", sudoUid: "1001" }),
      T0,
    );
  });
  const shell = {
    id: 1,
    hostname: "web01",
    host_ip: "192.0.2.7",
    ppid: 4700,
    pid: 4711,
    time_zone: "UTC",
    start_time: START_S,
    end_time: null,
    duration: null,
    tty: "/dev/pts/3",
    uid: 1000,
    euid: 1000,
    logname: "alice",
    shell: "bash",
    sudo_user: "bob",
    sudo_uid: 1001,
    ssh_client: null,
    ssh_connection: null,
  };
  assert.deepEqual(rowsOf(store, "sessions"), [shell]);
  store.transaction(() => store.append(shellEnded(null, 1), T0));
  assert.deepEqual(rowsOf(store, "sessions"), [{ ...shell, end_time: START_S + 8, duration: 8 }]);
});

Deno.test("whose a shell and a command are is the kernel's word, not the shell's", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  store.transaction(() => {
    const session = store.append(opened("a"), T0);
    const shell = store.append(shellStarted(session, { uid: 0, effectiveUid: 0, user: "root" }), T0);
    const event = command("id", { session, shell });
    const facts = event.command ?? assert.fail();
    store.append({ ...event, command: { ...facts, effectiveUid: 0 } }, T0);
    store.append({ ...shellStarted(session, { user: "bob" }), uid: 1001 }, T0);
  });
  const shells = rowsOf(store, "sessions").map(({ uid, euid, logname }) => [uid, euid, logname]);
  assert.deepEqual(shells, [[1000, 1000, "alice"], [1001, 1001, "bob"]]);
  assert.equal(rowsOf(store, "commands")[0]?.euid, 1000);
});

Deno.test("a command is a row of commands, whenever its end came", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  const at = T0 + SECOND;
  const end = { endUs: at + 2 * SECOND, exitCode: 3, pipeStates: [0, 1, 3] };
  const unseen = { endUs: null, exitCode: null, pipeStates: [] };
  store.transaction(() => {
    const shell = store.append(shellStarted(null), T0);
    const add = (text: string, number: number, end: Parameters<typeof command>[1]) =>
      store.append(command(text, { shell, number, atUs: at, ...end }), T0);
    add("in one piece", 1, { end });
    const late = add("in two", 2, { end: null });
    add("still runs", 3, { end: null });
    const unknown = add("nobody saw", 4, { end: null });
    add("nobody saw either", 5, { end: unseen });
    add("the clock was set back", 6, { end: { ...end, endUs: T0 - 5 * SECOND } });
    store.append(ended(late, end), T0);
    store.append(ended(unknown, unseen, { atUs: at + 7 * SECOND }), T0);
  });
  const common = { session_id: 1, shell_level: 1, tty: "/dev/pts/3", euid: 1000, cwd: "/home/alice" };
  const known = { rval: 3, end_time: START_S + 3, duration: 2, pipe_cnt: 3, pipe_vals: "0_1_3" };
  const open = { rval: -1, end_time: START_S + 1, duration: 0, pipe_cnt: null, pipe_vals: null };
  const expected = [
    { id: 2, command_no: 1, ...known, command: "in one piece" },
    { id: 3, command_no: 2, ...known, command: "in two" },
    { id: 4, command_no: 3, ...open, command: "still runs" },
    { id: 5, command_no: 4, ...open, end_time: START_S + 8, duration: 7, command: "nobody saw" },
    { id: 6, command_no: 5, ...open, command: "nobody saw either" },
    { id: 7, command_no: 6, ...known, end_time: START_S - 5, duration: 0, command: "the clock was set back" },
  ].map((row) => ({ ...common, start_time: START_S + 1, ...row }));
  assert.deepEqual(rowsOf(store, "commands"), expected);
  const ends = rowsOf(store, "srvaudit_commands").map((row) => row.end_us);
  assert.deepEqual(ends, [end.endUs, end.endUs, null, null, null, T0 - 5 * SECOND]);
});

Deno.test("a text that the shell does not give away is said to be missing; odd bytes are kept", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  const odd = new Uint8Array([0x61, 0xff, 0, 0x62]);
  store.transaction(() => {
    const missing = command("");
    const facts = missing.command ?? assert.fail();
    store.append({ ...missing, command: { ...facts, textState: "missing" } }, T0);
    store.append(command(""), T0);
    store.append(command(odd), T0);
  });
  const texts = rowsOf(store, "commands").map((row) => row.command);
  assert.deepEqual(texts, ["[text not given by the shell]", "", "a\\xff\\x00b"]);
  assert.deepEqual(rowsOf(store, "srvaudit_bytes"), [
    { command_id: 3, directory: new TextEncoder().encode("/home/alice"), text: odd },
  ]);
});

Deno.test("a login session is a row of login_session, with its last ticket and its commands", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  store.transaction(() => {
    const a = store.append(opened("a", { emergency: "the site is down" }), T0);
    store.append(opened("b", { mode: "command", command: "uptime", ticket: null }), T0);
    const shell = store.append(shellStarted(a), T0);
    store.append(switched(a, "OPS-18", "OPS-19", T0 + 20), T0);
    store.append(switched(a, "OPS-17", "OPS-18", T0 + 10), T0);
    for (const number of [1, 2]) store.append(command("ls", { session: a, shell, number }), T0);
    store.append(closed(a, T0 + 30), T0);
    // Who closes it again changes nothing.
    store.append({ ...closed(a, T0 + 40), data: { how: "killed" } }, T0);
    const note = { ticket: "OPS-19", text: "done" };
    store.append({ ...closed(a, T0 + 25), kind: "note", data: note }, T0);
  });
  const a = {
    id: "a",
    seq: 1,
    user: "alice",
    uid: 1000,
    host: "web01",
    tty: "/dev/pts/3",
    from_address: "203.0.113.9",
    mode: "interactive",
    command: null,
    shell: "/bin/bash",
    opened_us: T0,
    closed_us: T0 + 30,
    how_closed: "logout",
    exit_code: 0,
    ticket: "OPS-19",
    emergency: "the site is down",
    commands: 2,
  };
  const open = { closed_us: null, how_closed: null, exit_code: null, ticket: null, emergency: null };
  const b = { ...a, ...open, id: "b", seq: 2, mode: "command", command: "uptime", commands: 0 };
  assert.deepEqual(rowsOf(store, "login_session"), [a, b]);
  const { seq: _, ticket: _t, emergency: _e, commands: _c, ...ours } = a;
  const leader = { leader_pid: 4711, leader_start_ticks: 99, boot_id: "boot" };
  assert.deepEqual(rowsOf(store, "srvaudit_sessions")[0], { ...ours, ...leader });
  assert.deepEqual(rowsOf(store, "srvaudit_tickets"), [
    { login_session: "a", ticket: "OPS-17", since_us: T0 },
    { login_session: "a", ticket: "OPS-19", since_us: T0 + 20 },
    { login_session: "a", ticket: "OPS-18", since_us: T0 + 10 },
  ]);
  const events = rowsOf(store, "srvaudit_events").map(({ kind, ticket, from_value, to_value, text }) =>
    [kind, ticket, from_value, to_value, text].join("|")
  );
  assert.deepEqual(events.sort(), [
    "note|OPS-19|||done",
    "ticket switched|OPS-18|OPS-17|OPS-18|",
    "ticket switched|OPS-19|OPS-18|OPS-19|",
  ]);
  const shells = rowsOf(store, "srvaudit_shells").map(({ session_id, login_session, pid, end_us }) => ({
    session_id,
    login_session,
    pid,
    end_us,
  }));
  assert.deepEqual(shells, [{ session_id: 3, login_session: "a", pid: 4711, end_us: null }]);
});

Deno.test("what people ask most uses an index", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  const uses = (sql: string, index: string) => {
    const plan = store.database.prepare(`explain query plan ${sql}`).all().map(({ detail }) =>
      String(detail)
    );
    assert(plan.some((line) => line.includes(`INDEX ${index}`)), plan.join("\n"));
    assert(!plan.some((line) => line.startsWith("SCAN e")), plan.join("\n"));
  };
  uses("select * from commands where cwd = '/etc'", "event_command_directory");
  uses("select * from commands where cwd >= '/etc/' and cwd < '/etc0'", "event_command_directory");
  uses("select * from commands where session_id = 3", "event_command_shell");
  uses("select * from commands where start_time >= 17", "event_command_start");
  uses("select * from srvaudit_commands where ticket = 'OPS-17'", "event_command_ticket");
  uses("select * from commands where id = 17", "event_command_end");
  uses("select * from srvaudit_shells where pid = 17", "event_shell_pid");
  uses("select * from login_session where id = 'a'", "event_session_id");
  uses("select count(*) from sessions where end_time is null", "event_of_shell");
});
