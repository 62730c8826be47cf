import assert from "node:assert/strict";
import { readLoginSession, sessionFile } from "../../src/record/login_session.ts";
import { existingProcess, openSession } from "../support/fake_session.ts";
import { run } from "../support/run.ts";

const SATICKET = new URL("../../dist/saticket", import.meta.url).pathname;

/** A home with nothing in it, and `saticket` run from there by this very process. */
class Home implements Disposable {
  readonly path = Deno.makeTempDirSync();
  readonly spool = `${this.path}/.ash/spool`;
  readonly tickets = `${this.path}/.ash/tickets.db`;
  /** The session that this process leads, once there is one. */
  session = "";

  openSession(ticket: string | null): void {
    this.session = openSession(this.spool, existingProcess("self"), ticket);
  }

  saticket(args: readonly string[], stdin?: string) {
    return run([SATICKET, ...args], {
      env: { HOME: this.path, TZ: "UTC", SRVAUDIT_SESSION: this.session },
      ...(stdin === undefined ? {} : { stdin }),
    });
  }

  /** Runs it, and takes what it prints for JSON. */
  async json(...args: string[]): Promise<unknown> {
    const finished = await this.saticket([...args, "--json"]);
    assert.equal(finished.code, 0, finished.errors);
    assert.ok(finished.text.endsWith("\n") && !finished.text.slice(0, -1).includes("\n"), "one line");
    return JSON.parse(finished.text);
  }

  /** What is on record since the opening, without times. */
  events(): Record<string, unknown>[] {
    const events = readLoginSession(this.spool, this.session)?.events ?? [];
    return events.slice(1).map((event) => {
      const { atUs, session, ...rest } = event;
      assert.ok(atUs > 1_700_000_000_000_000);
      assert.equal(session, this.session);
      return rest;
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

Deno.test("outside a session, tickets can be made, found, shown, noted on and closed", async () => {
  using home = new Home();
  const ticket = { key: "1", subject: "Replace the disk", status: "New", open: true };
  assert.deepEqual(await home.json("new", "Replace", "the", "disk"), { ticket, from: null, switched: false });
  assert.deepEqual(await home.json("list"), [ticket]);
  assert.deepEqual(await home.json("search", "DISK"), [ticket]);
  assert.deepEqual(await home.json("status", "--ticket", "1"), {
    ticket,
    next: ["In Progress", "Resolved", "Feedback", "Closed", "Rejected"],
  });
  assert.deepEqual(await home.json("note", "--ticket", "#1", "on", "its", "way"), {
    ticket,
    text: "on its way",
  });
  const closed = { ...ticket, status: "Closed", open: false };
  assert.deepEqual(await home.json("status", "--ticket", "1", "cl"), { ticket: closed, from: "New" });
  assert.deepEqual(await home.json("list"), []);
  assert.deepEqual(await home.json("list", "--all"), [closed]);
  assert.deepEqual(await home.json("search", "--all", "way"), [closed]);
  const details = await home.json("show", "1") as {
    notes: { text: string }[];
    statuses: { status: string }[];
  };
  assert.deepEqual(details.notes.map(({ text }) => text), ["on its way"]);
  assert.deepEqual(details.statuses.map(({ status }) => status), ["New", "Closed"]);
  assert.equal((Deno.statSync(home.tickets).mode ?? 0) & 0o777, 0o600);
});

Deno.test("outside a session, what needs one says so on stderr and ends with 1", async () => {
  using home = new Home();
  await home.saticket(["new", "One"]);
  for (const args of [[], ["switch", "1"], ["show"], ["status"], ["status", "closed"], ["note", "text"]]) {
    const finished = await home.saticket(args);
    assert.equal(finished.code, 1, args.join(" "));
    assert.match(finished.errors, /^saticket: this is not in a login session of srvAudit/, args.join(" "));
    assert.equal(finished.text, "");
  }
  const finished = await home.saticket(["--json"]);
  assert.equal(finished.code, 1);
  assert.deepEqual(JSON.parse(finished.text), { session: null, ticket: null });
});

Deno.test("a session claimed by the environment alone is not taken for one's own", async () => {
  using home = new Home();
  await home.saticket(["new", "One"]);
  const me = existingProcess("self");
  home.session = openSession(home.spool, { ...me, startTicks: me.startTicks + 1 }, "1");
  assert.equal((await home.saticket([])).code, 1);
  assert.equal((await home.saticket(["note", "text"])).code, 1);
  assert.deepEqual(home.events(), []);
});

Deno.test("in a session, what is done at the desk is on record too, in its order", async () => {
  using home = new Home();
  await home.json("new", "first");
  home.openSession("1");
  await home.json("new", "second");
  await home.json("new", "third", "--no-switch");
  await home.json("note", "on the second");
  await home.json("note", "--ticket", "1", "on the first");
  await home.json("status", "1");
  await home.json("status", "in-progress");
  await home.json("switch", "3");
  await home.json("switch", "3");
  assert.deepEqual(home.events(), [
    { kind: "ticket switched", from: "1", to: "2" },
    { kind: "note", ticket: "2", text: "on the second", told: true },
    { kind: "note", ticket: "1", text: "on the first", told: true },
    { kind: "status", ticket: "2", from: "New", to: "In Progress" },
    { kind: "ticket switched", from: "2", to: "3" },
  ]);
  const current = await home.json() as {
    session: { id: string; ticket: string };
    ticket: { subject: string };
  };
  assert.equal(current.session.id, home.session);
  assert.equal(current.session.ticket, "3");
  assert.equal(current.ticket.subject, "third");
});

Deno.test("saticket alone says in a few lines what the session is on", async () => {
  using home = new Home();
  await home.json("new", "Replace the disk");
  home.openSession("1");
  const { code, text, errors } = await home.saticket([]);
  assert.equal(code, 0, errors);
  const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;
  assert.match(
    text,
    new RegExp(
      `^ticket   1  Replace the disk\nstatus   New\nsince    ${time}\nsession  ${home.session}, since ${time}\n$`,
    ),
  );
  assert.match((await home.saticket(["list"])).text, /^\* 1 {2}New {2}Replace the disk\n$/);
});

Deno.test("switch refuses tickets that do not exist or are closed, and the session stays where it is", async () => {
  using home = new Home();
  await home.json("new", "first");
  await home.json("new", "second");
  await home.json("status", "--ticket", "2", "rejected");
  home.openSession("1");
  const missing = await home.saticket(["switch", "77"]);
  assert.deepEqual([missing.code, missing.errors], [1, "saticket: there is no ticket 77\n"]);
  const closed = await home.saticket(["switch", "2"]);
  assert.equal(closed.code, 1);
  assert.match(
    closed.errors,
    /ticket 2 is Rejected: to work on it again, first: saticket status --ticket 2 In Progress/,
  );
  assert.deepEqual(home.events(), []);
  // The advice works as it stands.
  assert.equal((await home.saticket(["status", "--ticket", "2", "In", "Progress"])).code, 0);
  assert.equal((await home.saticket(["switch", "2"])).code, 0);
});

Deno.test("status takes names and numbers, and refuses what the workflow does not allow", async () => {
  using home = new Home();
  await home.json("new", "first");
  home.openSession("1");
  const shown = await home.saticket(["status"]);
  assert.match(shown.text, /^ticket 1 is New; it can go to\n {2}1 {2}In Progress\n {2}2 {2}Resolved\n/);
  assert.equal((await home.saticket(["status", "2"])).text, "ticket 1 was New and is Resolved now\n");
  const refused = await home.saticket(["status", "rejected"]);
  assert.equal(refused.code, 1);
  assert.match(refused.errors, /cannot be "rejected" now .*choose one of In Progress, Feedback, Closed/);
  assert.equal((await home.saticket(["status", "RESOLVED"])).text, "ticket 1 is Resolved already\n");
  assert.deepEqual(home.events().map((event) => event["to"]), ["Resolved"]);
});

Deno.test("note reads its text from stdin, for no text and for -, every line of it", async () => {
  using home = new Home();
  await home.json("new", "first");
  home.openSession("1");
  assert.equal((await home.saticket(["note"], "one\n  two\n\nthree é 漢\n\n")).code, 0);
  assert.equal((await home.saticket(["note", "-"], "minus")).code, 0);
  assert.equal((await home.saticket(["note", "--", "--json"])).code, 0);
  assert.deepEqual(home.events().map((event) => event["text"]), [
    "one\n  two\n\nthree é 漢",
    "minus",
    "--json",
  ]);
  for (
    const [text, reason] of [["", /empty/], ["\n \n", /empty/], [
      "x".repeat(70_000),
      /at most 65536/,
    ]] as const
  ) {
    const refused = await home.saticket(["note"], text);
    assert.equal(refused.code, 1);
    assert.match(refused.errors, reason);
  }
  assert.equal(home.events().length, 3);
});

Deno.test("new says what is missing where nobody can be asked, and what local tickets do not have", async () => {
  using home = new Home();
  for (
    const [args, reason] of [
      [["new"], /^saticket: a new ticket needs a subject: saticket new SUBJECT\n$/],
      [["new", " "], /a new ticket needs a subject/],
      [["new", "One", "--project", "web"], /local tickets have a subject alone: no project\n$/],
      [["new", "One", "--tracker=Bug"], /local tickets have a subject alone: no tracker\n$/],
      [["new", "One", "--field", "Reason=old"], /local tickets have a subject alone: no Reason\n$/],
      [["new", "One", "--field", "a=1", "--field", "A=2"], /the field A was given twice/],
    ] as const
  ) {
    const { code, text, errors } = await home.saticket(args, "Replace the disk\n");
    assert.deepEqual([code, text], [1, ""], args.join(" "));
    assert.match(errors, reason);
  }
  assert.deepEqual(await home.json("list", "--all"), []);
  const made = await home.saticket(["new", "  Replace \t the", "disk "]);
  assert.equal(made.text, "made ticket 1: Replace the disk\n");
});

Deno.test("no text from a ticket acts on a terminal or makes up a line of its own", async () => {
  using home = new Home();
  const evil = "\x1b]0;owned\x07\u009b31m\u202egnp\x7f";
  await home.json("new", evil);
  await home.saticket(["note", "--ticket", "1"], `a\r${evil}\nb`);
  home.openSession("1");
  for (
    const args of [[], ["show"], ["list"], ["search", "owned"], ["show", "--json"], ["complete", "tickets"]]
  ) {
    const { text, code } = await home.saticket(args);
    assert.equal(code, 0);
    assert.match(text, /owned/);
    // deno-lint-ignore no-control-regex -- control characters are what this is about
    assert.doesNotMatch(text.replace(/^1\t/, ""), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, args.join(" "));
  }
  const details = await home.json("show") as { subject: string };
  assert.equal(details.subject, evil);
});

Deno.test("when the record cannot be written, saticket says what was done all the same and ends with 1", async () => {
  using home = new Home();
  await home.json("new", "first");
  home.openSession("1");
  const file = sessionFile(home.spool, home.session);
  while (Deno.statSync(file).size < 300_000) await home.json("note", "--ticket", "1", "x".repeat(50_000));
  const before = home.events();
  // What is longer than 300 kB cannot grow: the record's file. The store of tickets gets by.
  Deno.removeSync(home.tickets);
  for (const name of ["-wal", "-shm"]) await Deno.remove(home.tickets + name).catch(() => {});
  await home.json("new", "second", "--no-switch");
  const refused = await run(
    ["bash", "-c", `trap '' XFSZ; ulimit -f 290; exec "$@"`, "bash", SATICKET, "status", "closed"],
    { env: { HOME: home.path, SRVAUDIT_SESSION: home.session } },
  );
  assert.equal(refused.code, 1);
  assert.match(
    refused.errors,
    /^saticket: ticket 1 was New and is Closed now, but: cannot put the status on record: .*File too large/,
  );
  assert.equal(refused.text, "");
  assert.deepEqual(home.events(), before);
});

Deno.test("a damaged store of tickets is named, with what to do", async () => {
  using home = new Home();
  Deno.mkdirSync(`${home.path}/.ash`);
  Deno.writeTextFileSync(home.tickets, "no database\n".repeat(1000));
  const { code, errors } = await home.saticket(["list"]);
  assert.equal(code, 1);
  assert.ok(errors.includes(home.tickets) && errors.includes("move it away"), errors);
});

Deno.test("called wrongly it ends with 2, and --help fits a screen of 80 by 24", async () => {
  using home = new Home();
  for (
    const args of [["nonsense"], ["switch"], ["search"], ["list", "--nonsense"], ["note", "--ticket"], [
      "new",
      "--field",
      "x",
    ]]
  ) {
    const finished = await home.saticket(args);
    assert.equal(finished.code, 2, args.join(" "));
    assert.equal(finished.text, "");
    assert.notEqual(finished.errors, "");
  }
  const help = await home.saticket(["--help"]);
  assert.equal(help.code, 0);
  const lines = help.text.trimEnd().split("\n");
  assert.ok(lines.length <= 23, `${lines.length} lines`);
  assert.ok(lines.every((line) => line.length <= 80));
  assert.match(help.text, /Examples:/);
  assert.match((await home.saticket(["--version"])).text, /^\d+\.\d+\.\d+\n$/);
  assert.deepEqual([...Deno.readDirSync(home.path)], [], "nothing was made on the way");
});

Deno.test("saticket writes to a pipe that nobody reads without a word", async () => {
  using home = new Home();
  await home.json("new", "first");
  const { errors } = await run(["bash", "-c", '"$1" list | true; exit ${PIPESTATUS[0]}', "bash", SATICKET], {
    env: { HOME: home.path },
  });
  assert.equal(errors, "");
});
