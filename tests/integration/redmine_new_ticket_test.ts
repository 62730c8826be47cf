/** New tickets in a real Redmine, and what they demand. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { RedmineTracker } from "../../src/trackers/redmine/redmine_tracker.ts";
import { type Answers, type Question, type Ticket, TicketRefusedError } from "../../src/trackers/tracker.ts";
import { testThatNeeds } from "../support/needs.ts";
import { askingAs, Redmine, REDMINE_KEYS, settingsFor } from "../support/redmine.ts";

const NETWORK = { proxy: "", noProxy: [], caFile: "" };
const NAMES = { project: "ops", tracker: "Bug" };

testThatNeeds(["Redmine"], "New tickets in Redmine", async (test) => {
  await using redmine = await Redmine.start();
  using tracker = new RedmineTracker(settingsFor(redmine), NETWORK);
  using plain = new RedmineTracker(settingsFor(redmine, { key: REDMINE_KEYS.bob }), NETWORK);

  const questionsOf = async (answers: Answers, who = "bob", where = tracker): Promise<Question[]> => {
    const created = await where.create(askingAs(who), answers);
    assert.ok("questions" in created, `there is a ticket already: ${JSON.stringify(created)}`);
    return created.questions;
  };
  const ticketOf = async (answers: Answers, who = "bob", where = tracker): Promise<Ticket> => {
    const created = await where.create(askingAs(who), answers);
    assert.ok("ticket" in created, JSON.stringify(created));
    return created.ticket;
  };
  const issueOf = async ({ key }: Ticket) =>
    ((await redmine.api("admin", "GET", `/issues/${key}.json`)).body as {
      issue: {
        subject: string;
        author: { name: string };
        assigned_to?: { name: string };
        tracker: { name: string };
        custom_fields: { name: string; value: string | string[] | null }[];
      };
    }).issue;
  const valueOf = async (ticket: Ticket, name: string) =>
    (await issueOf(ticket)).custom_fields.find((field) => field.name === name)?.value;

  await test.step("with one project, the tracker comes first, then subject and the required field", async () => {
    const [first, ...others] = await questionsOf({});
    assert.deepEqual(others, []);
    assert.equal(first?.name, "tracker");
    assert.equal(first?.label, "tracker");
    assert.deepEqual(first?.choices?.map(({ label }) => label), ["Bug", "Feature", "Support"]);
    assert.equal(first?.default, undefined);
    assert.deepEqual(await questionsOf({ tracker: "Bug" }), [
      { name: "subject", label: "subject" },
      { name: "field:1", label: "Change reason" },
    ]);
    assert.deepEqual((await questionsOf({ tracker: "Bug", subject: "s" })).map(({ name }) => name), [
      "field:1",
    ]);
  });

  await test.step("it is made in her name, and is hers", async () => {
    const ticket = await ticketOf({
      tracker: "support",
      subject: "Certificate runs out",
      "field:1": "expiry",
    });
    assert.equal(ticket.subject, "Certificate runs out");
    assert.equal(ticket.status, "New");
    assert.equal(ticket.open, true);
    const issue = await issueOf(ticket);
    assert.equal(issue.author.name, "Bob Builder");
    assert.equal(issue.assigned_to?.name, "Bob Builder");
    assert.equal(issue.tracker.name, "Support");
    assert.equal(await valueOf(ticket, "Change reason"), "expiry");
  });

  await test.step("what the config says is the default of what is asked for, and taken for what is not", async () => {
    const fields = { "change reason": "routine", "Environment": "STAGING" };
    using set = new RedmineTracker(settingsFor(redmine, { newTicketType: "feature", fields }), NETWORK);
    assert.equal((await questionsOf({}, "bob", set))[0]?.default, "Feature");
    const asked = await questionsOf({ tracker: "Feature" }, "bob", set);
    assert.equal(asked.find(({ name }) => name === "field:1")?.default, "routine");
    const ticket = await ticketOf({ tracker: "Feature", subject: "s", "field:1": "because" }, "bob", set);
    assert.equal(await valueOf(ticket, "Environment"), "staging");
    assert.equal(await valueOf(ticket, "Change reason"), "because");
  });

  await test.step("with several projects, the project is asked for first, its default being the config's first one", async () => {
    using several = new RedmineTracker(
      settingsFor(redmine, { projects: ["lobby", "ops", "hidden", "closed"] }),
      NETWORK,
    );
    const [question] = await questionsOf({}, "bob", several);
    assert.deepEqual(question, {
      name: "project",
      label: "project",
      choices: [{ value: "lobby", label: "Lobby" }, { value: "ops", label: "Operations" }],
      default: "lobby",
    });
    assert.equal((await questionsOf({ project: "operations" }, "bob", several))[0]?.name, "tracker");
    assert.deepEqual(
      (await questionsOf({ project: "lobby", tracker: "Bug" }, "bob", several)).map(({ name }) => name),
      [
        "subject",
      ],
    );
    await assert.rejects(questionsOf({ project: "hidden" }, "bob", several), TicketRefusedError);
    using all = new RedmineTracker(settingsFor(redmine, { projects: [] }), NETWORK);
    const choices = (await questionsOf({}, "bob", all))[0]?.choices?.map(({ value }) => value).toSorted();
    assert.deepEqual(choices, ["lobby", "ops"]);
  });

  await test.step("where nobody may make tickets, it says so", async () => {
    using closed = new RedmineTracker(settingsFor(redmine, { projects: ["closed"] }), NETWORK);
    await assert.rejects(closed.create(askingAs("bob"), {}), /no project.*redmineProject/);
  });

  await test.step("who may not have tickets gets them made all the same, as nobody's", async () => {
    const settings = settingsFor(redmine, { key: REDMINE_KEYS.bob, users: { ann: "5" } });
    using mapped = new RedmineTracker(settings, NETWORK);
    const answers = { tracker: "Bug", subject: "s", "field:1": "because" };
    assert.equal((await issueOf(await ticketOf(answers, "ann", mapped))).assigned_to?.name, "Alice Archer");
    redmine.sql("UPDATE roles SET assignable = 0 WHERE name = 'Manager'");
    assert.equal((await issueOf(await ticketOf(answers, "ann", mapped))).assigned_to, undefined);
    redmine.sql("UPDATE roles SET assignable = 1 WHERE name = 'Manager'");
  });

  await test.step("an ordinary key learns what is required when the ticket is made, in whatever language", async () => {
    assert.deepEqual(await questionsOf({ ...NAMES, subject: "s" }, "bob", plain), [
      { name: "field:1", label: "Change reason" },
    ]);
    redmine.sql("UPDATE users SET language = 'de' WHERE login = 'bob'");
    assert.deepEqual(
      (await questionsOf({ ...NAMES, subject: "s" }, "bob", plain)).map(({ label }) => label),
      [
        "Change reason",
      ],
    );
    redmine.sql("UPDATE users SET language = 'ja' WHERE login = 'bob'");
    assert.deepEqual(
      (await questionsOf({ ...NAMES, subject: "s" }, "bob", plain)).map(({ label }) => label),
      [
        "Change reason",
      ],
    );
    redmine.sql("UPDATE users SET language = 'en' WHERE login = 'bob'");
    const ticket = await ticketOf({ ...NAMES, subject: "s", "field:1": "because" }, "bob", plain);
    assert.equal(
      (await issueOf(ticket)).assigned_to,
      undefined,
      "nobody knows who bob is with an ordinary key",
    );
  });

  await test.step("a field of all projects is asked for as soon as Redmine demands it, by its name", async () => {
    const made = [
      ["Change reason code", "list", '--- ["red", "green"]'],
      ["Weekend", "bool", null],
      ["Window", "date", null],
      ["Reviewer", "user", null],
      ["Release", "version", null],
    ] as const;
    for (const [name, format, values] of made) {
      redmine.sql(
        `INSERT INTO custom_fields (type, name, field_format, possible_values, is_required, is_for_all, visible, editable, format_store, min_length, max_length, multiple)
         VALUES ('IssueCustomField', ?, ?, ?, 1, 1, 1, 1, '--- {}', NULL, NULL, 0)`,
        name,
        format,
        values,
      );
    }
    redmine.sql("INSERT INTO custom_fields_trackers SELECT id, 2 FROM custom_fields WHERE id > 2");
    await redmine.api("alice", "POST", "/projects/ops/versions.json", { version: { name: "2026.1" } });
    using fresh = new RedmineTracker(settingsFor(redmine), NETWORK);
    const answers: Record<string, string> = { tracker: "Feature", subject: "s", "field:1": "because" };
    const questions = await questionsOf(answers, "bob", fresh);
    const labels = Object.fromEntries(
      questions.map(({ label, choices }) => [label, choices?.map((one) => one.label)]),
    );
    assert.deepEqual(labels, {
      "Change reason code": ["red", "green"],
      "Weekend": ["Yes", "No"],
      "Window": undefined,
      "Reviewer": ["Alice Archer", "Bob Builder", "Mallory Locked"],
      "Release": ["2026.1"],
    });
    for (const { name, choices } of questions) {
      answers[name] = choices?.[1]?.label ?? choices?.[0]?.label ?? "2026-02-03";
    }
    const ticket = await ticketOf(answers, "bob", fresh);
    assert.equal(await valueOf(ticket, "Change reason code"), "green");
    assert.equal(await valueOf(ticket, "Weekend"), "0");
    assert.equal(await valueOf(ticket, "Reviewer"), "6");
    // A name that goes on like another one's is not taken for that.
    const all = await questionsOf({ tracker: "Feature", subject: "s" }, "bob", plain);
    assert.deepEqual(
      all.map(({ label }) => label).toSorted(),
      ["Change reason", ...Object.keys(labels)].toSorted(),
    );
    // An ordinary key finds the names, where Redmine tells of none, in a ticket that is there.
    assert.deepEqual(
      (await questionsOf({ tracker: "Feature", subject: "s", "field:1": "because" }, "bob", plain)).map((
        { label },
      ) => label).toSorted(),
      Object.keys(labels).toSorted(),
    );
    await assert.rejects(
      fresh.create(askingAs("bob"), {
        ...answers,
        [questions.find(({ label }) => label === "Window")?.name ?? ""]: "never",
      }),
      (error: Error) =>
        error instanceof TicketRefusedError && /Window is not a valid date/.test(error.message),
    );
    redmine.sql("DELETE FROM custom_fields_trackers WHERE tracker_id = 2 AND custom_field_id > 2");
  });

  await test.step("a field that is not demanded is taken by its name, or its id", async () => {
    const answers = { ...NAMES, subject: "s", "field:1": "because" };
    for (const set of [undefined, plain]) {
      for (const name of ["field:environment", "field:2"]) {
        const ticket = await ticketOf({ ...answers, [name]: "staging" }, "bob", set);
        assert.equal(await valueOf(ticket, "Environment"), "staging");
      }
    }
    const { "field:1": reason, ...others } = answers;
    const named = await ticketOf({ ...others, "field:Change Reason": reason });
    assert.equal(await valueOf(named, "Change reason"), "because");
    await assert.rejects(
      tracker.create(askingAs("bob"), { ...answers, "field:Colour": "red" }),
      (error: Error) =>
        error instanceof TicketRefusedError &&
        /has no Colour: its fields are Change reason, Environment/.test(error.message),
    );
  });

  await test.step("what no answer can mend is refused in Redmine's own words", async () => {
    const answers = { tracker: "Bug", "field:1": "because" };
    const refused = (more: Answers, words: RegExp) =>
      assert.rejects(
        tracker.create(askingAs("bob"), { ...answers, ...more }),
        (error: Error) => error instanceof TicketRefusedError && words.test(error.message),
      );
    await refused({ subject: "x".repeat(256) }, /Subject is too long \(maximum is 255 characters\)/);
    await refused({ subject: "" }, /Subject cannot be blank/);
    await refused({ subject: "s", "field:1": "b" }, /Change reason is too short/);
    await refused({ subject: "s", "field:1": "" }, /Change reason cannot be blank/);
    await refused({ subject: "s", tracker: "Nonsense" }, /no tracker Nonsense.*Bug, Feature, Support/);
    await refused({ subject: "s", project: "nope" }, /no project nope/);
  });

  await test.step("any subject arrives as it is, or is refused with a reason", async () => {
    const answers = { tracker: "Bug", "field:1": "because" };
    const unit = fc.oneof(
      fc.constantFrom("grapheme", "binary", "grapheme-ascii").chain((one) =>
        fc.string({ unit: one as "binary" })
      ),
      fc.string({
        unit: fc.constantFrom(
          "*",
          "@",
          "{{",
          "}}",
          "<pre>",
          "h1. ",
          "#1",
          "\u001b[31m",
          "\r",
          "\n",
          "\t",
          "\0",
          "\u202e",
          "🦕",
          " ",
        ),
      }),
      fc.string({ unit: "binary", minLength: 250, maxLength: 260 }),
      // Half of a pair: no text, but JavaScript can hold it.
      fc.string({ unit: fc.constantFrom("\ud800", "\udfff", "a") }),
    );
    await fc.assert(
      fc.asyncProperty(unit, async (subject) => {
        try {
          const ticket = await ticketOf({ ...answers, subject });
          assert.equal(ticket.subject, subject);
          assert.equal((await issueOf(ticket)).subject, subject);
        } catch (error) {
          if (!(error instanceof TicketRefusedError)) throw error;
          assert.match(error.message, /Subject (cannot be blank|is too long)|not text/);
          assert.ok(subject.trim() === "" || [...subject].length > 255 || !subject.isWellFormed());
        }
      }),
      { numRuns: 60 },
    );
  });
});
