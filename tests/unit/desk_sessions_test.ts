import assert from "node:assert/strict";
import { DEFAULT_POLICY } from "../../src/config/policy.ts";
import { NoSessionError, NotOnRecordError } from "../../src/desk/desk.ts";
import { LocalDesk } from "../../src/desk/local_desk.ts";
import { OutageDesk } from "../../src/desk/outage_desk.ts";
import type { Opening } from "../../src/desk/protocol.ts";
import { readLoginSession, sessionFile } from "../../src/record/login_session.ts";
import { existingProcess, openSession } from "../support/fake_session.ts";

const OPENING: Opening = {
  mode: "interactive",
  shell: "/bin/bash",
  ticket: "1",
  tty: "/dev/pts/0",
  from: "",
};

/** A user's places, in a folder of their own. */
function newPlaces() {
  const folder = Deno.makeTempDirSync();
  const user = `${folder}/.ash`;
  return {
    user,
    spool: `${user}/spool`,
    tickets: `${user}/tickets.db`,
    hostSpool: `${folder}/host`,
    socket: `${folder}/agent.sock`,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

for (const Desk of [LocalDesk, OutageDesk]) {
  Deno.test(`${Desk.name}: a session is opened, switched and closed in the user's own spool`, async () => {
    using places = newPlaces();
    using desk = new Desk(places, DEFAULT_POLICY);
    assert.equal(await desk.session(), undefined);
    const { id, spoolFile } = await desk.open(OPENING);
    assert.equal(spoolFile, null);
    const session = await desk.session();
    assert.equal(session?.id, id);
    assert.equal(session?.leaderPid, Deno.pid);
    assert.equal(session?.ticketSinceUs, session?.sinceUs);
    assert.equal(await desk.switchTo("2"), "1");
    assert.equal((await desk.session())?.ticket, "2");
    assert.equal(await desk.close("logout", 3), true);
    assert.equal(await desk.session(), undefined);
    await assert.rejects(desk.switchTo("3"), NoSessionError);
    assert.equal(readLoginSession(places.spool, id)?.closed?.exitCode, 3);
  });

  Deno.test(`${Desk.name}: of two that close a session, the first one does it`, async () => {
    using places = newPlaces();
    const id = openSession(places.spool, existingProcess("self"), "1");
    using one = new Desk(places, DEFAULT_POLICY);
    using other = new Desk(places, DEFAULT_POLICY);
    assert.ok(await one.session() && await other.session());
    assert.deepEqual([await one.close("logout", 0), await other.close("hangup", 1)], [true, false]);
    const events = readLoginSession(places.spool, id)?.events.slice(1);
    assert.deepEqual(events?.map((event) => event.kind === "session closed" && event.how), ["logout"]);
  });

  Deno.test(`${Desk.name}: outside of a session nothing can be switched or closed`, async () => {
    using places = newPlaces();
    using desk = new Desk(places, DEFAULT_POLICY);
    await assert.rejects(desk.switchTo("1"), NoSessionError);
    await assert.rejects(desk.close("logout", 0), NoSessionError);
  });

  Deno.test(`${Desk.name}: a session whose file is taken away goes on as it stood`, async () => {
    using places = newPlaces();
    const id = openSession(places.spool, existingProcess("self"), "1");
    using desk = new Desk(places, DEFAULT_POLICY);
    await desk.session();
    Deno.removeSync(sessionFile(places.spool, id));
    assert.equal((await desk.session())?.ticket, "1");
    assert.equal(await desk.switchTo("2"), "1");
    Deno.removeSync(places.spool, { recursive: true });
    await assert.rejects(desk.switchTo("3"), NotOnRecordError);
  });
}

Deno.test("a desk says on record who is exempt, but not of an emergency", async () => {
  using places = newPlaces();
  const name = (await new Deno.Command("id", { args: ["-un"] }).output()).stdout;
  const exemptUsers = [new TextDecoder().decode(name).trim()];
  using desk = new LocalDesk(places, { ...DEFAULT_POLICY, exemptUsers });
  const openings = [
    await desk.open({ ...OPENING, ticket: null }),
    await desk.open({ ...OPENING, ticket: null, emergency: "Fire" }),
  ];
  assert.deepEqual(openings.map(({ id }) => readLoginSession(places.spool, id)?.opened.exempt), [
    true,
    undefined,
  ]);
});

Deno.test("LocalDesk puts a note on record that its store cannot take", async () => {
  using places = newPlaces();
  const id = openSession(places.spool, existingProcess("self"), "1");
  Deno.writeTextFileSync(places.tickets, "no database at all, however long it may be");
  using desk = new LocalDesk(places, DEFAULT_POLICY);
  await assert.rejects(desk.addNote("1", "what I saw"), { name: "TrackerUnavailableError" });
  const [, note] = readLoginSession(places.spool, id)?.events ?? [];
  assert.ok(note?.kind === "note");
  assert.deepEqual([note.text, note.told], ["what I saw", undefined]);
});
