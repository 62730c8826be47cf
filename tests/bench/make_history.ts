/**
 * Makes a history as large as those of years: for benchmarks.
 *
 *     deno run -A tests/bench/make_history.ts FILE [COMMANDS [SHELLS [DIRECTORIES]]]
 */

import { openHistory } from "../../src/history/history.ts";
import { transaction } from "../../src/sqlite/database.ts";

/** What people type most, with `%` where something differs each time. */
const TEXTS = [
  "ls -la",
  "cd ..",
  "git status",
  "git diff --stat HEAD~%",
  "git commit -m 'change number %'",
  "make -j2 all",
  "vim src/module_%.ts",
  "grep -rn 'needle %' . | head",
  "sudo systemctl restart worker@%.service",
  "journalctl -u nginx --since '% minutes ago' | grep error",
  "for host in web0{1..4}; do\n  ssh $host uptime # %\ndone",
  "docker run --rm -it image:% bash",
  "tail -f /var/log/syslog",
  "curl -s https://example.com/api/v1/items/%",
  "kubectl get pods -n team-%",
  "sqlite3 data_%.db 'select count(*) from events'",
  "echo 'é ☃ 漢 %'",
  "psql -c 'select % from orders'",
  "rsync -a build/ web01:/srv/app-%/",
  "python3 - <<'END'\nprint(%)\nEND",
];

/** How large it shall be. */
export interface Size {
  commands: number;
  shells: number;
  directories: number;
}

/** A million commands, as the budgets have it. */
export const MILLION: Size = { commands: 1_000_000, shells: 2000, directories: 300 };

/** 2023-11-14 22:13:20 UTC. */
const FIRST_S = 1_700_000_000;
/** The seconds between two commands: a million of them fill a year. */
const STEP_S = 31;

/**
 * Fills a new history. The same size makes the same history, row for row.
 *
 * @param file the database; must not be there
 * @param size how much of everything
 * @throws {Error} if the file is there
 */
export function makeHistory(file: string, size: Size): void {
  Deno.openSync(file, { write: true, createNew: true, mode: 0o600 }).close();
  const database = openHistory(file);
  try {
    transaction(database, () => {
      // Faster than to keep them right row by row.
      const indexes = database.prepare(
        "select name, sql from sqlite_master where type = 'index' and sql is not null and tbl_name like '%commands'",
      ).all();
      for (const { name } of indexes) database.exec(`drop index ${name}`);
      fill(database, size);
      for (const { sql } of indexes) database.exec(String(sql));
    });
    database.exec("pragma wal_checkpoint(truncate)");
  } finally {
    database.close();
  }
}

function fill(database: ReturnType<typeof openHistory>, size: Size): void {
  database.exec("create temp table texts (id integer primary key, text text)");
  const addText = database.prepare("insert into texts values (?, ?)");
  TEXTS.forEach((text, i) => addText.run(i, text));
  database.exec("create temp table places (id integer primary key, path text)");
  const addPlace = database.prepare("insert into places values (?, ?)");
  for (let i = 0; i < size.directories; i++) addPlace.run(i, directory(i));
  const perShell = Math.ceil(size.commands / size.shells);
  const numbers = (count: number) =>
    `with recursive n (i) as (select 0 union all select i + 1 from n limit ${Math.floor(count)})`;
  database.exec(`
    ${numbers(size.shells)} insert into sessions
    select i + 1, 'web01', '192.0.2.7', 1000 + i, 2000 + i, 'UTC', ${FIRST_S} + i * ${perShell * STEP_S},
      ${FIRST_S} + (i + 1) * ${perShell * STEP_S}, ${
    perShell * STEP_S
  }, '/dev/pts/' || i % 9, 1000, 1000, 'alice',
      'bash', null, null, '203.0.113.9 50022 22', '203.0.113.9 50022 192.0.2.7 22'
    from n;

    ${
    numbers(size.shells)
  } insert into srvaudit_sessions (id, user, uid, host, tty, from_address, mode, command, shell,
      opened_us, closed_us, how_closed, exit_code, leader_pid, leader_start_ticks, boot_id)
    select ${session("i")}, 'alice', 1000, 'web01', '/dev/pts/' || i % 9, '203.0.113.9', 'interactive', null,
      '/bin/bash', s.start_time * 1000000, s.end_time * 1000000, 'logout', 0, 2000 + i, 100 + i, 'bench'
    from n join sessions s on s.id = i + 1;

    ${numbers(size.shells)} insert into srvaudit_shells
    select i + 1, ${session("i")}, 'leader', ${
    session("i")
  }, 2000 + i, 100 + i, 'bench', 'bash 5.2.15(1)-release', 1,
      s.start_time * 1000000, s.end_time * 1000000, s.end_time * 1000000, 0
    from n join sessions s on s.id = i + 1;

    ${numbers(size.shells)} insert into srvaudit_tickets
    select ${session("i")}, 1 + i % 150, s.start_time * 1000000 from n join sessions s on s.id = i + 1;

    ${numbers(size.commands)} insert into commands
    select i + 1, 1 + i / ${perShell}, 1, 1 + i % ${perShell}, '/dev/pts/' || (i / ${perShell}) % 9, 1000, p.path,
      case when i % 11 = 0 then 1 + i % 127 else 0 end, ${FIRST_S} + i * ${STEP_S},
      ${FIRST_S} + i * ${STEP_S} + (i * 7 % 97) / 90 * (i % ${STEP_S}), (i * 7 % 97) / 90 * (i % ${STEP_S}), 1,
      case when i % 11 = 0 then 1 + i % 127 else 0 end, replace(t.text, '%', i * 7919 % 10007)
    from n join texts t on t.id = i * 7919 % ${TEXTS.length}
      join places p on p.id = (i / 23 * 104729) % ${size.directories};

    insert into srvaudit_commands
    select id, ${
    session("(session_id - 1)")
  }, 1 + (session_id - 1) % 150, start_time * 1000000, end_time * 1000000,
      'whole' from commands;
  `);
}

/** A tree as people have it: some places right under the home, most a few folders deep. */
function directory(i: number): string {
  if (i === 0) return "/home/alice";
  if (i % 10 === 1) return ["/etc", "/var/log", "/tmp", "/srv/app"][(i - 1) / 10] ?? `/srv/app/release${i}`;
  return i % 3 === 0 ? `/home/alice/work/project${i}` : `/home/alice/work/project${i % 25}/src/part${i}`;
}

/** A session id of the right form, in SQL. */
function session(i: string): string {
  return `printf('0190163d-8694-739b-aea5-%012x', ${i})`;
}

if (import.meta.main) {
  const [file, commands, shells, directories] = Deno.args;
  if (!file) {
    console.error("usage: make_history.ts FILE [COMMANDS [SHELLS [DIRECTORIES]]]");
    Deno.exit(2);
  }
  makeHistory(file, {
    commands: Number(commands ?? MILLION.commands),
    shells: Number(shells ?? MILLION.shells),
    directories: Number(directories ?? MILLION.directories),
  });
}
