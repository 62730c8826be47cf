import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { HistoryError } from "../../src/history/history.ts";
import { ingest } from "../../src/history/ingest.ts";
import type { SpoolRecord } from "../../src/record/event.ts";
import { encodeRecord } from "../../src/record/spool.ts";
import { linkSpool } from "../../src/record/spool_links.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run, succeed } from "../support/run.ts";
import { alive, command, GONE, Home, opened, shell, start, T0 } from "../support/spool_files.ts";

const SRVAUDIT = new URL("../../dist/srvaudit", import.meta.url).pathname;
const ASH_FIXTURE = new URL("../fixtures/ash/history.sql", import.meta.url);

function ask(file: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare(sql).all().map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

function change(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

/** Starts an ingest as a process of its own, which can be killed. */
function startIngest(home: Home, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(SRVAUDIT, {
    args: ["ingest", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    // Whatever agent this machine has is none of its business.
    env: { HOME: home.folder, SRVAUDIT_ROOT: `${home.folder}/root` },
  }).spawn();
}

/** Waits until something holds that other processes bring about. */
async function until(what: string, holds: () => boolean): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited for 30 seconds in vain: ${what}`);
}

function fails(home: Home, reason: HistoryError["reason"]): void {
  assert.throws(
    () => ingest(home.spool, home.history),
    (error) => error instanceof HistoryError && error.reason === reason,
  );
}

Deno.test("50 processes at once, some of them killed, lose and double nothing while the spool grows", async () => {
  using home = new Home();
  const shells = 8;
  const numbers = 400;
  const rest = new Map<string, Uint8Array>();
  for (let i = 0; i < shells; i++) {
    // Half of them are there all the time; the others are gone as soon as they have written all.
    const name = `${i}-1.shell`;
    const isThere = i % 2 === 0;
    home.add(
      name,
      shell({ ...(isThere ? alive() : GONE), atUs: T0 + i, host: isThere ? Deno.hostname() : "elsewhere" }),
    );
    const records = Array.from({ length: numbers }, (_, k) => command(k + 1, `echo ${i} ${k + 1}`)).flat();
    rest.set(name, new Uint8Array(records.flatMap((record) => [...encodeRecord(record)])));
  }
  const running = new Set<Promise<unknown>>();
  let started = 0;
  let at = 0;
  while (rest.size > 0 || started < 150) {
    while (running.size < 50) {
      const child = startIngest(home);
      // A third of them do not live to see their end.
      const timer = started++ % 3 === 0
        ? setTimeout(() => kill(child), 30 + (started * 37) % 200)
        : undefined;
      const ended: Promise<unknown> = child.status.then(() => {
        clearTimeout(timer);
        running.delete(ended);
      });
      running.add(ended);
    }
    // Pieces that end anywhere, as they do when a shell writes while we read.
    for (const [name, bytes] of rest) {
      const length = 1 + (at++ * 7919) % 6000;
      home.add(name, bytes.subarray(0, length));
      if (length < bytes.length) rest.set(name, bytes.subarray(length));
      else rest.delete(name);
    }
    await Promise.race(running);
  }
  await Promise.all(running);
  ingest(home.spool, home.history);
  assert.deepEqual(
    ask(
      home.history,
      "select count(*) as n, count(distinct session_id || ' ' || command_no) as numbers, count(distinct command) as texts from commands",
    ),
    [{ n: shells * numbers, numbers: shells * numbers, texts: shells * numbers }],
  );
  assert.deepEqual(ask(home.history, "select count(*) as n from sessions"), [{ n: shells }]);
  assert.deepEqual(ask(home.history, "pragma integrity_check"), [{ integrity_check: "ok" }]);
});

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended before.
  }
}

Deno.test("finished sessions that 20 processes take in at once are stored once and removed", async () => {
  using home = new Home();
  for (let i = 0; i < 40; i++) {
    const leader = { pid: GONE.pid - i, startTicks: i + 1 };
    const login = opened({ leaderPid: leader.pid, leaderStartTicks: leader.startTicks });
    home.add(`${login.session}.session`, { type: "event", event: login });
    home.add(
      `${leader.pid}-1.shell`,
      shell({ ...leader, session: login.session }),
      ...command(1),
      ...command(2),
      {
        type: "exit",
        atUs: T0 + 9_000_000,
        exitCode: 0,
      },
    );
  }
  const children = Array.from({ length: 20 }, () => startIngest(home));
  children.filter((_, i) => i % 4 === 0).forEach((child) => setTimeout(() => kill(child), 60));
  await Promise.all(children.map((child) => child.status));
  await startIngest(home).status;
  assert.deepEqual(home.names(), []);
  assert.deepEqual(ask(home.history, "select count(*) as n from commands"), [{ n: 80 }]);
  assert.deepEqual(ask(home.history, "select count(*) as n, how_closed from srvaudit_sessions group by 2"), [
    { n: 40, how_closed: "logout" },
  ]);
});

Deno.test("an ASH database is taken over as it is, and ASH goes on writing beside us", () => {
  using home = new Home();
  change(home.history, Deno.readTextFileSync(ASH_FIXTURE));
  Deno.chmodSync(home.history, 0o644);
  const before = ask(home.history, "select * from commands join sessions s on s.id = session_id order by 1");
  home.add("1-1.shell", shell(alive()), ...command(1));
  ingest(home.spool, home.history);
  // As ASH does it: numbers of its own for none of the ids.
  change(
    home.history,
    `insert into sessions (ppid, pid, time_zone, start_time, tty, uid, euid, shell)
     values (1, 2, 'UTC', 1700000000, 'pts/9', 1000, 1000, 'bash');
     insert into commands (session_id, shell_level, command_no, tty, euid, cwd, rval, start_time, end_time, duration,
       command) values ((select max(id) from sessions), 1, 1, 'pts/9', 1000, '/', 0, 1, 1, 0, 'ash''s own');`,
  );
  home.add("1-1.shell", ...command(2));
  ingest(home.spool, home.history);
  assert.deepEqual(
    ask(
      home.history,
      "select * from commands join sessions s on s.id = session_id where commands.id <= 12 order by 1",
    ),
    before,
  );
  assert.deepEqual(ask(home.history, "select id, session_id, command from commands where id > 12"), [
    { id: 13, session_id: 4, command: "echo 1" },
    { id: 14, session_id: 5, command: "ash's own" },
    { id: 15, session_id: 4, command: "echo 2" },
  ]);
  assert.equal((Deno.statSync(home.history).mode ?? 0) & 0o777, 0o600);
  assert.deepEqual(ask(home.history, "pragma journal_mode"), [{ journal_mode: "wal" }]);
});

/** Ways in which a database can be damaged. */
const DAMAGE: Record<string, (home: Home) => void> = {
  "it is no database": (home) =>
    Deno.writeFileSync(home.history, crypto.getRandomValues(new Uint8Array(9000))),
  "it is cut": (home) => Deno.truncateSync(home.history, 4096 * 3),
  "a page of it is flipped": (home) => {
    const [root] = ask(home.history, "select rootpage as page from sqlite_master where name = 'commands'");
    using file = Deno.openSync(home.history, { read: true, write: true });
    const page = new Uint8Array(4096);
    file.seekSync((Number(root?.page) - 1) * 4096, Deno.SeekMode.Start);
    file.readSync(page);
    file.seekSync((Number(root?.page) - 1) * 4096, Deno.SeekMode.Start);
    file.writeSync(page.map((byte) => byte ^ 0xff));
  },
};

for (const [how, damage] of Object.entries(DAMAGE)) {
  Deno.test(`a damaged history is set aside and begun anew from the spool: ${how}`, async () => {
    using home = new Home();
    home.add("1-1.shell", shell(alive()), ...command(1), ...command(2));
    ingest(home.spool, home.history);
    damage(home);
    home.add("1-1.shell", ...command(3));
    const { errors, code } = await run([SRVAUDIT, "ingest"], { env: { HOME: home.folder } });
    assert.equal(code, 0, errors);
    const [aside] = [...Deno.readDirSync(`${home.folder}/.ash`)].map((entry) => entry.name)
      .filter((name) => /^history\.db\.damaged-\d{4}-\d\d-\d\dT[\d:]+Z$/.test(name));
    assert.ok(aside);
    assert.match(errors, new RegExp(`^srvaudit: .*${aside}.*\n$`));
    assert.deepEqual(ask(home.history, "select command from commands").map((row) => row.command), [
      "echo 1",
      "echo 2",
      "echo 3",
    ]);
  });
}

Deno.test("a damaged history that 10 processes meet at once is set aside once", async () => {
  using home = new Home();
  home.add("1-1.shell", shell(alive()), ...command(1), ...command(2));
  DAMAGE["it is no database"]?.(home);
  const children = Array.from({ length: 10 }, () => startIngest(home));
  await Promise.all(children.map((child) => child.status));
  await startIngest(home).status;
  assert.equal(
    [...Deno.readDirSync(`${home.folder}/.ash`)].filter((entry) => /damaged/.test(entry.name)).length,
    1,
  );
  assert.deepEqual(ask(home.history, "select count(*) as n from commands"), [{ n: 2 }]);
});

Deno.test("a history that another process has locked is given up for now, and nothing is lost", () => {
  using home = new Home();
  home.add("1-1.shell", shell(alive()), ...command(1));
  ingest(home.spool, home.history);
  home.add("1-1.shell", ...command(2));
  const other = new DatabaseSync(home.history);
  try {
    other.exec("begin exclusive");
    fails(home, "locked");
    other.exec("rollback");
  } finally {
    other.close();
  }
  assert.equal(ingest(home.spool, home.history).commands, 1);
});

Deno.test({
  name: "a home that cannot be written gives an error that says so [not as root]",
  ignore: Deno.uid() === 0,
  fn() {
    using home = new Home();
    home.add("1-1.shell", shell(alive()), ...command(1));
    Deno.chmodSync(`${home.folder}/.ash`, 0o500);
    try {
      fails(home, "read-only");
    } finally {
      Deno.chmodSync(`${home.folder}/.ash`, 0o700);
    }
  },
});

/** A home on a file system of its own. */
async function onTmpfs(
  size: string,
  work: (home: Home, remount: (options: string) => Promise<string>) => Promise<void>,
) {
  using home = new Home();
  const folder = `${home.folder}/.ash`;
  await succeed(["mount", "-t", "tmpfs", "-o", `size=${size},mode=0700`, "srvaudit-test", folder]);
  try {
    Deno.mkdirSync(home.spool);
    await work(home, (options) => succeed(["mount", "-o", `remount,${options}`, folder]));
  } finally {
    await succeed(["umount", folder]);
  }
}

testThatNeeds(
  ["root", "mount"],
  "a home that is mounted read-only gives an error that says so",
  () =>
    onTmpfs("4m", async (home, remount) => {
      home.add("1-1.shell", shell(alive()), ...command(1));
      await remount("ro");
      fails(home, "read-only");
      await remount("rw");
      ingest(home.spool, home.history);
      home.add("1-1.shell", ...command(2));
      await remount("ro");
      fails(home, "read-only");
      await remount("rw");
      assert.equal(ingest(home.spool, home.history).commands, 1);
    }),
);

testThatNeeds(
  ["root", "mount"],
  "a full disk loses nothing once there is room again",
  () =>
    onTmpfs("3m", async (home, remount) => {
      home.add("1-1.shell", shell(alive()), ...command(1));
      ingest(home.spool, home.history);
      for (let i = 2; i < 2000; i++) home.add("1-1.shell", ...command(i, `echo ${i} ${"x".repeat(300)}`));
      const filler = `${home.folder}/.ash/filler`;
      try {
        Deno.writeFileSync(filler, new Uint8Array(4_000_000));
      } catch {
        // As full as it can be.
      }
      fails(home, "full");
      Deno.removeSync(filler);
      await remount("size=30m");
      assert.equal(ingest(home.spool, home.history).commands, 1998);
      assert.deepEqual(ask(home.history, "select count(*) as n from commands"), [{ n: 1999 }]);
    }),
);

testThatNeeds(
  ["root", "mount"],
  "a disk that is full before there is a history gives an error that says so",
  () =>
    onTmpfs("1m", async (home) => {
      home.add("1-1.shell", shell(alive()), ...command(1));
      const filler = `${home.folder}/.ash/filler`;
      try {
        Deno.writeFileSync(filler, new Uint8Array(4_000_000));
      } catch {
        // As full as it can be.
      }
      fails(home, "full");
      Deno.removeSync(filler);
      assert.equal(ingest(home.spool, home.history).commands, 1);
      await Promise.resolve();
    }),
);

Deno.test("srvaudit ingest --linger takes news in by itself, and ends after a silence", async () => {
  using home = new Home();
  home.add("1-1.shell", shell(alive()), ...command(1));
  const child = startIngest(home, "--linger", "3");
  const count = () => {
    try {
      return Number(ask(home.history, "select count(*) as n from commands")[0]?.n);
    } catch {
      return 0;
    }
  };
  await until("the first command", () => count() === 1);
  home.add("1-1.shell", ...command(2), start(3, "sleep"));
  await until("the second command", () => count() === 2);
  // A second one has nothing to do and says so by ending at once, with success.
  assert.equal((await startIngest(home, "--linger", "3600").status).code, 0);
  assert.equal((await child.status).code, 0);
  assert.deepEqual(home.names(), [".ingest.lock", "1-1.shell"]);
});

Deno.test("srvaudit ingest --linger takes in what comes to files that are but linked to, old and new", async () => {
  using home = new Home();
  const hostSpool = `${home.folder}/root/var/spool/srvaudit`;
  Deno.mkdirSync(hostSpool, { recursive: true });
  const files = [1, 2].map((number) => `${hostSpool}/stray.${number}-1-${number}.shell`);
  const add = (file: string, ...records: SpoolRecord[]) => {
    for (const record of records) Deno.writeFileSync(file, encodeRecord(record), { append: true });
  };
  const count = () => {
    try {
      return Number(ask(home.history, "select count(*) as n from commands")[0]?.n);
    } catch {
      return 0;
    }
  };
  for (const file of files) add(file, shell(alive()), ...command(1));
  const [first = "", second = ""] = files;
  linkSpool(home.spool, { spool: first, sessionFile: null, session: null });
  const child = startIngest(home, "--linger", "3600");
  await until("what was there", () => count() === 1);
  add(first, ...command(2));
  await until("what came", () => count() === 2);
  linkSpool(home.spool, { spool: second, sessionFile: null, session: null });
  await until("a new file", () => count() === 3);
  add(second, ...command(2));
  await until("what came to it", () => count() === 4);
  child.kill();
  await child.status;
});

Deno.test("srvaudit ingest --linger ends when the spool is no more, and makes no new one", async () => {
  using home = new Home();
  home.add("1-1.shell", shell(alive()), ...command(1));
  const child = startIngest(home, "--linger", "3600");
  await until("the first ingest", () => {
    try {
      return ask(home.history, "select * from commands").length === 1;
    } catch {
      return false;
    }
  });
  Deno.removeSync(`${home.folder}/.ash`, { recursive: true });
  assert.equal((await child.status).code, 0);
  assert.deepEqual([...Deno.readDirSync(home.folder)], []);
});

Deno.test("srvaudit says how it is called, and refuses what it does not know", async () => {
  const help = await run([SRVAUDIT, "--help"]);
  assert.equal(help.code, 0);
  assert.match(help.text, /^Usage: srvaudit /);
  assert.ok(help.text.split("\n").length <= 24);
  assert.match((await run([SRVAUDIT, "--version"])).text, /^srvaudit \d+\.\d+\.\d+\n$/);
  for (
    const args of [[], ["nonsense\x1b[31m"], ["ingest", "--linger", "soon"], ["ingest", "--linger"], [
      "ingest",
      "x",
    ]]
  ) {
    const wrong = await run([SRVAUDIT, ...args]);
    assert.equal(wrong.code, 2, args.join(" "));
    assert.match(wrong.errors, /^srvaudit: [ -~]+\n$/);
    assert.equal(wrong.text, "");
  }
});
