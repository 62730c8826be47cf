import assert from "node:assert/strict";
import fc from "fast-check";
import { choiceOf, defaultOf, fillIn } from "../../src/desk/ticket_form.ts";
import { type Answers, type Created, TicketRefusedError } from "../../src/trackers/tracker.ts";

const CHOICES = [
  { value: "web-shop", label: "Web shop" },
  { value: "ops", label: "Operations" },
  { value: "2", label: "Bug" },
  { value: "4", label: "bug" },
];

Deno.test("choiceOf() knows a choice by value or label, in any case where there is no doubt", () => {
  const found = (typed: string) => choiceOf(CHOICES, typed)?.value;
  assert.deepEqual(["ops", "OPS", "operations", "Operations"].map(found), ["ops", "ops", "ops", "ops"]);
  assert.deepEqual(["Web  shop", "web-shop", "WEB_SHOP"].map(found), ["web-shop", "web-shop", "web-shop"]);
  assert.deepEqual(["Bug", "bug", "BUG", "4"].map(found), ["2", "4", undefined, "4"]);
  assert.deepEqual(["", "op", "1"].map(found), [undefined, undefined, undefined]);
});

Deno.test("choiceOf() finds every choice of a list by its value, whatever the values and labels", () => {
  const choice = fc.record({ value: fc.string({ minLength: 1 }), label: fc.string() });
  fc.assert(
    fc.property(fc.uniqueArray(choice, { selector: ({ value }) => value }), (choices) => {
      for (const { value } of choices) assert.equal(choiceOf(choices, value)?.value, value);
    }),
  );
});

Deno.test("defaultOf() takes a text, and of choices only one that there is", () => {
  const question = { name: "field:7", label: "Environment" };
  assert.equal(defaultOf(question), undefined);
  assert.equal(defaultOf({ ...question, default: "" }), undefined);
  assert.equal(defaultOf({ ...question, default: "staging" }), "staging");
  assert.equal(defaultOf({ ...question, choices: [], default: "staging" }), "staging");
  assert.equal(defaultOf({ ...question, choices: CHOICES, default: "operations" }), "ops");
  assert.equal(defaultOf({ ...question, choices: CHOICES, default: "gone" }), undefined);
});

/** A tracker that asks for these, so many at a time. */
function tracker(names: readonly string[], atATime: number) {
  const forms: Answers[] = [];
  return {
    forms,
    create(answers: Answers): Promise<Created> {
      forms.push(answers);
      const missing = names.filter((name) => answers[name] === undefined);
      return Promise.resolve(
        missing.length === 0
          ? { ticket: { key: "1", subject: answers["subject"] ?? "", status: "New", open: true } }
          : { questions: missing.slice(0, atATime).map((name) => ({ name, label: name })) },
      );
    },
  };
}

Deno.test("fillIn() asks each thing once, in the tracker's order, and keeps what was answered", async () => {
  for (const atATime of [1, 2, 9]) {
    const names = ["project", "tracker", "subject", "field:1", "field:2"];
    const { create, forms } = tracker(names, atATime);
    const asked: string[] = [];
    const answers: Record<string, string> = {};
    const ticket = await fillIn(create, ({ name }) => (asked.push(name), `answer to ${name}`), answers);
    assert.deepEqual(asked, names);
    assert.equal(ticket.subject, "answer to subject");
    assert.equal(answers["field:2"], "answer to field:2");
    assert.deepEqual(forms[0], {}, "what is asked later is in no earlier form");
  }
});

Deno.test("fillIn() keeps the answers of a form that is refused or not answered", async () => {
  const { create } = tracker(["project", "subject"], 1);
  const answers: Record<string, string> = {};
  const refusing = (form: Answers) =>
    form["subject"] === undefined ? create(form) : Promise.reject(new TicketRefusedError("no"));
  await assert.rejects(fillIn(refusing, ({ name }) => name, answers), TicketRefusedError);
  assert.deepEqual(answers, { project: "project", subject: "subject" });
});

Deno.test("fillIn() ends with a tracker that asks for ever, for more or for nothing", async () => {
  let more = 0;
  for (const questions of [() => [], () => [{ name: `more-${more++}`, label: "more" }]]) {
    await assert.rejects(
      fillIn(() => Promise.resolve({ questions: questions() }), () => "answer"),
      /the tracker asks for more and more/,
    );
  }
  assert.ok(more < 100);
});
