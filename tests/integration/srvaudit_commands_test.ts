import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { effectiveUid } from "../../src/posix/libc.ts";
import { ALICE, append, BOB, command, makeEvidence, NOON_US, opened } from "../support/evidence.ts";
import { start } from "../support/pty.ts";
import { type Finished, run } from "../support/run.ts";
import { SocketAgent } from "../support/socket_agent.ts";
import { until } from "../support/sshd.ts";

const SRVAUDIT = new URL("../../dist/srvaudit", import.meta.url).pathname;

// libc is opened before a test counts what it opens.
effectiveUid();

/** A development executable's own places, with some evidence. */
class Places implements AsyncDisposable {
  readonly evidence: string;

  private constructor(readonly root: string) {
    this.evidence = `${root}/var/lib/srvaudit/evidence.db`;
  }

  static async make(): Promise<Places> {
    const places = new Places(await Deno.makeTempDir());
    await Deno.mkdir(`${places.root}/var/lib`, { recursive: true });
    makeEvidence(places.evidence);
    return places;
  }

  get env(): Record<string, string> {
    return { SRVAUDIT_ROOT: this.root, TZ: "UTC" };
  }

  srvaudit(...args: string[]): Promise<Finished> {
    return run([SRVAUDIT, ...args], { env: this.env });
  }

  /** Starts `srvaudit follow`. */
  follow(...args: string[]): Following {
    return new Following(
      new Deno.Command(SRVAUDIT, {
        args: ["follow", ...args],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        env: this.env,
      }).spawn(),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

/** A `srvaudit follow` that runs. */
class Following implements AsyncDisposable {
  text = "";
  errors = "";
  readonly #reading: Promise<unknown>;

  constructor(readonly process: Deno.ChildProcess) {
    const read = async (stream: ReadableStream<Uint8Array>, take: (text: string) => void) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
    };
    this.#reading = Promise.all([
      read(process.stdout, (text) => this.text += text),
      read(process.stderr, (text) => this.errors += text),
    ]);
  }

  async says(what: string): Promise<void> {
    try {
      await until(what, () => Promise.resolve(this.text.includes(what)));
    } catch (error) {
      throw new Error(`not in ${JSON.stringify(this.text)}`, { cause: error });
    }
  }

  async end(signal: Deno.Signal): Promise<number> {
    this.process.kill(signal);
    const { code } = await this.process.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.process.status;
    await this.#reading;
  }
}

Deno.test("srvaudit sessions shows them in a table, newest first, and filters them", async () => {
  await using places = await Places.make();
  const all = await places.srvaudit("sessions");
  assert.equal(all.errors, "");
  // Bob is still there: the column is as wide as the time since noon.
  const [heading = "", bob = "", alice = "", ...rest] = all.text.split("\n");
  assert.match(heading, /^SINCE {13}LASTED +USER {3}TICKET /);
  assert.match(bob, /^2026-11-22 12:00 {2}\S.* bob {4}EMERGENCY/);
  assert.match(alice, /^2026-11-22 12:00 {2}1m +alice {2}OPS-2 /);
  assert.equal(alice.indexOf("alice"), heading.indexOf("USER"));
  assert.deepEqual(rest, [""]);
  assert.match((await places.srvaudit("sessions", "--open")).text, /^SINCE.*\n.*bob.*\n$/);
  assert.equal((await places.srvaudit("sessions", "--user", "carol")).text, "");
  const hers = await places.srvaudit("sessions", "--ticket=OPS-1", "--from", "192.", "--json");
  assert.deepEqual(JSON.parse(hers.text).map(({ id }: { id: string }) => id), [ALICE]);
  const since = await places.srvaudit("sessions", "--since", "2026-11-22T12:05", "--json");
  assert.deepEqual(JSON.parse(since.text).map(({ id }: { id: string }) => id), [BOB]);
});

Deno.test("srvaudit sessions says why there is nothing to ask, and what to do", async () => {
  await using places = await Places.make();
  await Deno.remove(places.evidence);
  const none = await places.srvaudit("sessions");
  assert.equal(none.code, 1);
  assert.match(
    none.errors,
    /^srvaudit: there is no evidence .*: has the agent ever run\? \(srvaudit doctor\)\n$/,
  );
});

Deno.test("srvaudit status says that the agent is down, and shows what is in evidence all the same", async () => {
  await using places = await Places.make();
  const status = await places.srvaudit("status");
  assert.equal(status.code, 1);
  assert.match(status.text, /^agent {4}DOWN: /);
  assert.match(status.text, /^mend {5}.*systemctl start srvaudit.*srvaudit doctor$/m);
  assert.match(status.text, /1 open session\nUSER +TICKET[^\n]*\nbob +EMERGENCY/);
  const json = JSON.parse((await places.srvaudit("status", "--json")).text);
  assert.equal(json.agent, null);
  assert.equal(json.evidence.last, 11);
  assert.equal(json.sessions.length, 1);
});

Deno.test("srvaudit status asks the agent, and ends with 1 where that is in trouble", async () => {
  await using places = await Places.make();
  await Deno.mkdir(`${places.root}/run/srvaudit`, { recursive: true });
  let trouble: string | null = null;
  await using _agent = new SocketAgent(`${places.root}/run/srvaudit/agent.sock`, () => ({
    version: "9.9.9",
    pid: 4711,
    sinceUs: NOON_US,
    memory: 70_000_000,
    connections: 1,
    head: `11:${"0".repeat(64)}`,
    trouble,
    files: 3,
    waiting: 1200,
    tracker: { name: "local", state: "up", reason: null, waiting: 0 },
    sinks: [{
      name: "slack",
      wants: { events: "sessions", users: [], hosts: [], tickets: [], exitCodes: "all" },
      state: "denied",
      reason: "invalid_auth \x1b[31m",
      sinceUs: NOON_US,
      depth: 7,
      oldestUs: NOON_US,
      successUs: null,
      error: "invalid_auth",
      errorUs: NOON_US,
      dead: 2,
    }],
  }));
  const well = await places.srvaudit("status");
  assert.equal(well.code, 0, well.errors);
  assert.match(well.text, /^agent {4}up since 2026-11-22 12:00:00 \(.*\), pid 4711\n/);
  assert.match(well.text, /version 9.9.9, 70 MB of memory, 1 connection\n/);
  assert.match(well.text, /^spool {4}3 files followed, 1.2 kB waiting$/m);
  assert.match(well.text, /^sinks {4}slack TAKES NOTHING since .*: invalid_auth \^\[\[31m$/m);
  trouble = "the disk is full \x1b[31m";
  const ill = await places.srvaudit("status");
  assert.equal(ill.code, 1);
  assert.match(ill.text, /^TROUBLE {2}the disk is full \^\[\[31m$/m);
});

Deno.test("srvaudit status shows each consumer's queue and last error", async () => {
  await using places = await Places.make();
  const database = new DatabaseSync(places.evidence);
  database.exec(`insert into consumer values ('slack', 4, 0, ${NOON_US}, 'HTTP 500', ${NOON_US})`);
  database.close();
  assert.match((await places.srvaudit("status")).text, /^slack +7 +.* ago +HTTP 500$/m);
});

Deno.test("srvaudit status shows what sinks have refused, and why", async () => {
  await using places = await Places.make();
  const database = new DatabaseSync(places.evidence);
  const letter = database.prepare("insert into dead_letter values ('webhook', ?, ?, ?, ?)");
  for (let seq = 1; seq <= 5; seq++) {
    letter.run(seq, NOON_US + seq, `HTTP 400 \x1b[3${seq}m`, Number(seq === 1));
  }
  database.close();
  const { text } = await places.srvaudit("status");
  assert.match(
    text,
    /^sinks {4}webhook has refused 5 events, 1 of them to be sent again:\n {11}event 5, .* ago: HTTP 400 \^\[\[35m\n/m,
  );
  assert.equal([...text.matchAll(/HTTP 400/g)].length, 3);
  const { deadLetters } = JSON.parse((await places.srvaudit("status", "--json")).text);
  assert.deepEqual(
    deadLetters.map(({ sink, count, again }: Record<string, unknown>) => [sink, count, again]),
    [
      ["webhook", 5, 1],
    ],
  );
});

Deno.test("srvaudit sink and redeliver say what to do where no agent runs", async () => {
  await using places = await Places.make();
  for (const words of [["sink", "list"], ["sink", "test", "slack"], ["redeliver"]]) {
    const { code, text, errors } = await places.srvaudit(...words);
    assert.deepEqual([code, text], [1, ""], words.join(" "));
    assert.match(
      errors,
      /^srvaudit: .*\nsrvaudit: the agent alone talks to sinks: systemctl start srvaudit; /,
    );
  }
  const unknown = await places.srvaudit("sink", "test", "irc");
  assert.equal(unknown.code, 2);
  assert.match(unknown.errors, /slack/);
});

Deno.test("srvaudit follow shows the past first, then what comes", async () => {
  await using places = await Places.make();
  await using following = places.follow("-n", "2");
  await following.says("logged out");
  assert.equal(
    following.text,
    "-- 2026-11-22 --\n12:00:20 bob ! TAMPER: spool shrank file=x.shell\n12:01:00 alice OPS-2 * logged out\n",
  );
  const at = { atUs: NOON_US + 90e6, uid: 1001 };
  append(
    places.evidence,
    command([7, 8], "id \x1b[31m", {
      ...at,
      number: 2,
      end: { endUs: NOON_US + 95e6, exitCode: 3, pipeStates: [0, 3] },
    }),
  );
  await following.says("12:01:30 bob /srv $ id ^[[31m  [exit 3 (0|3), 5s]\n");
  assert.equal(await following.end("SIGINT"), 0);
  assert.equal(following.errors, "");
});

Deno.test("srvaudit follow takes its filters for the past and for what comes", async () => {
  await using places = await Places.make();
  await using following = places.follow("--user", "alice", "--ticket", "OPS-2", "--json");
  const seqs = () => following.text.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line).seq);
  await until("the past", () => Promise.resolve(seqs().length === 3));
  append(
    places.evidence,
    command([7, 8], "his", { uid: 1001 }),
    command([2, 3], "of another ticket", { ticket: "OPS-1" }),
    command([2, 3], "hers", { ticket: "OPS-2" }),
  );
  await following.says('"hers"');
  assert.deepEqual(seqs(), [5, 6, 11, 14]);
});

Deno.test("srvaudit follow misses nothing of a writer that comes and goes while it starts", async () => {
  await using places = await Places.make();
  await using following = places.follow("-n", "1000", "--json");
  for (let i = 0; i < 100; i++) {
    append(places.evidence, command([7, 8], `quick ${i}`, { uid: 1001 }));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await following.says('"quick 99"');
  const seqs = following.text.trim().split("\n").map((line) => JSON.parse(line).seq);
  assert.deepEqual(seqs, Array.from({ length: 111 }, (_, i) => i + 1));
});

Deno.test("srvaudit follow shows an emergency and a command that ends later", async () => {
  await using places = await Places.make();
  await using following = places.follow("-n", "0");
  // It has no past to show: what it shows first is what came after its start.
  let probes = 0;
  await until("that it follows", () => {
    probes++;
    append(places.evidence, command([7, 8], `probe ${probes}`, { uid: 1001 }));
    return Promise.resolve(following.text.includes("probe"));
  });
  append(
    places.evidence,
    opened({ id: ALICE.replace(/a$/, "c"), user: "carol", uid: 1002, from: "192.0.2.9", emergency: "fire" }),
    {
      kind: "command ended",
      atUs: NOON_US + 30e6,
      session: 7,
      shell: 8,
      uid: 1001,
      commandSeq: 9,
      end: { endUs: NOON_US + 30e6, exitCode: 130, pipeStates: [130] },
    },
  );
  await following.says("carol ! EMERGENCY: logged in from 192.0.2.9 on pts/99 without a ticket: fire\n");
  await following.says("bob /srv $ tail -f log  [exit 130, 18s]\n");
});

Deno.test("srvaudit follow ends when nobody reads it any more, without an event", async () => {
  await using places = await Places.make();
  const { text, code } = await run(
    ["bash", "-c", `"${SRVAUDIT}" follow -n 3 | head -n 1; echo "\${PIPESTATUS[0]}"`],
    { env: places.env },
  );
  assert.equal(code, 0);
  assert.equal(text, "-- 2026-11-22 --\n0\n");
});

Deno.test("srvaudit follow goes on when retention removes the past, and when the file is put back", async () => {
  await using places = await Places.make();
  await using following = places.follow("-n", "1");
  await following.says("logged out");
  const remove = new DatabaseSync(places.evidence);
  remove.exec(`begin; insert into anchor select 1, seq, hash from event where seq = 10;
    delete from event where seq <= 10; commit`);
  remove.close();
  append(places.evidence, command([7, 8], "after retention", { uid: 1001 }));
  await following.says("after retention");
  assert.equal(following.errors, "");

  await Deno.rename(`${places.root}/var/lib/srvaudit`, `${places.root}/old`);
  makeEvidence(places.evidence);
  await until("a word of it", () => Promise.resolve(following.errors.includes("put back")));
  append(places.evidence, command([7, 8], "in the new file", { uid: 1001 }));
  await following.says("in the new file");
  assert.equal(following.text.match(/after retention/g)?.length, 1);
});

Deno.test("srvaudit follow on a terminal is ended by Ctrl-C, and shows what is alarming in colour", async () => {
  await using places = await Places.make();
  await using terminal = start(SRVAUDIT, ["follow"], { ...places.env, PATH: "/usr/bin:/bin" });
  // deno-lint-ignore no-control-regex -- colours are control characters
  await terminal.expect(/\x1b\[1;31m12:00:20 bob ! TAMPER: [^\n]*\x1b\[0m/);
  await terminal.expect(/logged out/);
  await terminal.send("\x03");
  assert.equal(await terminal.close(), 0);
});

Deno.test("what is wrong with a command line is the same on a terminal: no colour that is shown as ^[[3m", async () => {
  await using terminal = start(SRVAUDIT, ["sessions", "--nonsense"], { PATH: "/usr/bin:/bin" });
  await terminal.expect(/^srvaudit: Unexpected option or subcommand: `--nonsense`: see srvaudit --help/);
  assert.equal(await terminal.close(), 2);
});

Deno.test("srvaudit sessions fits a narrow terminal", async () => {
  await using places = await Places.make();
  await using terminal = start("bash", [
    "-c",
    `stty cols 50; "${SRVAUDIT}" sessions; stty cols 20; "${SRVAUDIT}" sessions`,
  ], {
    ...places.env,
    PATH: "/usr/bin:/bin",
  });
  assert.equal(await terminal.close(), 0);
  const lines = terminal.transcript().split("\r\n").filter((line) => line !== "");
  assert.equal(lines.length, 6);
  assert.ok(lines.slice(0, 3).every((line) => line.length <= 50), lines.join("\n"));
  assert.match(lines[2] ?? "", /alice +OPS-2/);
  assert.ok(lines.slice(3).every((line) => line.length <= 20), lines.join("\n"));
});

Deno.test("srvaudit config check names all that is wrong, and ends with 1", async () => {
  await using places = await Places.make();
  const file = `${places.root}/config`;
  await Deno.writeTextFile(file, 'spoolDays="0"\nshowBaner=no\n');
  const bad = await places.srvaudit("config", "check", file);
  assert.equal(bad.code, 1);
  assert.match(
    bad.text,
    /^wrong .*line 1: spoolDays="0" is not a whole number.*\nwarning .*line 2:.*showBanner\?\n$/,
  );
  await Deno.writeTextFile(file, "");
  assert.equal((await places.srvaudit("config", "check", file)).code, 0);
  const json = await places.srvaudit("config", "check", "--json", file);
  assert.deepEqual(JSON.parse(json.text), { file, errors: [], warnings: [] });
  assert.equal((await places.srvaudit("config", "check")).code, 1, "the host's own, which is not there");
});

Deno.test("srvaudit verify tells whether the evidence is what was written, also since a head that was kept", async () => {
  await using places = await Places.make();
  const head = (await places.srvaudit("head")).text;
  assert.match(head, /^11:[0-9a-f]{64}\n$/);
  const well = await places.srvaudit("verify", "--since", head.trim());
  assert.equal(well.code, 0, well.errors);
  assert.equal(
    well.text,
    `intact    ${places.evidence}\n` +
      "since     event 11 is in the chain: all up to it is what it was then\n" +
      `in order  11 events\nhead      ${head}`,
  );

  const copy = `${places.root}/copy.db`;
  await Deno.copyFile(places.evidence, copy);
  const forger = new DatabaseSync(copy);
  forger.exec("drop trigger event_is_never_changed; update event set text = 'ls' where seq = 4");
  forger.close();
  const forged = await places.srvaudit("verify", copy);
  assert.equal(forged.code, 1);
  assert.match(forged.text, /^BROKEN {3}.*copy.db\nbreak {5}at event 4: .*\n {10}of alice, in session 019ab/);
  assert.match(forged.text, /^altered {3}.*event_is_never_changed/m);
  const json = JSON.parse((await places.srvaudit("verify", "--json", copy)).text);
  assert.equal(json.broken.seq, 4);
  assert.match(json.head, /^3:/);

  await Deno.remove(places.evidence);
  makeEvidence(places.evidence);
  append(places.evidence, command([7, 8], "more"));
  const rewritten = await places.srvaudit("verify", "--since", `11:${"0".repeat(64)}`);
  assert.equal(rewritten.code, 1);
  assert.match(rewritten.text, /REWRITTEN/);
  assert.equal((await places.srvaudit("verify", "/nowhere.db")).code, 1);
});

Deno.test("srvaudit doctor prints a line for each look, and ends with 1 where something is wrong", async () => {
  await using places = await Places.make();
  // A host that has an agent, by its spool.
  await Deno.mkdir(`${places.root}/var/spool/srvaudit`, { recursive: true });
  const found = await places.srvaudit("doctor");
  assert.equal(found.code, 1);
  for (const line of found.text.trim().split("\n").slice(0, -1)) {
    assert.match(line, /^(ok {7}|warning {2}|wrong {4}|unseen {3})[^ :]+[^:]*: \S/);
  }
  assert.match(found.text, /^wrong {4}agent: .*Mend: /m);
  const json = JSON.parse((await places.srvaudit("doctor", "--json")).text);
  assert.ok(json.some(({ check, state }: Record<string, string>) => check === "agent" && state === "wrong"));
});

Deno.test("every command of srvaudit has help with examples, and refuses what it does not know", async () => {
  await using places = await Places.make();
  const commands = [
    "agent",
    "status",
    "sessions",
    "follow",
    "verify",
    "head",
    "doctor",
    "config check",
    "ingest",
  ];
  for (const command of commands) {
    const words = command.split(" ");
    const help = await places.srvaudit(...words, "--help");
    assert.equal(help.code, 0, command);
    assert.match(help.text, new RegExp(`^Usage: srvaudit ${command}`, "m"));
    assert.match(help.text, new RegExp(`^.*srvaudit ${command}.*$(?![^]*^Usage)`, "m"), "an example");
    const wrong = await places.srvaudit(...words, "--nonsense\x1b[31m");
    assert.equal(wrong.code, 2, command);
    assert.match(wrong.errors, /^srvaudit: [ -~]+\n$/);
  }
});
