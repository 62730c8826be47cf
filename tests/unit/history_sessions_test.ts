import assert from "node:assert/strict";
import { ingest } from "../../src/history/ingest.ts";
import { processOf } from "../../src/posix/process.ts";
import { alive, command, exit, GONE, Home, opened, shell, T0 } from "../support/spool_files.ts";

Deno.test("a command belongs to the ticket that was in force when it started", () => {
  using home = new Home();
  const login = opened({ leaderPid: alive().pid, leaderStartTicks: alive().startTicks, ticket: "1" });
  const session = `${login.session}.session`;
  const to = (ticket: string, from: string, atS: number) => ({
    type: "event" as const,
    event: {
      kind: "ticket switched" as const,
      session: login.session,
      atUs: T0 + atS * 1_000_000,
      from,
      to: ticket,
    },
  });
  home.add(session, { type: "event", event: login });
  home.add("1-1.shell", shell(alive()), ...command(1), ...command(2));
  ingest(home.spool, home.history);
  home.add(session, to("2", "1", 3), to("3", "2", 5));
  home.add("1-1.shell", ...command(3), ...command(4), ...command(5), ...command(6));
  ingest(home.spool, home.history);
  assert.deepEqual(
    home.ask("select ticket from srvaudit_commands order by command_id").map((row) => row.ticket),
    ["1", "1", "2", "2", "3", "3"],
  );
});

Deno.test("a switch that is read after a command that was faster is made good", () => {
  using home = new Home();
  const login = opened({ leaderPid: alive().pid, leaderStartTicks: alive().startTicks, ticket: "1" });
  home.add(`${login.session}.session`, { type: "event", event: login });
  home.add("1-1.shell", shell(alive()), ...command(1), ...command(2), ...command(3));
  ingest(home.spool, home.history);
  home.add(`${login.session}.session`, {
    type: "event",
    event: { kind: "ticket switched", session: login.session, atUs: T0 + 2_000_000, from: "1", to: "2" },
  });
  ingest(home.spool, home.history);
  assert.deepEqual(
    home.ask("select ticket from srvaudit_commands order by command_id").map((row) => row.ticket),
    ["1", "2", "2"],
  );
});

Deno.test("a shell belongs to the session that it leads, or else to the one it claims, if that is the same user's", () => {
  using home = new Home();
  const led = opened();
  const claimed = opened({ leaderPid: GONE.pid - 1 });
  for (const event of [led, claimed]) home.add(`${event.session}.session`, { type: "event", event });
  home.add("1-1.shell", shell({ session: claimed.session }), ...command(1));
  home.add("2-2.shell", shell({ pid: GONE.pid - 2, session: claimed.session }), ...command(1));
  home.add("3-3.shell", shell({ pid: GONE.pid - 3, session: claimed.session, uid: 0 }), ...command(1));
  home.add("4-4.shell", shell({ pid: GONE.pid - 4 }), ...command(1));
  ingest(home.spool, home.history);
  assert.deepEqual(home.ask("select pid, login_session, known_by from srvaudit_shells order by pid desc"), [
    { pid: GONE.pid, login_session: led.session, known_by: "leader" },
    { pid: GONE.pid - 2, login_session: claimed.session, known_by: "claim" },
    { pid: GONE.pid - 3, login_session: null, known_by: null },
    { pid: GONE.pid - 4, login_session: null, known_by: null },
  ]);
});

Deno.test("a login session whose leader is gone is closed as its shell's last word says, and its files are removed", () => {
  const cases = [
    { words: [exit(3)], how: "logout", code: 3 },
    { words: [exit(129)], how: "hangup", code: 129 },
    { words: [], how: "killed", code: null },
  ];
  for (const { words, how, code } of cases) {
    using home = new Home();
    const login = opened();
    home.add(`${login.session}.session`, { type: "event", event: login });
    home.add("1-1.shell", shell({ session: login.session }), ...command(1), ...words);
    const report = ingest(home.spool, home.history);
    assert.equal(report.removed, 2);
    assert.deepEqual(home.names(), []);
    assert.deepEqual(home.ask("select id, how_closed, exit_code from srvaudit_sessions"), [
      { id: login.session, how_closed: how, exit_code: code },
    ]);
  }
});

Deno.test("a login session whose shell was killed ends with that shell", async () => {
  using home = new Home();
  const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  const leader = processOf(child.pid);
  assert.ok(leader);
  const login = opened({ leaderPid: leader.pid, leaderStartTicks: leader.startTicks });
  home.add(`${login.session}.session`, { type: "event", event: login });
  ingest(home.spool, home.history);
  child.kill("SIGKILL");
  await child.status;
  // The shell's file is new to the ingest that finds the leader gone.
  home.add("1-1.shell", shell({ ...leader, session: login.session }), ...command(1));
  Deno.utimeSync(`${home.spool}/1-1.shell`, 1_700_000_009, 1_700_000_009);
  ingest(home.spool, home.history);
  assert.deepEqual(home.ask("select how_closed, closed_us from srvaudit_sessions"), [
    { how_closed: "killed", closed_us: 1_700_000_009_000_000 },
  ]);
  assert.deepEqual(home.names(), []);
});

Deno.test("a login session that was closed by a dialogue keeps what that said", () => {
  using home = new Home();
  const login = opened();
  home.add(
    `${login.session}.session`,
    { type: "event", event: login },
    {
      type: "event",
      event: { kind: "note", session: login.session, atUs: T0 + 1, ticket: "17", text: "done\nall of it" },
    },
    {
      type: "event",
      event: {
        kind: "status",
        session: login.session,
        atUs: T0 + 2,
        ticket: "17",
        from: "New",
        to: "Closed",
      },
    },
    {
      type: "event",
      event: { kind: "session closed", session: login.session, atUs: T0 + 3, how: "logout", exitCode: 0 },
    },
  );
  home.add("1-1.shell", shell(), ...command(1), exit(1));
  assert.equal(ingest(home.spool, home.history).events, 4);
  assert.deepEqual(home.ask("select closed_us, exit_code from srvaudit_sessions"), [{
    closed_us: T0 + 3,
    exit_code: 0,
  }]);
  assert.deepEqual(home.ask("select kind, ticket, from_value, to_value, text from srvaudit_events"), [
    { kind: "note", ticket: "17", from_value: null, to_value: null, text: "done\nall of it" },
    { kind: "status", ticket: "17", from_value: "New", to_value: "Closed", text: null },
  ]);
});

Deno.test("a login session's file stays as long as one of its shells is there", () => {
  using home = new Home();
  const login = opened();
  home.add(`${login.session}.session`, { type: "event", event: login });
  home.add("1-1.shell", shell({ session: login.session }), ...command(1), exit(0));
  home.add("2-2.shell", shell({ ...alive(), session: login.session }), ...command(1));
  ingest(home.spool, home.history);
  assert.deepEqual(home.names(), ["2-2.shell", `${login.session}.session`].sort());
  assert.equal(home.ask("select closed_us from srvaudit_sessions")[0]?.closed_us, T0 + 60_000_000);
  assert.equal(ingest(home.spool, home.history).removed, 0);
});
