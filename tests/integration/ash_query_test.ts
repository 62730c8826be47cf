import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { HELP } from "../../src/ash_query/help.ts";
import { OPTIONS } from "../../src/ash_query/options.ts";
import { effectiveUid } from "../../src/posix/libc.ts";
import { encodeRecord } from "../../src/record/spool.ts";
import { existingProcess, openSession } from "../support/fake_session.ts";
import { testThatNeeds } from "../support/needs.ts";
import { start } from "../support/pty.ts";
import { run, type RunOptions } from "../support/run.ts";

// libc is opened once and for good: before the first test, or Deno would call it that test's leak.
effectiveUid();

const ROOT = new URL("../../", import.meta.url).pathname;
const FIXTURES = `${ROOT}tests/fixtures/ash`;
const ASH_QUERY = `${ROOT}dist/ash_query`;

/** A home of its own, with ASH's database of examples beside it. */
class Home {
  readonly path = Deno.realPathSync(Deno.makeTempDirSync());
  readonly database = `${this.path}/ash.db`;
  readonly env: Record<string, string> = {
    HOME: this.path,
    SRVAUDIT_ROOT: this.path,
    ASH_CFG_SYSTEM_QUERY_FILE: `${FIXTURES}/queries`,
    ASH_CFG_HISTORY_DB: this.database,
    TZ: "UTC",
  };

  constructor() {
    const database = new DatabaseSync(this.database);
    database.exec(Deno.readTextFileSync(`${FIXTURES}/history.sql`));
    database.close();
  }

  ask(args: readonly string[], env: Record<string, string> = {}, options: RunOptions = {}) {
    return run([ASH_QUERY, ...args], { cwd: this.path, ...options, env: { ...this.env, ...env } });
  }

  async rows(args: readonly string[], env: Record<string, string> = {}, options: RunOptions = {}) {
    const { code, text, errors } = await this.ask([...args, "-f", "json"], env, options);
    assert.equal(code, 0, errors);
    const rows: Record<string, unknown>[] = JSON.parse(text);
    return rows;
  }

  write(file: string, text: string): void {
    Deno.mkdirSync(`${this.path}/${file}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${this.path}/${file}`, text);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("aligned, auto and null are ASH's own output, byte for byte", async () => {
  using home = new Home();
  const names = [...Deno.readDirSync(`${FIXTURES}/expected`)].map(({ name }) => name)
    .filter((name) => name !== "list-queries.txt");
  assert.equal(names.length, 15);
  for (const name of names) {
    const [query = "", format = ""] = name.split(".");
    const args = query === "SESSION-2" ? ["-q", "SESSION"] : ["-q", query];
    const { code, stdout } = await home.ask([...args, `-f${format}`], { ASH_SESSION_ID: "2" });
    assert.equal(code, 0);
    assert.deepEqual(stdout, Deno.readFileSync(`${FIXTURES}/expected/${name}`), name);
  }
});

Deno.test("-Q lists queries as ASH does, and -Q with -f in that format", async () => {
  using home = new Home();
  const { text } = await home.ask(["-Q"]);
  const ours = text.split("\n");
  const expected = Deno.readTextFileSync(`${FIXTURES}/expected/list-queries.txt`).split("\n");
  const squeezed = (line: string) => line.replace(/ +/g, " ");
  for (const line of expected) assert(ours.map(squeezed).includes(squeezed(line)), line);
  assert.equal(new Set(ours.slice(0, -1).map((line) => line.length)).size, 1);
  const listed = await home.rows(["-Q"]);
  assert(listed.some((row) => row["Query"] === "BRACES" && row["Description"] === "Braces inside the SQL."));
});

Deno.test("the queries that are shipped run on a plain ASH database, but for TICKET", async () => {
  using home = new Home();
  const names = (await home.rows(["-Q"], { ASH_CFG_SYSTEM_QUERY_FILE: "" })).map((row) => row["Query"]);
  assert.deepEqual(names, ["CWD", "DEMO", "FAILED", "ME", "RCWD", "SESSIONS", "SLOW", "TICKET", "TODAY"]);
  for (const name of names) {
    const { code, errors } = await home.ask(["-q", String(name)]);
    assert.equal(code, name === "TICKET" ? 1 : 0, errors);
    if (name === "TICKET") {
      assert.match(errors, /knows no tickets and no login sessions: it is a plain ASH history/);
    }
  }
});

Deno.test("later query files win; missing ones are no matter", async () => {
  using home = new Home();
  home.write(
    "etc/ash/queries",
    'A: { description: "etc" sql: { select 1 } } B: { description: "etc" sql: { x } }',
  );
  home.write("system", 'A: { description: "system" sql: { select 2 } }');
  home.write(
    ".ash/queries",
    'B: { description: "user" sql: { select 4 as n } } CWD: { description: "own" sql: { x } }',
  );
  const env = { ASH_CFG_SYSTEM_QUERY_FILE: `${home.path}/system` };
  const described = Object.fromEntries(
    (await home.rows(["-Q"], env)).map((row) => [row["Query"], row["Description"]]),
  );
  assert.deepEqual([described["A"], described["B"], described["CWD"]], ["system", "user", "own"]);
  assert.deepEqual(await home.rows(["-q", "B"], { ASH_CFG_SYSTEM_QUERY_FILE: "/no/such/file" }), [{ n: 4 }]);
});

Deno.test("a broken query file is named with its line, on stderr", async () => {
  using home = new Home();
  home.write(".ash/queries", "\nBROKEN {\n");
  const { code, text, errors } = await home.ask(["-Q"]);
  assert.deepEqual([code, text], [1, ""]);
  assert.equal(
    errors,
    `ash_query: ${home.path}/.ash/queries:2: expected ":" after the name BROKEN, found "{"\n`,
  );
});

Deno.test("a directory of any name is only a name", async () => {
  using home = new Home();
  const database = new DatabaseSync(home.database);
  const names = ["o'brien", "$(reboot)", "' or 1=1 --", "`id`", '"', "a\nb", "*", "%", "漢é☃"];
  names.forEach((name, i) => {
    const insert = database.prepare(
      "insert into commands values (?, 9, 1, ?, '', 0, ?, 0, 1700000000, 1700000000, 0, 1, '0', ?)",
    );
    insert.run(100 + 2 * i, 2 * i, `${home.path}/${name}`, `in ${name}`);
    insert.run(101 + 2 * i, 2 * i + 1, `${home.path}/${name}/below`, `below ${name}`);
  });
  database.close();
  for (const name of names) {
    const cwd = `${home.path}/${name}`;
    Deno.mkdirSync(cwd);
    for (const env of [{ PWD: cwd }, { PWD: "/elsewhere" }]) {
      assert.deepEqual((await home.rows(["-q", "CWD"], env, { cwd })).map((row) => row["what"]), [
        `in ${name}`,
      ]);
    }
    const both = [`in ${name}`, `below ${name}`];
    assert.deepEqual((await home.rows(["-q", "RCWD"], {}, { cwd })).map((row) => row["what"]), both);
    assert.deepEqual((await home.rows(["--cwd", name])).map((row) => row["what"]), both);
    assert.deepEqual((await home.rows(["--cwd", ".", "--grep", `below ${name}`], {}, { cwd })).length, 1);
  }
});

Deno.test("RCWD in the root directory takes everything", async () => {
  using home = new Home();
  assert.equal((await home.rows(["-q", "RCWD"], {}, { cwd: "/" })).length, 12);
});

Deno.test("no query changes anything, or reads another file", async () => {
  using home = new Home();
  const before = Deno.readFileSync(home.database);
  const other = `${home.path}/other.db`;
  const refused = [
    "delete from commands",
    "with x as (select 1) delete from commands",
    "select 1; delete from commands",
    `attach '${other}' as other`,
    `vacuum into '${other}'`,
    "pragma user_version = 5",
    "explain pragma user_version = 5",
    "create temp table x (a)",
    "select writefile('/tmp/x', 'y')",
    "select load_extension('x')",
    "begin",
  ];
  for (const sql of refused) {
    home.write(".ash/queries", `EVIL: { description: "evil" sql: { ${sql} } }`);
    for (const args of [["--sql", sql], ["-q", "EVIL"]]) {
      const { code, text, errors } = await home.ask(args);
      assert.deepEqual([code, text], [1, ""], sql);
      assert.match(errors, /^ash_query: .+/, sql);
    }
  }
  assert.deepEqual(Deno.readFileSync(home.database), before);
  assert.deepEqual([...Deno.readDirSync(home.path)].map(({ name }) => name).sort(), [".ash", "ash.db"]);
});

Deno.test("--sql keeps columns of one name, numbers for names, order, and large numbers", async () => {
  using home = new Home();
  const sql = "select 2 as '2', 1 as '1', 'a' as x, 'b' as x, 9007199254740993 as big, 1.0 as r, null as n";
  assert.equal(
    (await home.ask(["--sql", sql])).text,
    "2    1    x    x    big                 r      n\n" +
      "2    1    a    b    9007199254740993    1.0    \n",
  );
  const ordered = await home.rows(["--sql", "select id from commands order by id desc;"]);
  assert.deepEqual(ordered.map((row) => row["id"]), [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  assert.equal((await home.rows(["--sql", "explain query plan select * from commands"])).length, 1);
  assert.deepEqual(await home.rows(["--sql", "values (1)"]), [{ column1: 1 }]);
});

Deno.test("what is wrong with SQL is told as SQLite tells it", async () => {
  using home = new Home();
  for (
    const [sql, message] of [
      ["select missing from commands", "no such column: missing"],
      ["select * from nowhere", "no such table: nowhere"],
      ["select 1 1", 'near "1": syntax error'],
      ["select :a", "parameters are not allowed in views"],
    ]
  ) {
    const { code, errors } = await home.ask(["--sql", sql ?? ""]);
    assert.deepEqual([code, errors], [1, `ash_query: ${home.database}: ${message}\n`]);
  }
});

Deno.test("an error amid the rows is no end of them", async () => {
  using home = new Home();
  const sql = `select value, json(value) from json_each('["1", "2", "x", "4"]')`;
  const { code, text, errors } = await home.ask(["--sql", sql, "-f", "csv"]);
  assert.deepEqual([code, text], [1, ""]);
  assert.equal(errors, `ash_query: ${home.database}: malformed JSON\n`);
});

Deno.test("-l fetches no more rows than it shows", async () => {
  using home = new Home();
  const endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
  const { code, text } = await home.ask(["--sql", endless, "-l", "3", "-f", "csv"]);
  assert.deepEqual([code, text], [0, "i\r\n1\r\n2\r\n3\r\n"]);
});

Deno.test("a reader that leaves ends ash_query, quietly", async () => {
  using home = new Home();
  const endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n";
  const script = `"$0" --sql '${endless}' -f csv | head -n 2; echo "$\{PIPESTATUS[0]}"`;
  const { text, errors } = await run(["bash", "-c", script, ASH_QUERY], { env: home.env });
  assert.deepEqual([text, errors], ["i\r\n1\r\n141\n", ""]);
});

Deno.test("a full disk is said", async () => {
  using home = new Home();
  const { code, errors } = await run(["sh", "-c", '"$0" -q BY_USER > /dev/full', ASH_QUERY], {
    env: home.env,
  });
  assert.equal(code, 1);
  assert.match(errors, /^ash_query: .*No space left on device/);
});

Deno.test("filters give a listing, and do not go with a query", async () => {
  using home = new Home();
  assert.deepEqual(await home.rows(["--failed", "--since", "2023-11-15T23:00Z", "-l1"]), [{
    when: "2023-11-15 23:14:40",
    session: 3,
    exit: 1,
    secs: 1,
    where: "/root",
    what: "journalctl -u nginx | grep error",
  }]);
  assert.equal((await home.rows([])).length, 12);
  for (
    const [args, message] of [
      [
        ["--failed", "-q", "CWD"],
        /^ash_query: --failed filters the listing of commands: it goes with neither/,
      ],
      [["--since", "2h", "--sql", "select 1"], /^ash_query: --since filters the listing/],
      [["--sql", "select 1", "-q", "CWD"], /^ash_query: --query and --sql are two questions/],
      [["--since", "2x"], /^ash_query: --since: "2x" is no time/],
      [["--ticket", "17"], /^ash_query: --ticket: this database knows no tickets/],
      [["-l", "many"], /^ash_query: --limit: "many" is no whole number/],
      [["--bogus"], /^ash_query: unknown flag: --bogus\nSee ash_query --help\.\n$/],
    ] as const
  ) {
    const { code, text, errors } = await home.ask(args);
    assert.deepEqual([code, text], [1, ""]);
    assert.match(errors, message);
  }
});

Deno.test("ASH's variables choose the database, the query, the format and how much is said", async () => {
  using home = new Home();
  const env = { ASH_CFG_DEFAULT_QUERY: "BRACES", ASH_CFG_DEFAULT_FORMAT: "csv" };
  assert.equal((await home.ask([], env)).text, "x,y\r\n{a},{{b}}\r\n");
  assert.equal((await home.ask(["-H"], env)).text, "{a},{{b}}\r\n");
  assert.equal((await home.ask(["-f", "null", "-H"], env)).text, "{a}\0{{b}}\n");
  const usage = await home.ask([]);
  assert.deepEqual([usage.code, usage.text, usage.errors], [1, "", HELP]);
  const silent = await home.ask([], { ASH_CFG_HIDE_USAGE_FOR_NO_ARGS: "true" });
  assert.deepEqual([silent.code, silent.text, silent.errors], [1, "", ""]);
  const lenient = await home.ask(["--bogus", "what", "-q", "BRACES"], {
    ASH_CFG_IGNORE_UNKNOWN_FLAGS: "true",
  });
  assert.equal(lenient.code, 0);
});

Deno.test("what is not there is said, with what there is", async () => {
  using home = new Home();
  const query = await home.ask(["-q", "NONE"]);
  assert.equal(query.code, 1);
  assert.match(query.errors, /^ash_query: Query not found: NONE\nAvailable:\nQuery .*\nBRACES .*\n/);
  const format = await home.ask(["-q", "BRACES", "-f", "xml"]);
  assert.equal(format.code, 1);
  assert.match(format.errors, /^ash_query: Unknown format: 'xml'\nFormat .*\naligned .*\n/);
  const database = await home.ask(["-d", "/no/such.db", "-q", "CWD"]);
  assert.deepEqual([database.code, database.text], [1, ""]);
  assert.match(database.errors, /^ash_query: there is no database \/no\/such\.db/);
  const text = await home.ask(["-d", `${FIXTURES}/queries`, "-q", "CWD"]);
  assert.equal(text.code, 1);
  assert.match(text.errors, /file is not a database/);
});

Deno.test("-p prints the query as it stands and as it would run", async () => {
  using home = new Home();
  assert.equal(
    (await home.ask(["-p", "BRACES"])).text,
    "Query: BRACES\nselect '{a}' as x, '{{b}}' as y \n",
  );
  const { text } = await home.ask(["-p", "SESSION"], { ASH_SESSION_ID: "42" });
  assert.match(
    text,
    /^Query: SESSION\nTemplate Form:\n[^]*\$\{ASH_SESSION_ID:-0\}[^]*\nActual SQL:\n[^]* = 42 order/,
  );
});

Deno.test("the user's own history is brought up to date first, and a shell finds its own row", async () => {
  using home = new Home();
  const spool = `${home.path}/.ash/spool`;
  Deno.mkdirSync(spool, { recursive: true, mode: 0o700 });
  const bytes = new TextEncoder();
  // A shell that writes what a hook writes, and asks from within.
  const script = `
    read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ ticks _ < /proc/$$/stat
    printf '\\036SA1\\0shell\\0test\\0%s\\0%s\\0%s\\0%s\\0\\0%s\\0%s\\0u\\0h\\0UTC\\0001\\0\\0\\0\\0\\0\\0\\036\\n' \\
      $$ $PPID "$ticks" 1700000000000000 $UID $UID > "$1/$$-1700000000000000.shell"
    cat "$2" >> "$1/$$-1700000000000000.shell"
    "$0" -q ME -f jsonl
  `;
  home.write(
    "records",
    new TextDecoder().decode(encodeRecord({
      type: "start",
      number: 1,
      atUs: 1700000001000000,
      shellLevel: 1,
      tty: "",
      effectiveUid: 0,
      textState: "whole",
      directory: bytes.encode("/tmp"),
      text: bytes.encode("echo one"),
    })) + new TextDecoder().decode(
      encodeRecord({ type: "end", number: 1, atUs: 1700000003000000, exitCode: 3, pipeStates: [3] }),
    ),
  );
  const { ASH_CFG_HISTORY_DB: _, ...env } = home.env;
  const { code, text, errors } = await run(["bash", "-c", script, ASH_QUERY, spool, `${home.path}/records`], {
    env,
  });
  assert.deepEqual([code, errors], [0, ""]);
  assert.deepEqual(JSON.parse(text), {
    no: 1,
    when: "2023-11-14 22:13:21",
    secs: 2,
    exit: 3,
    where: "/tmp",
    what: "echo one",
  });
});

Deno.test("TICKET shows the ticket that the login session is on, whatever the environment says", async () => {
  using home = new Home();
  const { ASH_CFG_HISTORY_DB: _, ...env } = home.env;
  const ask = (args: string[]) => run([ASH_QUERY, ...args], { env: { ...env, SRVAUDIT_TICKET: "99" } });
  Deno.mkdirSync(`${home.path}/.ash`, { mode: 0o700 });
  assert.match((await ask(["-p", "TICKET"])).text, /where t\.ticket = '99'/);
  openSession(`${home.path}/.ash/spool`, existingProcess("self"), "17' or 1=1 --");
  assert.match((await ask(["-p", "TICKET"])).text, /where t\.ticket = '17'' or 1=1 --'/);
  // This makes the history.
  assert.deepEqual((await ask(["-q", "TICKET"])).code, 0);
  const database = new DatabaseSync(`${home.path}/.ash/history.db`);
  database.exec(`insert into commands values (1, 1, 1, 1, '', 0, '/', 0, 5, 5, 0, 1, '0', 'here'),
    (2, 1, 1, 2, '', 0, '/', 0, 6, 6, 0, 1, '0', 'elsewhere');
    insert into srvaudit_commands values (1, 'x', '17'' or 1=1 --', 5, 5, 'whole'), (2, 'x', '18', 6, 6, 'whole')`);
  database.close();
  assert.match((await ask(["-q", "TICKET", "-H"])).text, /^17' or 1=1 -- .* here\n$/);
  assert.match((await ask(["--ticket", "18", "-H"])).text, /^.* 18 .* elsewhere\n$/);
});

Deno.test("where the history cannot be brought up to date, that is one line, and what is there is shown", async () => {
  using home = new Home();
  const { ASH_CFG_HISTORY_DB: _, ...env } = home.env;
  const ask = (args: string[]) => run([ASH_QUERY, ...args], { env });
  assert.match((await ask(["-q", "CWD"])).errors, /^ash_query: there is no database/);
  Deno.mkdirSync(`${home.path}/.ash/spool`, { recursive: true, mode: 0o700 });
  Deno.copyFileSync(home.database, `${home.path}/.ash/history.db`);
  Deno.writeTextFileSync(`${home.path}/.ash/spool/1-1.shell`, "\x1eSA1\0shell\0");
  const writer = new DatabaseSync(`${home.path}/.ash/history.db`);
  writer.exec("begin immediate");
  const { code, text, errors } = await ask(["-f", "csv", "-H"]);
  writer.close();
  assert.equal(code, 0);
  assert.equal(text.split("\r\n").length, 13);
  assert.match(errors, /^ash_query: the newest commands are missing here: .*\n$/);
});

Deno.test("--help fits a screen of 24 lines and 80 columns, and names every option", async () => {
  using home = new Home();
  const { code, text } = await home.ask(["--help"]);
  assert.equal(code, 0);
  const lines = text.split("\n").slice(0, -1);
  assert(lines.length <= 23 && lines.every((line) => line.length <= 80));
  const manual = Deno.readTextFileSync(`${ROOT}docs/man/ash_query.1`).replaceAll("\\-", "-");
  for (const name of Object.keys(OPTIONS)) {
    assert(text.includes(`--${name}`), name);
    assert(manual.includes(`--${name}`), name);
  }
  assert.match((await home.ask(["--version"])).text, /^[0-9]+\.[0-9]+\.[0-9]+\n$/);
});

testThatNeeds(
  ["script"],
  "on a terminal, control characters are shown and the headings are bold",
  async () => {
    using home = new Home();
    const env = { ...home.env, PAGER: "cat", PATH: Deno.env.get("PATH") ?? "" };
    const sql = "select 'a' || char(10) || char(27) || '[2J' as text, x'61ff' as bytes";
    const lines = async (more: Record<string, string>) => {
      await using terminal = start(ASH_QUERY, ["--sql", sql], { ...env, ...more });
      assert.equal(await terminal.close(), 0);
      return terminal.transcript();
    };
    const plain = "text        bytes\r\na^J^[[2J    a\\xff\r\n";
    assert.equal(await lines({ NO_COLOR: "1" }), plain);
    assert.equal(await lines({ TERM: "dumb" }), plain);
    assert.equal(await lines({}), plain.replace("text        bytes", "\x1b[1m$&\x1b[0m"));
  },
);

testThatNeeds(
  ["script", "less"],
  "what is longer than the screen goes through a pager, and only that",
  async () => {
    using home = new Home();
    const env = { ...home.env, NO_COLOR: "1", PATH: Deno.env.get("PATH") ?? "" };
    const numbers = (n: number) =>
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${n}) select i from n`;
    {
      await using terminal = start(ASH_QUERY, ["--sql", numbers(2_000_000), "-f", "jsonl"], env);
      await terminal.expect(/\{"i":20\}/);
      await terminal.expect(/:/);
      await terminal.send("q");
      assert.equal(await terminal.close(), 0);
      assert.doesNotMatch(terminal.transcript(), /\{"i":200\}/);
    }
    {
      await using terminal = start(ASH_QUERY, ["--sql", numbers(30)], { ...env, PAGER: "/no/such/pager" });
      assert.equal(await terminal.close(), 0);
      assert.doesNotMatch(terminal.transcript(), /pager/);
    }
    {
      await using terminal = start(ASH_QUERY, ["--sql", numbers(100)], { ...env, PAGER: "sed s/^/paged:/" });
      assert.equal(await terminal.close(), 0);
      assert.match(terminal.transcript(), /paged:100\r\n$/);
    }
    {
      await using terminal = start(ASH_QUERY, ["--sql", numbers(100)], { ...env, PAGER: "/no/such/pager" });
      assert.equal(await terminal.close(), 0);
      assert.match(
        terminal.transcript(),
        /^cannot start the pager \/no\/such\/pager \(see \$PAGER\)[^]*100\r\n$/,
      );
    }
  },
);

/** What is typed, its last word unfinished, and what may stand there (among others). */
const COMPLETIONS: readonly [string, readonly string[]][] = [
  ["ash_query --hide", ["--hide_headings"]],
  ["ash_query -q RC", ["RCWD"]],
  ["ash_query -H --print_query BY", ["BY_USER"]],
  ["ash_query -f js", ["json", "jsonl"]],
  ["ash_query --since yes", ["yesterday"]],
];

testThatNeeds(["bash"], "bash completes options, queries and formats", async () => {
  using home = new Home();
  for (const [line, expected] of [...COMPLETIONS, ["ash_query --query = RC", ["RCWD"]]] as const) {
    const script = `
      source ${ROOT}completions/ash_query.bash
      IFS=' ' read -ra COMP_WORDS <<< "$1"
      COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
      _ash_query
      printf '%s\\n' "\${COMPREPLY[@]}"
    `;
    const env = { ...home.env, PATH: `${ROOT}dist:${Deno.env.get("PATH")}` };
    const { text, errors } = await run(["bash", "-uc", script, "bash", line], { env });
    assert.equal(errors, "");
    assert.deepEqual(text.split("\n").filter(Boolean).sort(), [...expected], line);
  }
});

testThatNeeds(["fish"], "fish completes options, queries and formats", async () => {
  using home = new Home();
  const env = { ...home.env, PATH: `${ROOT}dist:${Deno.env.get("PATH")}` };
  for (const [line, expected] of COMPLETIONS) {
    const script = `source ${ROOT}completions/ash_query.fish; complete -C $argv[1]`;
    const { text } = await run(["fish", "--no-config", "-c", script, line], { env });
    const found = text.split("\n").filter(Boolean).map((each) => each.split("\t")[0]);
    assert.deepEqual(found.sort(), [...expected], line);
  }
});

testThatNeeds(["zsh", "script"], "zsh completes options, queries and formats", async () => {
  using home = new Home();
  const env = { ...home.env, PATH: `${ROOT}dist:${Deno.env.get("PATH")}`, PS1: "READY> ", TERM: "dumb" };
  await using terminal = start("zsh", ["-f"], env, { directory: home.path });
  await terminal.expect(/READY> /);
  await terminal.send(
    `autoload -U compinit && compinit -u -D && source ${ROOT}completions/ash_query.zsh && echo 'IS''SET'\r`,
  );
  await terminal.expect(/ISSET\r\n/);
  for (
    const [typed, completed] of [
      ["ash_query --hide\t", /ash_query --hide_headings $/],
      ["ash_query -q RC\t", /ash_query -q RCWD $/],
      ["ash_query --format=mark\t", /ash_query --format=markdown $/],
      ["ash_query -p BY\t", /ash_query -p BY_USER $/],
    ] as const
  ) {
    await terminal.expect(/READY> /);
    await terminal.send(typed);
    await terminal.expect(completed);
    await terminal.send("\x15\r");
  }
  await terminal.send("exit\r");
  await terminal.close();
});

Deno.test("every option is completed in every shell", () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const text = Deno.readTextFileSync(`${ROOT}completions/ash_query.${shell}`);
    for (const name of Object.keys(OPTIONS)) {
      assert(text.includes(shell === "fish" ? `-l ${name} ` : `--${name}`), `${shell}: ${name}`);
    }
  }
});
