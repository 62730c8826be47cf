import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { HistoryError } from "../../src/history/history.ts";
import { ingest } from "../../src/history/ingest.ts";
import { shellRowOfThisProcess } from "../../src/history/this_shell.ts";
import { encodeRecord } from "../../src/record/spool.ts";
import { alive, command, end, exit, GONE, Home, shell, start, T0 } from "../support/spool_files.ts";

const commandsOf = (home: Home) =>
  home.ask("select command from commands order by id").map((row) => row.command);

Deno.test("ingest() stores a shell and its commands as ASH has them", () => {
  using home = new Home();
  home.add(
    "1-1.shell",
    shell({
      tty: "/dev/pts/3",
      timeZone: "+0200",
      sshClient: "203.0.113.9 50022 22",
      sudoUser: "bob",
      sudoUid: "1001",
    }),
    start(1, "grep -r x . | head\nwc"),
    end(1, { atUs: T0 + 4_100_000, exitCode: 1, pipeStates: [0, 141, 1] }),
    exit(0),
  );
  const report = ingest(home.spool, home.history);
  assert.equal(report.commands, 1);
  assert.equal(report.shells, 1);
  const [session] = home.ask("select * from sessions");
  assert.deepEqual({ ...session, host_ip: "" }, {
    id: 1,
    hostname: Deno.hostname(),
    host_ip: "",
    ppid: 1,
    pid: GONE.pid,
    time_zone: "+02:00",
    start_time: 1_700_000_000,
    end_time: 1_700_000_060,
    duration: 60,
    tty: "/dev/pts/3",
    uid: 1000,
    euid: 1000,
    logname: "alice",
    shell: "bash",
    sudo_user: "bob",
    sudo_uid: 1001,
    ssh_client: "203.0.113.9 50022 22",
    ssh_connection: null,
  });
  assert.deepEqual(home.ask("select * from commands"), [{
    id: 1,
    session_id: 1,
    shell_level: 1,
    command_no: 1,
    tty: "/dev/pts/0",
    euid: 1000,
    cwd: "/home/alice",
    rval: 1,
    start_time: 1_700_000_001,
    end_time: 1_700_000_004,
    duration: 3,
    pipe_cnt: 3,
    pipe_vals: "0_141_1",
    command: "grep -r x . | head\nwc",
  }]);
});

Deno.test("ingest() done twice changes nothing, and says that there was nothing", () => {
  using home = new Home();
  home.add("1-1.shell", shell(alive()), ...command(1), ...command(2));
  assert.equal(ingest(home.spool, home.history).commands, 2);
  const before = home.ask("select * from commands");
  assert.deepEqual(ingest(home.spool, home.history), {
    commands: 0,
    shells: 0,
    events: 0,
    removed: 0,
    finished: [],
    waiting: [],
    damaged: [],
    unreadable: [],
    leaving: 0,
  });
  assert.deepEqual(home.ask("select * from commands"), before);
});

Deno.test("ingest() of no spool at all makes no database", () => {
  using home = new Home();
  Deno.removeSync(home.spool);
  assert.equal(ingest(home.spool, home.history).commands, 0);
  assert.throws(() => Deno.statSync(home.history), Deno.errors.NotFound);
});

Deno.test("the history and its folder are for their owner alone", () => {
  using home = new Home();
  Deno.chmodSync(`${home.folder}/.ash`, 0o755);
  home.add("1-1.shell", shell(alive()), ...command(1));
  ingest(home.spool, home.history);
  assert.equal((Deno.statSync(home.history).mode ?? 0) & 0o777, 0o600);
  assert.equal((Deno.statSync(`${home.folder}/.ash`).mode ?? 0) & 0o777, 0o700);
});

Deno.test("a command that still runs waits for its end, and is looked at no more until then", () => {
  using home = new Home();
  home.add("1-1.shell", shell(alive()), ...command(1), start(2, "sleep 100"));
  assert.equal(ingest(home.spool, home.history).commands, 1);
  const position = home.ask("select position, seen from srvaudit_spool");
  assert.equal(ingest(home.spool, home.history).commands, 0);
  assert.deepEqual(home.ask("select position, seen from srvaudit_spool"), position);
  home.add("1-1.shell", end(2, { exitCode: 3, pipeStates: [] }));
  assert.equal(ingest(home.spool, home.history).commands, 1);
  assert.deepEqual(home.ask("select rval, pipe_cnt, pipe_vals from commands where command_no = 2"), [
    { rval: 3, pipe_cnt: 1, pipe_vals: "3" },
  ]);
});

Deno.test("a command without an end is stored when the next one starts", () => {
  using home = new Home();
  home.add("1-1.shell", shell(alive()), start(1, "lost"), start(5, "next"));
  assert.equal(ingest(home.spool, home.history).commands, 1);
  assert.deepEqual(
    home.ask(`select rval, end_time, pipe_cnt, duration, end_us, command from commands
    join srvaudit_commands on command_id = id`),
    [{ rval: -1, end_time: 1_700_000_005, pipe_cnt: null, duration: 4, end_us: null, command: "lost" }],
  );
});

Deno.test("a command whose shell vanished ends when its file was last written to, and the file is removed", () => {
  using home = new Home();
  home.add("1-1.shell", shell(), ...command(1), start(2, "kill -9 $$"));
  Deno.utimeSync(`${home.spool}/1-1.shell`, 1_700_000_009, 1_700_000_009);
  const report = ingest(home.spool, home.history);
  assert.equal(report.commands, 2);
  assert.equal(report.removed, 1);
  assert.deepEqual(home.names(), []);
  assert.deepEqual(
    home.ask(
      "select rval, end_time, end_us from commands join srvaudit_commands on command_id = id where command_no = 2",
    ),
    [{ rval: -1, end_time: 1_700_000_009, end_us: null }],
  );
  assert.deepEqual(home.ask("select end_time, duration from sessions"), [{
    end_time: 1_700_000_009,
    duration: 9,
  }]);
});

Deno.test("a command during which its shell exits has the shell's exit code", () => {
  using home = new Home();
  home.add("1-1.shell", shell(), start(1, "exit 7"), exit(7, T0 + 3_000_000));
  ingest(home.spool, home.history);
  assert.deepEqual(home.ask("select rval, end_time from commands"), [{ rval: 7, end_time: 1_700_000_003 }]);
});

Deno.test("an end that comes after its command was given up is not lost", () => {
  using home = new Home();
  home.add(
    "1-1.shell",
    shell(alive()),
    start(1, "a"),
    start(2, "b"),
    end(2),
    end(1, { exitCode: 4, pipeStates: [4] }),
  );
  ingest(home.spool, home.history);
  assert.deepEqual(home.ask("select rval from commands order by command_no"), [{ rval: 4 }, { rval: 0 }]);
});

Deno.test("a torn record waits for its rest", () => {
  using home = new Home();
  const bytes = encodeRecord(end(1));
  home.add("1-1.shell", shell(alive()), start(1, "ls"), bytes.subarray(0, 9));
  assert.equal(ingest(home.spool, home.history).commands, 0);
  home.add("1-1.shell", bytes.subarray(9));
  const report = ingest(home.spool, home.history);
  assert.equal(report.commands, 1);
  assert.deepEqual(report.damaged, []);
});

Deno.test("damage is skipped, counted once, and said", () => {
  using home = new Home();
  const noise = new TextEncoder().encode("\x1eSA1\0start\0what is this");
  home.add("1-1.shell", shell(alive()), ...command(1), noise, ...command(2), start(3, "sleep"), noise);
  const report = ingest(home.spool, home.history);
  assert.equal(report.commands, 2);
  assert.deepEqual(report.damaged, [{ file: `${home.spool}/1-1.shell`, count: 1 }]);
  home.add("1-1.shell", end(3));
  assert.deepEqual(ingest(home.spool, home.history).damaged, [{ file: `${home.spool}/1-1.shell`, count: 1 }]);
  assert.deepEqual(home.ask("select damaged from srvaudit_spool"), [{ damaged: 2 }]);
});

Deno.test("commands whose shell's introduction is damaged are stored all the same", () => {
  using home = new Home();
  home.add("999999999-1.shell", encodeRecord(shell()).subarray(0, 40), ...command(1), ...command(2));
  const report = ingest(home.spool, home.history);
  assert.equal(report.commands, 2);
  assert.deepEqual(home.ask("select pid, shell from sessions"), [{ pid: 999_999_999, shell: "unknown" }]);
  assert.deepEqual(home.names(), []);
});

Deno.test("bytes that are not UTF-8 are kept readable in ASH's column and whole in ours", () => {
  using home = new Home();
  const text = new Uint8Array([0x61, 0xff, 0x00, 0xc3, 0xa9]);
  const directory = new Uint8Array([0x2f, 0xe9]);
  home.add("1-1.shell", shell(), start(1, text, { directory }), end(1), ...command(2, "é ☃ 漢"));
  ingest(home.spool, home.history);
  assert.deepEqual(home.ask("select command, cwd from commands"), [
    { command: "a\\xff\\x00é", cwd: "/\\xe9" },
    { command: "é ☃ 漢", cwd: "/home/alice" },
  ]);
  assert.deepEqual(home.ask("select * from srvaudit_bytes"), [{ command_id: 1, directory, text }]);
});

Deno.test("a text that is missing or partial is marked", () => {
  using home = new Home();
  home.add(
    "1-1.shell",
    shell(),
    start(1, "", { textState: "missing" }),
    end(1),
    start(2, "for x", { textState: "partial" }),
    end(2),
  );
  ingest(home.spool, home.history);
  assert.deepEqual(
    home.ask("select command, text_state from commands join srvaudit_commands on command_id = id"),
    [
      { command: "[text not given by the shell]", text_state: "missing" },
      { command: "for x", text_state: "partial" },
    ],
  );
});

Deno.test("a clock that was set back makes no negative duration", () => {
  using home = new Home();
  home.add(
    "1-1.shell",
    shell(),
    start(1, "date -s"),
    end(1, { atUs: T0 - 5_000_000 }),
    exit(0, T0 - 4_000_000),
  );
  ingest(home.spool, home.history);
  assert.deepEqual(home.ask("select duration from commands union all select duration from sessions"), [
    { duration: 0 },
    { duration: 0 },
  ]);
});

Deno.test("a file that comes back is not taken in twice", () => {
  using home = new Home();
  home.add("1-1.shell", shell(), ...command(1), ...command(2), exit(0));
  const copy = Deno.readFileSync(`${home.spool}/1-1.shell`);
  ingest(home.spool, home.history);
  home.add("1-1.shell", copy, ...command(3));
  assert.equal(ingest(home.spool, home.history).commands, 1);
  assert.deepEqual(commandsOf(home), ["echo 1", "echo 2", "echo 3"]);
  assert.equal(home.ask("select * from sessions").length, 1);
});

Deno.test("a number that a shell gives twice loses no command", () => {
  using home = new Home();
  home.add(
    "1-1.shell",
    shell(),
    ...command(1, "first"),
    start(1, "second", { atUs: T0 + 9_000_000 }),
    end(1),
  );
  ingest(home.spool, home.history);
  assert.deepEqual(home.ask("select command_no, command from commands"), [
    { command_no: 1, command: "first" },
    { command_no: null, command: "second" },
  ]);
});

Deno.test("a shell that becomes another one (exec bash) gets a row of its own", () => {
  using home = new Home();
  home.add(
    "1-1.shell",
    shell(),
    ...command(1),
    start(2, "exec zsh"),
    shell({ atUs: T0 + 9_000_000, shell: "zsh 5.9" }),
  );
  home.add("1-1.shell", ...command(1, "in zsh"));
  ingest(home.spool, home.history);
  assert.deepEqual(
    home.ask(
      "select s.shell, s.end_time is null as open, c.command from commands c join sessions s on s.id = session_id",
    ),
    [
      { shell: "bash", open: 0, command: "echo 1" },
      { shell: "bash", open: 0, command: "exec zsh" },
      { shell: "zsh", open: 0, command: "in zsh" },
    ],
  );
});

Deno.test("a record that is longer than a batch is taken in", () => {
  using home = new Home();
  const long = "x".repeat(9_000_000);
  home.add("1-1.shell", shell(alive()), ...command(1), ...command(2, long), ...command(3));
  assert.equal(ingest(home.spool, home.history).commands, 3);
  assert.deepEqual(home.ask("select length(command) as l from commands where command_no = 2"), [{
    l: 9_000_000,
  }]);
});

Deno.test("the rows of a spool file that someone removed are closed when the shell is gone", () => {
  using home = new Home();
  home.add("1-1.shell", shell({ host: "elsewhere" }), ...command(1));
  Deno.removeSync(`${home.spool}/1-1.shell`);
  home.add("2-2.shell", shell({ host: "elsewhere" }), ...command(7));
  ingest(home.spool, home.history);
  assert.equal(home.ask("select * from sessions where end_time is null").length, 1);
  Deno.removeSync(`${home.spool}/2-2.shell`);
  ingest(home.spool, home.history);
  assert.deepEqual(home.ask("select end_time from sessions"), [{ end_time: 1_700_000_007 }]);
});

Deno.test("shellRowOfThisProcess() finds the shell by its process, not by a variable", () => {
  using home = new Home();
  home.add("1-1.shell", shell({ ...alive(), startTicks: 1 }), ...command(1));
  home.add("2-2.shell", shell(alive()), ...command(1));
  ingest(home.spool, home.history);
  const database = new DatabaseSync(home.history, { readOnly: true });
  try {
    const [row] = home.ask(
      `select session_id as id from srvaudit_shells where start_ticks = ${alive().startTicks}`,
    );
    assert.equal(shellRowOfThisProcess(database), row?.id);
  } finally {
    database.close();
  }
});

Deno.test("a history that a newer srvaudit has made is left alone", () => {
  using home = new Home();
  home.add("1-1.shell", shell(alive()), ...command(1));
  ingest(home.spool, home.history);
  const database = new DatabaseSync(home.history);
  database.exec("pragma user_version = 99");
  database.close();
  home.add("1-1.shell", ...command(2));
  assert.throws(
    () => ingest(home.spool, home.history),
    (error) => error instanceof HistoryError && error.reason === "newer",
  );
});
