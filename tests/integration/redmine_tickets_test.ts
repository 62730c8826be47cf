/** Tickets of a real Redmine: found, looked at, searched for, changed. */

import assert from "node:assert/strict";
import { RedmineTracker } from "../../src/trackers/redmine/redmine_tracker.ts";
import {
  StatusNotAllowedError,
  TicketNotFoundError,
  TicketRefusedError,
} from "../../src/trackers/tracker.ts";
import { testThatNeeds } from "../support/needs.ts";
import { askingAs, Redmine, REDMINE_KEYS, settingsFor } from "../support/redmine.ts";

const NETWORK = { proxy: "", noProxy: [], caFile: "" };
const OWN = { words: "", limit: 20, closedToo: false };

testThatNeeds(["Redmine"], "Redmine's tickets", async (test) => {
  await using redmine = await Redmine.start();
  using tracker = new RedmineTracker(settingsFor(redmine), NETWORK);
  using everywhere = new RedmineTracker(settingsFor(redmine, { projects: [] }), NETWORK);
  const bob = () => askingAs("bob");
  const alice = () => askingAs("alice");

  await test.step("a key is its number, with or without the sign", () => {
    assert.equal(tracker.keyOf("#17"), "17");
    assert.equal(tracker.keyOf("17"), "17");
    assert.equal(tracker.urlOf("17"), `${redmine.url}/issues/17`);
  });

  await test.step("a ticket is found, with its status", async () => {
    assert.deepEqual(await tracker.find(bob(), "1"), {
      key: "1",
      subject: "Disk of db01 is full",
      status: "New",
      open: true,
    });
  });

  for (
    const key of ["999", "OPS-1", "0", "-1", "1.5", "..", "", "99999999999999999999", "1?include=journals"]
  ) {
    await test.step(`there is no ticket ${JSON.stringify(key)}`, async () => {
      assert.equal(await tracker.find(bob(), key), undefined);
      await assert.rejects(tracker.details(bob(), key), TicketNotFoundError);
      await assert.rejects(tracker.nextStatuses(bob(), key), TicketNotFoundError);
      await assert.rejects(tracker.setStatus(bob(), key, "Resolved"), TicketNotFoundError);
      await assert.rejects(tracker.addNote(bob(), key, "note"), TicketNotFoundError);
    });
  }

  await test.step("what she may not see in Redmine is not there for her, though srvAudit's account sees it", async () => {
    assert.equal(await everywhere.find(bob(), "3"), undefined);
    assert.equal(await everywhere.find(askingAs("nobody-there"), "3"), undefined);
    assert.equal((await everywhere.find(askingAs("admin"), "3"))?.key, "3");
  });

  await test.step("a ticket outside of the allowed projects is not there", async () => {
    assert.equal(await tracker.find(bob(), "5"), undefined);
    assert.equal((await everywhere.find(bob(), "5"))?.subject, "Public disk question");
  });

  await test.step("no work can be done on the tickets of a closed project", async () => {
    using closed = new RedmineTracker(settingsFor(redmine, { projects: ["closed"] }), NETWORK);
    for (const one of [closed, everywhere]) {
      assert.equal((await one.find(bob(), "4"))?.open, false);
      assert.deepEqual(await one.nextStatuses(bob(), "4"), []);
      await assert.rejects(one.setStatus(bob(), "4", "Resolved"), StatusNotAllowedError);
      await assert.rejects(one.addNote(bob(), "4", "note"), TicketRefusedError);
    }
  });

  await test.step("projects that are not there are said to be missing", async () => {
    using nowhere = new RedmineTracker(settingsFor(redmine, { projects: ["nope"] }), NETWORK);
    await assert.rejects(nowhere.find(bob(), "1"), /no project nope.*redmineProject/);
  });

  await test.step("only what the workflow allows is offered, to each her own", async () => {
    assert.deepEqual(await tracker.nextStatuses(bob(), "1"), ["In Progress", "Resolved", "Feedback"]);
    assert.ok((await tracker.nextStatuses(alice(), "1")).includes("Closed"));
  });

  await test.step("a status that the workflow forbids is refused, and says which ones are allowed", async () => {
    await assert.rejects(
      tracker.setStatus(bob(), "2", "Closed"),
      (error: Error) => error instanceof StatusNotAllowedError && /bob.*Closed.*Resolved/.test(error.message),
    );
    await assert.rejects(tracker.setStatus(bob(), "2", "No such status"), StatusNotAllowedError);
    assert.equal((await tracker.find(bob(), "2"))?.status, "New");
  });

  await test.step("a status is set in her name", async () => {
    const change = await tracker.setStatus(bob(), "1", "in progress");
    assert.equal(change.before, "New");
    assert.deepEqual(change.after, {
      key: "1",
      subject: "Disk of db01 is full",
      status: "In Progress",
      open: true,
    });
    const closed = await tracker.setStatus(alice(), "2", "Closed");
    assert.equal(closed.after.open, false);
  });

  await test.step("a note is written in her name, as it was typed", async () => {
    await tracker.addNote(bob(), "1", "*no* markup: h1. #2 @alice\nsecond line");
    const details = await tracker.details(bob(), "1");
    assert.deepEqual(details.statuses.map(({ user, status }) => `${user}: ${status}`), [
      "Alice Archer: New",
      "Bob Builder: In Progress",
    ]);
    assert.equal(details.createdBy, "Alice Archer");
    assert.ok(Math.abs(details.createdAtUs / 1000 - Date.now()) < 86_400_000);
    assert.equal(details.notes.length, 1);
    assert.equal(details.notes[0]?.user, "Bob Builder");
    assert.match(details.notes[0]?.text ?? "", /second line/);
  });

  await test.step("the newest note comes last, however the reader has set Redmine to show them", async () => {
    const preference = "---\n:comments_sorting: desc\n";
    redmine.sql("DELETE FROM user_preferences WHERE user_id = 6");
    redmine.sql("INSERT INTO user_preferences (user_id, others, hide_mail) VALUES (6, ?, 1)", preference);
    await tracker.addNote(bob(), "1", "the last one");
    assert.match((await tracker.details(bob(), "1")).notes.at(-1)?.text ?? "", /the last one/);
  });

  await test.step("a private note is for those who may see it", async () => {
    await redmine.api("alice", "PUT", "/issues/1.json", {
      issue: { notes: "for managers", private_notes: true },
    });
    redmine.sql(
      "UPDATE roles SET permissions = replace(permissions, '- :view_private_notes\n', '') WHERE name = 'Developer'",
    );
    const seenBy = async (who: string) =>
      (await tracker.details(askingAs(who), "1")).notes.map(({ text }) => text);
    assert.ok((await seenBy("alice")).includes("for managers"));
    assert.ok(!(await seenBy("bob")).includes("for managers"));
  });

  await test.step("a note that Redmine drops in silence is refused", async () => {
    const permissions = "UPDATE roles SET permissions = replace(permissions, ?, ?) WHERE name = 'Developer'";
    redmine.sql(permissions, "- :add_issue_notes\n", "");
    await assert.rejects(tracker.addNote(bob(), "1", "lost"), TicketRefusedError);
    redmine.sql(permissions, "- :log_time\n", "- :log_time\n- :add_issue_notes\n");
  });

  await test.step("no words: her own open tickets, assigned to her or made by her, newest first", async () => {
    const other = String(await redmine.issue("bob", { subject: "Made by bob" }));
    const keys = async (who: string, where = tracker) =>
      (await where.search(askingAs(who), OWN)).map(({ key }) => key);
    assert.deepEqual(await keys("bob"), [other, "1"]);
    assert.deepEqual(await keys("bob", everywhere), [other, "1"]);
    assert.deepEqual(await keys("alice"), ["1"]);
    assert.deepEqual(await keys("nobody-there"), [other, "1"], "all, of who is not known there");
    const closedToo = await tracker.search(alice(), { ...OWN, closedToo: true });
    assert.deepEqual(closedToo.map(({ key }) => key), ["2", "1"]);
    assert.deepEqual((await tracker.search(bob(), { ...OWN, limit: 1 })).map(({ key }) => key), [other]);
  });

  const search = async (words: string, closedToo = false, where = tracker) =>
    (await where.search(bob(), { words, limit: 20, closedToo })).map(({ key }) => key);

  await test.step("all words must be there, in any order, in subject, description or a note", async () => {
    assert.deepEqual(await search("full disk"), ["1"]);
    assert.deepEqual(await search("ROOT disk"), ["1"]);
    assert.deepEqual(await search("typed second"), []);
    assert.deepEqual(await search("second markup"), ["1"]);
    assert.deepEqual(await search("disk zzz"), []);
    assert.deepEqual(await search('"full disk"'), ["1"], "quotation marks make no phrase");
    assert.deepEqual(await search("certificate"), []);
    assert.deepEqual(await search("certificate", true), ["2"]);
  });

  await test.step("a search keeps to the allowed projects, and to what she may see", async () => {
    assert.deepEqual(await search("disk"), ["1"]);
    assert.deepEqual(await search("disk", true, everywhere), ["5", "4", "1"]);
  });

  await test.step("a project below an allowed one is not allowed by that", async () => {
    const below = {
      name: "Below",
      identifier: "below",
      parent_id: 1,
      inherit_members: true,
      tracker_ids: [1],
    };
    assert.equal((await redmine.api("admin", "POST", "/projects.json", { project: below })).status, 201);
    const key = String(
      await redmine.issue("bob", { subject: "Disk below", project_id: "below", custom_fields: [] }),
    );
    assert.equal(await tracker.find(bob(), key), undefined);
    assert.ok(!(await tracker.search(bob(), OWN)).some((ticket) => ticket.key === key));
    assert.deepEqual(await search("disk"), ["1"]);
    assert.ok((await everywhere.search(bob(), OWN)).some((ticket) => ticket.key === key));
  });

  await test.step("a search that Redmine would not do wholly is refused", async () => {
    await assert.rejects(search("one two three four five six"), /5 words/);
    await assert.rejects(search("a b"), /two characters/);
  });

  await test.step("a project that is closed while srvAudit remembers it is noticed at the first thing that fails", async () => {
    assert.equal((await tracker.find(bob(), "1"))?.open, true);
    redmine.sql("UPDATE projects SET status = 5 WHERE id = 1");
    await assert.rejects(tracker.setStatus(bob(), "1", "Resolved"), TicketRefusedError);
    assert.equal((await tracker.find(bob(), "1"))?.open, false);
    redmine.sql("UPDATE projects SET status = 1 WHERE id = 1");
  });

  await test.step("an ordinary key does all as its own account", async () => {
    using plain = new RedmineTracker(settingsFor(redmine, { key: REDMINE_KEYS.bob }), NETWORK);
    await plain.addNote(askingAs("carol"), "1", "by the key's account");
    const note = (await plain.details(askingAs("carol"), "1")).notes.at(-1);
    assert.equal(note?.user, "Bob Builder");
    assert.match(note?.text ?? "", /carol[^]*by the key's account/, "the note says whose it is");
    assert.ok(!(await plain.nextStatuses(askingAs("alice"), "1")).includes("New"));
  });
});
