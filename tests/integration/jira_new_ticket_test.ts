import assert from "node:assert/strict";
import * as fc from "fast-check";
import { plainLine } from "../../src/trackers/markup/plain.ts";
import {
  type Answers,
  type Created,
  type Ticket,
  TicketRefusedError,
  TrackerUnavailableError,
} from "../../src/trackers/tracker.ts";
import type { Field } from "../support/jira/world.ts";
import { as, EDITIONS, openJira } from "../support/jira_tracker.ts";

const ENVIRONMENT = "field:customfield_10040";
const REASON = "field:customfield_10041";
const ALL: Answers = {
  tracker: "Task",
  subject: "Replace the fan",
  [ENVIRONMENT]: "staging",
  [REASON]: "noise",
};

for (const edition of EDITIONS) {
  const test = (name: string, work: () => Promise<void>) => Deno.test(`Jira ${edition}: ${name}`, work);

  test("makes a ticket in nobody else's name, and in no other project than was checked, whatever is answered by hand", async () => {
    await using here = await openJira(edition);
    const forged = {
      "field:reporter": edition === "cloud" ? "557058:0f3a6b1c-0000-4000-8000-000000000002" : "bob",
      "field:project": "WEB",
      "field:issuetype": "Bug",
      "field:summary": "Something else",
    };
    const created = await here.tracker.create(as("alice"), { ...ALL, ...forged });
    assert.ok("ticket" in created);
    const { reporter, project, type, summary } = here.issue(created.ticket.key);
    assert.deepEqual([reporter, project, type, summary], ["alice", "OPS", "Task", ALL.subject]);
  });

  test("takes a field that it does not ask for by its name, and says which there are", async () => {
    await using here = await openJira(edition);
    const create = (more: Answers) => here.tracker.create(as("alice"), { ...ALL, ...more });
    const made = await create({ "field:LABELS": "night" });
    assert.ok("ticket" in made);
    assert.deepEqual(here.issue(made.ticket.key).fields["labels"], ["night"]);
    await assert.rejects(
      create({ "field:Colour": "red" }),
      (error: Error) =>
        error instanceof TicketRefusedError && /no field "Colour" .* one of .*Labels/.test(error.message),
    );
    await assert.rejects(create({ "field:Reporter": "bob" }), /no field "Reporter"/);
  });

  test("asks for project, tracker, subject and what is demanded, one after the other", async () => {
    await using here = await openJira(edition, {
      projects: ["WEB", "OPS", "GONE"],
      newTicketType: "task",
      fields: { "change REASON": "routine", Environment: "Staging" },
    });
    const ask = (answers: Answers) => here.tracker.create(as("alice"), answers);
    assert.deepEqual(await ask({}), {
      questions: [{
        name: "project",
        label: "project",
        choices: [{ value: "WEB", label: "WEB Website" }, { value: "OPS", label: "OPS Operations" }],
        default: "WEB",
      }],
    });
    assert.deepEqual(await ask({ project: "OPS" }), {
      questions: [{
        name: "tracker",
        label: "tracker",
        choices: [{ value: "10002", label: "Task" }, { value: "10004", label: "Bug" }],
        default: "10002",
      }],
    });
    assert.deepEqual(await ask({ project: "OPS", tracker: "10002" }), {
      questions: [
        { name: "subject", label: "subject" },
        {
          name: ENVIRONMENT,
          label: "Environment",
          choices: [{ value: "10100", label: "production" }, { value: "10101", label: "staging" }],
          default: "10101",
        },
        { name: REASON, label: "Change reason", default: "routine" },
      ],
    });
    const made = await ask({ ...ALL, project: "OPS" });
    assert.ok("ticket" in made);
    assert.deepEqual({ ...made.ticket, key: "" }, {
      key: "",
      subject: "Replace the fan",
      status: "To Do",
      open: true,
    });
  });

  test("asks for nothing but the subject where nothing else can be meant", async () => {
    await using here = await openJira(edition, { projects: ["WEB"] });
    const asked = await here.tracker.create(as("alice"), {});
    assert.deepEqual(asked, { questions: [{ name: "subject", label: "subject" }] });
  });

  test("offers every project in which there can be tickets, where the config names none", async () => {
    await using here = await openJira(edition, { projects: [] });
    here.jira.world.pageLimit = 1;
    const asked = await here.tracker.create(as("alice"), {});
    assert.ok("questions" in asked);
    assert.deepEqual(asked.questions[0]?.choices?.map(({ value }) => value), ["OPS", "WEB"]);
    assert.equal(asked.questions[0]?.default, undefined);
  });

  test("makes the ticket as the person's own", async () => {
    await using here = await openJira(edition);
    const ticket = made(await here.tracker.create(as("alice"), ALL));
    const issue = here.issue(ticket.key);
    assert.deepEqual([issue.project, issue.type, issue.summary], ["OPS", "Task", "Replace the fan"]);
    assert.deepEqual([issue.assignee, issue.reporter], ["alice", "alice"]);
    assert.equal((await here.tracker.find(as("alice"), ticket.key))?.subject, "Replace the fan");
  });

  test("makes it for nobody where Jira does not know the person, or does not let her have tickets", async () => {
    await using here = await openJira(edition);
    assert.equal(here.issue(made(await here.tracker.create(as("nobody"), ALL)).key).assignee, null);
    const ops = here.jira.world.projects.find(({ key }) => key === "OPS");
    ops?.permissions["alice"]?.splice(ops.permissions["alice"].indexOf("ASSIGNABLE_USER"), 1);
    here.requests();
    const { assignee } = here.issue(made(await here.tracker.create(as("alice"), ALL)).key);
    assert.equal(assignee, null);
    const posts = here.requests().filter((request) => request.startsWith("POST"));
    assert.equal(posts.length, 2, "with her, and once more without");
  });

  test("leaves out what is not on the screen, and never asks for subtasks", async () => {
    await using here = await openJira(edition, { projects: ["WEB"] });
    const type = here.jira.world.projects.find(({ key }) => key === "WEB")?.issueTypes[0];
    assert.ok(type);
    type.fields = type.fields.filter(({ id }) => id !== "assignee" && id !== "reporter");
    const ticket = made(await here.tracker.create(as("alice"), { subject: "x" }));
    assert.deepEqual([here.issue(ticket.key).assignee, here.issue(ticket.key).reporter], [null, "srvaudit"]);
  });

  test("refuses a project, a tracker and a value that there is none of, with what there is", async () => {
    await using here = await openJira(edition, { projects: ["OPS", "WEB"] });
    const ask = (answers: Answers) => here.tracker.create(as("alice"), answers);
    await assert.rejects(ask({ project: "SECRET" }), {
      name: "TicketRefusedError",
      message: /OPS Operations, WEB/,
    });
    await assert.rejects(ask({ project: "OPS", tracker: "Epic" }), { message: /choose one of Task, Bug/ });
    await assert.rejects(ask({ ...ALL, project: "OPS", [ENVIRONMENT]: "moon" }), {
      name: "TicketRefusedError",
      message: /Environment cannot be "moon": choose one of production, staging/,
    });
  });

  test("gives each type of field the value that Jira takes", async () => {
    await using here = await openJira(edition, { projects: ["WEB"], fields: { Labels: "srvaudit, night" } });
    const type = here.jira.world.projects.find(({ key }) => key === "WEB")?.issueTypes[0];
    const kinds: [string, string, Field["kind"]][] = [
      ["description", "Description", "rich"],
      ["customfield_1", "Due", "date"],
      ["customfield_2", "Number of hosts", "number"],
      ["customfield_3", "Owner", "user"],
    ];
    type?.fields.splice(0, 1);
    for (const [id, name, kind] of kinds) {
      type?.fields.push({ id, name, kind, required: true, hasDefaultValue: false, options: [] });
    }
    const answers: Answers = {
      subject: "All kinds",
      "field:description": "Line 1\n*Line 2*",
      "field:customfield_1": "2026-01-31",
      "field:customfield_2": "12",
      "field:customfield_3": "bob@corp.example",
    };
    const asked = await here.tracker.create(as("alice"), { subject: "x" });
    assert.deepEqual(
      "questions" in asked && asked.questions.map(({ label }) => label),
      kinds.map(([, name]) => name),
    );
    const { fields } = here.issue(made(await here.tracker.create(as("alice"), answers)).key);
    assert.equal(fields["customfield_1"], "2026-01-31");
    assert.equal(fields["customfield_2"], 12);
    assert.deepEqual(fields["labels"], ["srvaudit", "night"]);
    assert.match(
      JSON.stringify(fields["customfield_3"]),
      edition === "cloud" ? /"accountId":/ : /"name":"bob"/,
    );
    assert.match(
      JSON.stringify(fields["description"]),
      edition === "cloud" ? /"type":"doc"/ : /&#42;Line 2&#42;/,
    );
    for (
      const wrong of [{ "field:customfield_1": "31.1." }, { "field:customfield_2": "x" }, {
        "field:customfield_3": "zoe",
      }]
    ) {
      await assert.rejects(here.tracker.create(as("alice"), { ...answers, ...wrong }), TicketRefusedError);
    }
  });

  test("asks for what Jira demands only when the ticket is made", async () => {
    await using here = await openJira(edition, { projects: ["WEB"] });
    const type = here.jira.world.projects.find(({ key }) => key === "WEB")?.issueTypes[0];
    const reason: Field = {
      id: "customfield_10041",
      name: "Change reason",
      kind: "text",
      required: false,
      hasDefaultValue: false,
      options: [],
    };
    type?.fields.push(reason);
    assert.ok("questions" in await here.tracker.create(as("alice"), {}));
    // A workflow's validator demands what the screen does not; createmeta is remembered.
    reason.required = true;
    assert.deepEqual(await here.tracker.create(as("alice"), { subject: "x" }), {
      questions: [{ name: REASON, label: "Change reason" }],
    });
    made(await here.tracker.create(as("alice"), { subject: "x", [REASON]: "y" }));
  });

  test("asks for no field that has a default, and not again for an answer that Jira refuses", async () => {
    await using here = await openJira(edition);
    const fields = here.jira.world.projects.find(({ key }) => key === "OPS")?.issueTypes[0]?.fields ?? [];
    for (const field of fields) if (field.name === "Environment") field.hasDefaultValue = true;
    assert.deepEqual(await here.tracker.create(as("alice"), { tracker: "Task", subject: "x" }), {
      questions: [{ name: REASON, label: "Change reason" }],
    });
    await assert.rejects(here.tracker.create(as("alice"), { ...ALL, [REASON]: "x".repeat(300) }), {
      name: "TicketRefusedError",
      message: /customfield_10041: The entered text is too long/,
    });
  });

  test("says in Jira's words what it does not take", async () => {
    await using here = await openJira(edition);
    const subject = "x".repeat(300);
    await assert.rejects(here.tracker.create(as("alice"), { ...ALL, subject }), {
      name: "TicketRefusedError",
      message: /255/,
    });
  });

  test("says that a ticket may have been made where no answer came, and makes it once", async () => {
    await using here = await openJira(edition);
    for (const what of [{ kind: "cut" }, { kind: "status", status: 502 }] as const) {
      using _fault = here.jira.fault({ on: /^POST .*\/issue$/, what });
      here.requests();
      await assert.rejects(here.tracker.create(as("alice"), ALL), {
        name: "TrackerUnavailableError",
        message: /may have been made all the same/,
      });
      assert.equal(here.requests().filter((request) => request.startsWith("POST")).length, 1);
    }
    for (const status of [429, 503] as const) {
      using _fault = here.jira.fault({ on: /^POST .*\/issue$/, what: { kind: "status", status } });
      await assert.rejects(
        here.tracker.create(as("alice"), ALL),
        (error) => error instanceof TrackerUnavailableError && !/may have been made/.test(error.message),
      );
    }
  });

  test("gives the ticket though nobody can be asked about it any more", async () => {
    await using here = await openJira(edition);
    using _fault = here.jira.fault({ on: /^GET .*\/issue\/OPS-/, what: { kind: "status", status: 503 } });
    const ticket = made(await here.tracker.create(as("alice"), ALL));
    assert.deepEqual([ticket.subject, ticket.open], ["Replace the fan", true]);
    assert.ok(here.issue(ticket.key));
  });

  test("brings any subject and any answer as the same text", async () => {
    await using here = await openJira(edition);
    const line = (subject: string) => plainLine(subject.replace(/[\r\n]+/g, " ")).trim();
    const text = fc.string({ unit: "binary", maxLength: 60 }).filter((one) => line(one) !== "");
    await fc.assert(
      fc.asyncProperty(text, text, async (subject, reason) => {
        const { key } = made(await here.tracker.create(as("alice"), { ...ALL, subject, [REASON]: reason }));
        const issue = here.issue(key);
        assert.equal(issue.summary, line(subject));
        assert.equal(issue.fields["customfield_10041"], plainLine(reason));
      }),
      { numRuns: 40 },
    );
  });
}

function made(created: Created): Ticket {
  assert.ok("ticket" in created, JSON.stringify(created));
  return created.ticket;
}
