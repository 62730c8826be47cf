/** `saticket` on a host with an agent: one that answers, one that is gone, and one that goes in the middle. */

import assert from "node:assert/strict";
import { ownSessionFile, readLoginSession, sessionFile } from "../../src/record/login_session.ts";
import { newSessionId } from "../../src/record/session_id.ts";
import { readRecords } from "../../src/record/spool.ts";
import { existingProcess, openSession } from "../support/fake_session.ts";
import { HelloHome, LEAD } from "../support/hello_home.ts";
import { testThatNeeds } from "../support/needs.ts";
import { start } from "../support/pty.ts";
import { run } from "../support/run.ts";

const SATICKET = new URL("../../dist/saticket", import.meta.url).pathname;

/** The events in a spool file, without times and the session's id. */
function eventsIn(file: string): Record<string, unknown>[] {
  return readRecords(Deno.readFileSync(file)).records.flatMap(({ record }) => {
    if (record.type !== "event") return [];
    const { atUs: _, session: __, ...event } = record.event;
    return [event];
  });
}

const id = newSessionId();

Deno.test("with an agent, all that saticket does is asked of it, and the agent puts it on record", async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({}, { session: { id, ticket: "17" } });
  const current = await home.run("saticket", []);
  assert.match(current.text, /^ticket {3}17 {2}Replace the disk\nstatus {3}New\n/);
  assert.match(
    (await home.run("saticket", ["status", "closed"])).text,
    /ticket 17 was New and is Closed now/,
  );
  assert.match((await home.run("saticket", ["note", "a", "note"])).text, /added a note to ticket 17/);
  assert.match((await home.run("saticket", ["new", "More", "work"])).text, /made ticket 19[^]*is on it now/);
  assert.match((await home.run("saticket", ["switch", "18"])).errors, /ticket 18 is Closed/);
  assert.match((await home.run("saticket", ["list"])).text, /\* 17 /);
  assert.equal((await home.run("saticket", ["complete", "statuses"])).text, "closed\tClosed\n");
  assert.deepEqual(agent.all("ticket.setStatus"), [{ key: "17", status: "Closed" }]);
  assert.deepEqual(agent.all("ticket.addNote"), [{ key: "17", text: "a note" }]);
  assert.deepEqual(agent.all("session.switch"), [{ ticket: "19" }]);
  assert.deepEqual(home.own("session"), [], "nothing of it in the user's own spool");
});

testThatNeeds(
  ["root"],
  "with the agent down in its session, notes and switches wait on record, and the rest is refused",
  async () => {
    await using home = new HelloHome();
    home.publish({ ticketPattern: "OPS-[0-9]+|17" });
    // The agent's file, and the link to it.
    const opened = openSession(home.hostSpool, existingProcess("self"), "17");
    const before = Deno.readFileSync(sessionFile(home.hostSpool, opened));
    Deno.mkdirSync(home.spool, { recursive: true, mode: 0o700 });
    Deno.symlinkSync(sessionFile(home.hostSpool, opened), sessionFile(home.spool, opened));
    const note = await home.run("saticket", ["note", "what I saw"]);
    assert.deepEqual([note.code, note.text], [0, "added a note to ticket 17\n"]);
    assert.match(
      note.errors,
      /^saticket: the agent [^\n]*going on without it: notes and switches reach it later\n$/,
    );
    for (
      const words of [["status"], ["status", "closed"], ["new", "More"], ["list"], ["search", "x"], ["show"]]
    ) {
      const { code, text, errors } = await home.run("saticket", words);
      assert.deepEqual([code, text], [1, ""], words.join(" "));
      assert.match(
        errors,
        /\nsaticket: [^\n]* now, as the agent \([^\n]*\) does not answer: try again later\n$/,
      );
    }
    assert.match((await home.run("saticket", ["switch", "words"])).errors, /there is no ticket words/);
    assert.equal((await home.run("saticket", ["switch", "OPS-3"])).code, 0);
    assert.match(
      (await home.run("saticket", [])).text,
      /^ticket {3}OPS-3 {2}\(not looked up\)\nstatus {3}unverified\n/,
    );
    assert.equal((await home.run("saticket", ["logout", "--exit-code", "3"])).code, 0);
    assert.equal((await home.run("saticket", ["logout", "--exit-code", "4"])).code, 0);
    assert.deepEqual(eventsIn(ownSessionFile(home.spool, opened)), [
      { kind: "note", ticket: "17", text: "what I saw" },
      { kind: "ticket switched", from: "17", to: "OPS-3" },
      { kind: "session closed", how: "logout", exitCode: 3 },
    ]);
    assert.deepEqual(
      Deno.readFileSync(sessionFile(home.hostSpool, opened)),
      before,
      "the agent's file is the agent's",
    );
    assert.equal(readLoginSession(home.spool, opened, home.hostSpool)?.closed?.exitCode, 3);
  },
);

testThatNeeds(["root"], "a note that the tracker cannot take now waits on record", async () => {
  await using home = new HelloHome();
  const opened = openSession(home.hostSpool, existingProcess("self"), "17");
  Deno.mkdirSync(home.spool, { recursive: true, mode: 0o700 });
  Deno.symlinkSync(sessionFile(home.hostSpool, opened), sessionFile(home.spool, opened));
  home.startAgent({}, { session: { id: opened, ticket: "17" }, cannot: ["ticket.addNote"] });
  const { code, text, errors } = await home.run("saticket", ["note", "what I saw"]);
  assert.deepEqual([code, text], [0, "added a note to ticket 17\n"]);
  assert.match(
    errors,
    /^saticket: the tracker is away; going on without it: notes and switches reach it later\n$/,
  );
  assert.deepEqual(eventsIn(ownSessionFile(home.spool, opened)), [
    { kind: "note", ticket: "17", text: "what I saw" },
  ]);
});

Deno.test("with the agent down and outside of a session nothing is kept that nobody would ever read", async () => {
  await using home = new HelloHome();
  home.publish({});
  const { code, text, errors } = await home.run("saticket", ["note", "--ticket", "17", "a note"]);
  assert.deepEqual([code, text], [1, ""]);
  assert.match(errors, /outside a login session cannot wait for it now/);
  assert.deepEqual(home.own("session"), []);
});

Deno.test("a session that was opened while the agent was down stays on its own record when it is back", async () => {
  await using home = new HelloHome();
  const opened = openSession(home.spool, existingProcess("self"), "17");
  const agent = home.startAgent({});
  assert.match((await home.run("saticket", [])).text, new RegExp(`^ticket {3}17 {2}Replace[^]*${opened}`));
  assert.equal((await home.run("saticket", ["note", "a note"])).code, 0);
  assert.equal((await home.run("saticket", ["status", "closed"])).code, 0);
  assert.equal((await home.run("saticket", ["new", "More"])).code, 0);
  assert.equal((await home.run("saticket", ["logout"])).code, 0);
  assert.deepEqual(eventsIn(sessionFile(home.spool, opened)).slice(1), [
    { kind: "note", ticket: "17", text: "a note" },
    { kind: "status", ticket: "17", from: "New", to: "Closed" },
    { kind: "ticket switched", from: "17", to: "19" },
    { kind: "session closed", how: "logout" },
  ]);
  assert.deepEqual(agent.all("ticket.addNote"), [], "the agent reads it on record");
  assert.equal(agent.all("ticket.setStatus").length, 1);
  assert.deepEqual(agent.all("session.close"), []);
});

Deno.test("at logout the agent is given the notes, the status and the end", async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({}, { session: { id, ticket: "17" } });
  await using terminal = start("bash", [
    "-c",
    `${LEAD}\n${SATICKET} logout --exit-code 3\necho "ended with $?"`,
  ], home.env);
  await terminal.expect(/This session was on ticket 17: Replace the disk \(New\)[^]*empty line\): $/);
  await terminal.send("first\r");
  await terminal.expect(/> $/);
  await terminal.send("\r");
  await terminal.expect(/Choose ticket status \(default 1\): $/);
  await terminal.send("2\r");
  await terminal.expect(/ended with 0/);
  assert.deepEqual(agent.asked.map(({ method }) => method), [
    "session.current",
    "ticket.find",
    "ticket.addNote",
    "ticket.nextStatuses",
    "ticket.setStatus",
    "session.close",
  ]);
  assert.deepEqual(agent.all("session.close"), [{ how: "logout", exitCode: 3 }]);
});

testThatNeeds(["root"], "an agent that goes away in the middle of a logout takes nothing along", async () => {
  await using home = new HelloHome();
  home.startAgent({}, { session: { id, ticket: "17" } });
  const opened = JSON.stringify({
    kind: "session opened",
    session: id,
    atUs: 1,
    user: "alice",
    uid: 0,
    host: "here",
    tty: "",
    from: "",
    mode: "interactive",
    shell: "/bin/bash",
    ticket: "17",
    leaderPid: "PID",
    leaderStartTicks: "TICKS",
    bootId: Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim(),
  }).replace('"PID"', "%s").replace('"TICKS"', "%s");
  Deno.mkdirSync(home.spool, { recursive: true, mode: 0o700 });
  const script = [
    LEAD,
    `printf '\\036SA1\\0event\\0${opened}\\0\\036\\n' "$$" "$\{20}" >'${home.hostSpool}/${id}.session'`,
    `ln -s '${home.hostSpool}/${id}.session' '${home.spool}/${id}.session'`,
    `${SATICKET} logout --exit-code 3`,
    'echo "ended with $?"',
  ].join("\n");
  await using terminal = start("bash", ["-c", script], home.env);
  await terminal.expect(/empty line\): $/);
  await terminal.send("what I did\r");
  await terminal.expect(/> $/);
  await home.stopAgent();
  await terminal.send("\r");
  assert.match(await terminal.expect(/ended with \d/), /saticket: the agent [^]*ended with 0$/);
  assert.deepEqual(eventsIn(ownSessionFile(home.spool, id)), [
    { kind: "note", ticket: "17", text: "what I did" },
    { kind: "session closed", how: "logout", exitCode: 3 },
  ]);
});

Deno.test("an agent that hangs holds a logout up no longer than it may, and the session is closed", async () => {
  await using home = new HelloHome();
  const opened = openSession(home.spool, existingProcess("self"), null);
  home.startAgent({}, { hangsAt: ["session.current"] });
  const { code, errors } = await home.run("saticket", ["logout", "--exit-code", "0"]);
  assert.equal(code, 0);
  assert.match(errors, /does not answer \(session\.current, 3\.5 s\)/);
  assert.equal(readLoginSession(home.spool, opened)?.closed?.how, "logout");
});

Deno.test("a broken config is no reason to keep a ticket's status from being set", async () => {
  await using home = new HelloHome();
  home.configure("what?");
  assert.equal((await home.run("saticket", ["new", "--no-switch", "Some work"])).code, 0);
  const { text } = await run([SATICKET, "status", "--ticket", "1", "closed"], { env: home.env });
  assert.match(text, /is Closed now/);
});
