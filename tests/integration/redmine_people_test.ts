/** Who works on tickets in a real Redmine: in whose name, with whose key, and what is said where that does not go. */

import assert from "node:assert/strict";
import { RedmineTracker } from "../../src/trackers/redmine/redmine_tracker.ts";
import {
  TicketNotFoundError,
  TicketRefusedError,
  TrackerDeniedError,
  TrackerUnavailableError,
} from "../../src/trackers/tracker.ts";
import type { RedmineSettings } from "../../src/config/tracker_settings.ts";
import { testThatNeeds } from "../support/needs.ts";
import { askingAs, Redmine, REDMINE_KEYS, settingsFor } from "../support/redmine.ts";

const NETWORK = { proxy: "", noProxy: [], caFile: "" };

testThatNeeds(["Redmine"], "Whom Redmine takes the people of a host for", async (test) => {
  await using redmine = await Redmine.start();

  /** Who a note is by, that somebody adds. */
  const noteIsBy = async (
    name: string,
    changes: Partial<RedmineSettings> = {},
  ): Promise<string | undefined> => {
    using tracker = new RedmineTracker(settingsFor(redmine, changes), NETWORK);
    await tracker.addNote(askingAs(name), "1", `by ${name}`);
    return (await tracker.details(askingAs("alice"), "1")).notes.at(-1)?.user;
  };
  const findRejects = async (
    name: string,
    changes: Partial<RedmineSettings>,
    type: new (message: string) => Error,
    words: RegExp,
  ) => {
    using tracker = new RedmineTracker(settingsFor(redmine, changes), NETWORK);
    await assert.rejects(
      tracker.find(askingAs(name), "1"),
      (error: Error) => error instanceof type && words.test(error.message) && noSecret(error),
    );
  };
  const noSecret = (error: Error) =>
    !Object.values(REDMINE_KEYS).some((key) => Deno.inspect(error).includes(key));

  await test.step("an account of the same name", async () => {
    assert.equal(await noteIsBy("bob"), "Bob Builder");
    assert.equal(await noteIsBy("BOB"), "Bob Builder");
  });

  await test.step("the one that the config names: by login, by mail, by id", async () => {
    for (const named of ["bob", "bob@example.test", "BOB@example.test", "6"]) {
      assert.equal(await noteIsBy("root", { users: { root: named } }), "Bob Builder");
    }
    assert.equal(await noteIsBy("bob", { users: { bob: "alice" } }), "Alice Archer", "the config goes first");
  });

  await test.step("the one whose mail is at the config's domain", async () => {
    redmine.sql("UPDATE email_addresses SET address = 'robert@corp.example' WHERE user_id = 6");
    assert.equal(await noteIsBy("robert", { mailDomain: "corp.example" }), "Bob Builder");
    for (const part of ["bert", "rober", "t"]) {
      assert.equal(
        await noteIsBy(part, { mailDomain: "corp.example" }),
        "Redmine Admin",
        "a part of an address is none",
      );
    }
    assert.equal(await noteIsBy("%", { mailDomain: "corp.example" }), "Redmine Admin");
  });

  await test.step("whom Redmine does not know works as srvAudit's account, or not at all", async () => {
    for (const name of ["carol", "no login at all ü", "bob\nX-Other: 1", ""]) {
      assert.equal(await noteIsBy(name), "Redmine Admin");
      await findRejects(name, { unknownUsers: "deny" }, TicketRefusedError, /does not know.*trackerUsers/s);
    }
    await findRejects(
      "root",
      { unknownUsers: "deny", users: { root: "nobody" } },
      TicketRefusedError,
      /does not know root/,
    );
  });

  await test.step("to whom Redmine does not know, an administrator's key shows nothing that is private", async () => {
    const { body } = await redmine.api("admin", "POST", "/issues.json", {
      issue: {
        project_id: "lobby",
        tracker_id: 1,
        subject: "A private disk question",
        is_private: true,
      },
    }) as { body: { issue: { id: number } } };
    const ofLobby = String(body.issue.id);
    redmine.sql("UPDATE issues SET is_private = 1 WHERE id = 2");
    await redmine.api("admin", "PUT", "/issues/5.json", {
      issue: { notes: "between ourselves", private_notes: true },
    });
    for (
      const { projects, seen, hidden } of [
        { projects: ["ops"], seen: ["1"], hidden: ["2", "3", "5", ofLobby] },
        { projects: [], seen: ["5"], hidden: ["1", "2", "3", ofLobby] },
        { projects: ["ops", "lobby"], seen: ["5", "1"], hidden: ["2", "3", ofLobby] },
      ]
    ) {
      using tracker = new RedmineTracker(settingsFor(redmine, { projects }), NETWORK);
      const carol = () => askingAs("carol");
      for (const key of hidden) {
        assert.equal(await tracker.find(carol(), key), undefined);
        await assert.rejects(tracker.details(carol(), key), TicketNotFoundError);
        await assert.rejects(tracker.nextStatuses(carol(), key), TicketNotFoundError);
        await assert.rejects(tracker.setStatus(carol(), key, "Resolved"), TicketNotFoundError);
        await assert.rejects(tracker.addNote(carol(), key, "seen by carol"), TicketNotFoundError);
      }
      for (const key of seen) assert.equal((await tracker.find(carol(), key))?.key, key);
      for (const words of ["", "disk"]) {
        const found = await tracker.search(carol(), { words, limit: 9, closedToo: false });
        assert.deepEqual(found.map(({ key }) => key), seen, `"${words}" in ${projects}`);
      }
      if (seen.includes("5")) {
        const notes = (await tracker.details(carol(), "5")).notes.map(({ text }) => text);
        assert.ok(!notes.includes("between ourselves"));
      }
      const made = await tracker.create(carol(), {});
      assert.doesNotMatch(JSON.stringify(made), /hidden/i, "projects to choose from");
      assert.match(tracker.concern?.what ?? "", /whoever Redmine does not know/);
    }
    for (const changes of [{ unknownUsers: "deny" }, { key: REDMINE_KEYS.bob }] as const) {
      using tracker = new RedmineTracker(settingsFor(redmine, changes), NETWORK);
      await tracker.find(askingAs("bob"), "1");
      assert.equal(tracker.concern, undefined);
    }
    redmine.sql("UPDATE issues SET is_private = 0 WHERE id = 2");
  });

  await test.step("who is locked there is refused, whatever is said of the unknown ones", async () => {
    await findRejects("mallory", {}, TicketRefusedError, /mallory is locked/);
    await findRejects(
      "root",
      { users: { root: "mallory@example.test" } },
      TicketRefusedError,
      /mallory is locked/,
    );
    await findRejects("root", { users: { root: "7" } }, TicketRefusedError, /mallory is locked/);
  });

  await test.step("who is locked while srvAudit remembers her is refused from then on", async () => {
    using tracker = new RedmineTracker(settingsFor(redmine), NETWORK);
    assert.equal((await tracker.find(askingAs("bob"), "1"))?.key, "1");
    redmine.sql("UPDATE users SET status = 3 WHERE login = 'bob'");
    await assert.rejects(tracker.find(askingAs("bob"), "1"), /bob is locked/);
    redmine.sql("UPDATE users SET status = 1 WHERE login = 'bob'");
    assert.equal((await tracker.find(askingAs("bob"), "1"))?.key, "1");
  });

  await test.step("with an ordinary key only those are known whom the config gives an id", async () => {
    const key = REDMINE_KEYS.bob;
    assert.equal(await noteIsBy("alice", { key }), "Bob Builder");
    await findRejects(
      "alice",
      { key, unknownUsers: "deny" },
      TicketRefusedError,
      /administrator's redmineKey/,
    );
    using tracker = new RedmineTracker(
      settingsFor(redmine, { key, unknownUsers: "deny", users: { ann: "5" } }),
      NETWORK,
    );
    const own = await tracker.search(askingAs("ann"), { words: "", limit: 9, closedToo: false });
    assert.deepEqual(own.map(({ key }) => key), ["2", "1"], "assigned to alice, and made by her");
  });

  await test.step("a key that Redmine does not take is said to be wrong, on what anybody may see, too", async () => {
    for (const key of ["e".repeat(40), REDMINE_KEYS.mallory]) {
      await findRejects("bob", { key }, TrackerDeniedError, /401.*redmineKey/);
      using tracker = new RedmineTracker(settingsFor(redmine, { key, projects: [] }), NETWORK);
      await assert.rejects(tracker.find(askingAs("bob"), "5"), TrackerDeniedError);
      await assert.rejects(tracker.create(askingAs("bob"), {}), TrackerDeniedError);
      await assert.rejects(
        tracker.search(askingAs("bob"), { words: "", limit: 1, closedToo: false }),
        TrackerDeniedError,
      );
    }
  });

  await test.step("a key that goes bad while it is in use is noticed at the first thing that fails", async () => {
    using tracker = new RedmineTracker(settingsFor(redmine, { projects: [] }), NETWORK);
    assert.equal((await tracker.find(askingAs("bob"), "1"))?.key, "1");
    redmine.sql("UPDATE tokens SET value = 'x' WHERE action = 'api' AND user_id = 1");
    await assert.rejects(tracker.find(askingAs("bob"), "1"), TrackerDeniedError);
    await assert.rejects(tracker.find(askingAs("bob"), "99"), TrackerDeniedError);
    await assert.rejects(tracker.find(askingAs("bob"), "5"), TrackerDeniedError, "what anybody may see");
    redmine.sql("UPDATE tokens SET value = ? WHERE action = 'api' AND user_id = 1", REDMINE_KEYS.admin);
    assert.equal((await tracker.find(askingAs("bob"), "1"))?.key, "1");
  });

  await test.step("a REST API that is off is said to be off", async () => {
    redmine.setting("rest_api_enabled", "0");
    await findRejects("bob", {}, TrackerDeniedError, /REST API on/);
    redmine.setting("rest_api_enabled", "1");
  });

  await test.step("an address without a Redmine is said to be wrong", async () => {
    await findRejects("bob", { url: `${redmine.url}/elsewhere` }, TrackerUnavailableError, /redmineURL/);
    await findRejects("bob", { url: "http://127.0.0.1:1" }, TrackerUnavailableError, /redmineURL|refused/);
  });
});
