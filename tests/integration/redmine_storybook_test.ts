/** Comments and time entries in a real Redmine. */

import assert from "node:assert/strict";
import { RedmineTracker } from "../../src/trackers/redmine/redmine_tracker.ts";
import {
  CommentGoneError,
  TicketNotFoundError,
  TicketRefusedError,
  type TimeSpent,
  TrackerDeniedError,
} from "../../src/trackers/tracker.ts";
import { testThatNeeds } from "../support/needs.ts";
import { askingAs, Redmine, REDMINE_KEYS, settingsFor } from "../support/redmine.ts";

const NETWORK = { proxy: "", noProxy: [], caFile: "" };
const MARK = "srvAudit session 0199 part 1";

testThatNeeds(["Redmine"], "Stories in Redmine", async (test) => {
  await using redmine = await Redmine.start();
  using tracker = new RedmineTracker(settingsFor(redmine), NETWORK);
  using plain = new RedmineTracker(settingsFor(redmine, { key: REDMINE_KEYS.bob }), NETWORK);
  const book = tracker.storybook;
  const patience = () => AbortSignal.timeout(60_000);
  const notes = async (key: string) => (await tracker.details(askingAs("alice"), key)).notes;

  await test.step("a comment is added by srvAudit's own account, changed, and found by its mark", async () => {
    assert.equal(await book.find("1", MARK, patience()), undefined);
    const id = await book.add("1", `first\n\n${MARK}`, patience());
    const other = await book.add("1", "first\n\nanother one", patience());
    assert.notEqual(id, other);
    await book.edit("1", id, `second\n\n${MARK}`, patience());
    assert.equal(await book.find("1", MARK, patience()), id);
    assert.deepEqual((await notes("1")).map(({ user, text }) => [user, text]), [
      ["Redmine Admin", `second\n\n${MARK}`],
      ["Redmine Admin", "first\n\nanother one"],
    ]);
  });

  await test.step("nobody else's comment is taken for one of its own", async () => {
    await tracker.addNote(askingAs("bob"), "2", MARK);
    assert.equal(await book.find("2", MARK, patience()), undefined);
  });

  await test.step("comments that are added at the same time do not get each other's ids", async () => {
    const ids = await Promise.all(
      [1, 2, 3, 4].map((part) => book.add("2", `at once, part ${part}`, patience())),
    );
    assert.equal(new Set(ids).size, 4);
    for (const [index, id] of ids.entries()) {
      assert.equal(await book.find("2", `at once, part ${index + 1}`, patience()), id);
    }
  });

  await test.step("a comment that was removed is said to be gone", async () => {
    const id = await book.add("1", "to be removed", patience());
    await redmine.api("admin", "PUT", `/journals/${id}.json`, { journal: { notes: "" } });
    await assert.rejects(book.edit("1", id, "again", patience()), CommentGoneError);
  });

  await test.step("a ticket that is not there has no comments", async () => {
    await assert.rejects(book.add("999", "x", patience()), TicketNotFoundError);
    await assert.rejects(book.find("999", MARK, patience()), TicketNotFoundError);
    await assert.rejects(plain.storybook.add("3", "x", patience()), TicketRefusedError);
  });

  await test.step("a closed project's ticket takes none", async () => {
    using closed = new RedmineTracker(settingsFor(redmine, { projects: ["closed"] }), NETWORK);
    await assert.rejects(closed.storybook.add("4", "x", patience()), TicketRefusedError);
  });

  await test.step("a wrong key is no reason to take a comment for gone", async () => {
    using wrong = new RedmineTracker(settingsFor(redmine, { key: "e".repeat(40) }), NETWORK);
    await assert.rejects(wrong.storybook.edit("1", "1", "x", patience()), TrackerDeniedError);
    await assert.rejects(wrong.storybook.add("1", "x", patience()), TrackerDeniedError);
    const id = await book.add("1", "is there", patience());
    redmine.sql("UPDATE tokens SET value = 'x' WHERE action = 'api' AND user_id = 1");
    await assert.rejects(
      book.edit("1", id, "x", patience()),
      TrackerDeniedError,
      "a key that was good a moment ago",
    );
    redmine.sql("UPDATE tokens SET value = ? WHERE action = 'api' AND user_id = 1", REDMINE_KEYS.admin);
    await book.edit("1", id, "is still there", patience());
  });

  await test.step("whether comments can be changed depends on the account's own roles", async () => {
    const canEdit = async (key: string, projects = ["ops"]) => {
      using one = new RedmineTracker(settingsFor(redmine, { key, projects }), NETWORK);
      return await one.storybook.canEdit(patience());
    };
    assert.equal(await canEdit(REDMINE_KEYS.admin), true);
    assert.equal(await canEdit(REDMINE_KEYS.alice), true);
    assert.equal(await canEdit(REDMINE_KEYS.bob), true);
    assert.equal(await canEdit(REDMINE_KEYS.bob, ["lobby"]), false);
    redmine.sql("UPDATE roles SET permissions = replace(permissions, '- :edit_own_issue_notes\n', '')");
    assert.equal(await canEdit(REDMINE_KEYS.bob), false);
    const id = await plain.storybook.add("1", "cannot be changed", patience());
    await assert.rejects(
      plain.storybook.edit("1", id, "x", patience()),
      (error: Error) => error instanceof TicketRefusedError && /Edit own notes/.test(error.message),
    );
  });

  await test.step("a body of the greatest length arrives as it is", async () => {
    const body = "é\u{1f995} x\n".repeat(10_000).slice(0, book.markup.limit).trim();
    const id = await book.add("1", body, patience());
    assert.equal((await notes("1")).at(-1)?.text, body);
    await book.edit("1", id, "short", patience());
  });

  await test.step("ten thousand notes on a ticket are read, and too many are said to be too many", async () => {
    const key = String(await redmine.issue("alice", { subject: "Everything" }));
    const insert = (count: number, length: number) =>
      redmine.sql(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO journals (journalized_id, journalized_type, user_id, notes, created_on, private_notes)
         SELECT ?, 'Issue', 5, substr(hex(zeroblob(?)), 1, ?), datetime('now'), 0 FROM n`,
        count,
        Number(key),
        length,
        length,
      );
    insert(10_000, 200);
    const id = await book.add(key, `among many\n\n${MARK}`, patience());
    assert.equal(await book.find(key, MARK, patience()), id);
    insert(300, 60_000);
    const isTooLong = (error: Error) =>
      error instanceof TicketRefusedError && /more notes than/.test(error.message);
    await assert.rejects(book.find(key, MARK, patience()), isTooLong);
    await assert.rejects(book.add(key, "one more", patience()), isTooLong);
    await assert.rejects(tracker.details(askingAs("alice"), key), isTooLong);
    await tracker.addNote(askingAs("alice"), key, "a person's note goes on");
    await book.edit(key, id, "and so does what is known", patience());
    assert.equal((await tracker.find(askingAs("alice"), key))?.subject, "Everything");
  });

  const spent = (changes: Partial<TimeSpent> = {}): TimeSpent => ({
    person: { uid: 1000, name: "bob" },
    startUs: new Date(2026, 0, 2, 23, 59, 59).getTime() * 1000,
    seconds: 5400,
    comment: `session on db01 (${MARK})`,
    mark: MARK,
    ...changes,
  });
  const entries = async (key: string) =>
    ((await redmine.api("admin", "GET", `/time_entries.json?issue_id=${key}`)).body as {
      time_entries: {
        user: { name: string };
        hours: number;
        spent_on: string;
        activity: { name: string };
        comments: string;
      }[];
    }).time_entries;

  await test.step("time is logged once, as the person, on the host's own date", async () => {
    using logging = new RedmineTracker(settingsFor(redmine, { activity: "development" }), NETWORK);
    await logging.storybook.logTime("1", spent(), patience());
    await logging.storybook.logTime("1", spent(), patience());
    const [entry, ...others] = await entries("1");
    assert.deepEqual(others, []);
    assert.equal(entry?.user.name, "Bob Builder");
    assert.equal(entry?.hours, 1.5);
    assert.equal(entry?.spent_on, "2026-01-02");
    assert.equal(entry?.activity.name, "Development");
    assert.equal(entry?.comments, `session on db01 (${MARK})`);
  });

  await test.step("a second is not nothing", async () => {
    using logging = new RedmineTracker(settingsFor(redmine, { activity: "Development" }), NETWORK);
    await logging.storybook.logTime("2", spent({ seconds: 1 }), patience());
    assert.equal((await entries("2"))[0]?.hours, 0.01);
  });

  await test.step("who may not log time, or is not known there, has it logged by srvAudit's account", async () => {
    using logging = new RedmineTracker(settingsFor(redmine, { activity: "Development" }), NETWORK);
    const times = [{ name: "carol", mark: "one" }, { name: "mallory", mark: "two" }, {
      name: "bob",
      mark: "three",
    }];
    redmine.sql(
      "UPDATE roles SET permissions = replace(permissions, '- :log_time\n', '') WHERE name = 'Developer'",
    );
    for (const { name, mark } of times) {
      await logging.storybook.logTime(
        "2",
        spent({ person: { uid: 1, name }, comment: mark, mark }),
        patience(),
      );
      const entry = (await entries("2")).find(({ comments }) => comments === mark);
      assert.equal(entry?.user.name, "Redmine Admin");
    }
  });

  await test.step("without an activity it says which key is missing; with a wrong one, which there are", async () => {
    await assert.rejects(
      book.logTime("2", spent({ mark: "none" }), patience()),
      (error: Error) =>
        error instanceof TicketRefusedError &&
        /Activity cannot be blank.*redmineActivity/.test(error.message),
    );
    using wrong = new RedmineTracker(settingsFor(redmine, { activity: "Sleep" }), NETWORK);
    await assert.rejects(
      wrong.storybook.logTime("2", spent({ mark: "none" }), patience()),
      /Design, Development.*redmineActivity/,
    );
  });
});
