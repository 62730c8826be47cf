import assert from "node:assert/strict";
import fc from "fast-check";
import { CannotError } from "../../src/saticket/cannot.ts";
import { chooseStatus } from "../../src/saticket/status_choice.ts";
import { statusesAfter, WORKFLOW } from "../../src/trackers/workflow.ts";

const next = ["In Progress", "Resolved", "Feedback", "Rejected"];
const choose = (typed: string) => chooseStatus(typed, "New", next);

Deno.test("chooseStatus() takes a name in any case, with any of the usual marks between its words", () => {
  for (const typed of ["In Progress", "in progress", "IN-PROGRESS", "in_progress", "  In   Progress "]) {
    assert.equal(choose(typed), "In Progress", typed);
  }
  assert.equal(choose("new"), "New", "the present one is a choice too");
});

Deno.test("chooseStatus() takes the beginning of a name where it can mean one alone", () => {
  assert.equal(choose("i"), "In Progress");
  assert.equal(choose("in-p"), "In Progress");
  assert.equal(choose("res"), "Resolved");
  assert.throws(() => choose("re"), (error: unknown) => {
    assert.ok(error instanceof CannotError);
    assert.match(error.message, /"re" may mean Resolved or Rejected/);
    return true;
  });
});

Deno.test("chooseStatus() takes a whole name before one that it begins", () => {
  assert.equal(chooseStatus("done", "New", ["Done and dusted", "Done"]), "Done");
});

Deno.test("chooseStatus() takes the number of a next status, as the list shows it", () => {
  next.forEach((status, i) => assert.equal(choose(String(i + 1)), status));
  for (const typed of ["0", "5", "-1", "1.0", "99999999999999999999"]) {
    assert.throws(() => choose(typed), CannotError, typed);
  }
});

Deno.test("chooseStatus() says what can be chosen where nothing is meant", () => {
  for (const typed of ["", " ", "closed", "progress"]) {
    assert.throws(() => choose(typed), /it is New.*In Progress, Resolved, Feedback, Rejected/, typed);
  }
});

Deno.test("chooseStatus() never returns what the workflow does not allow", () => {
  fc.assert(fc.property(fc.constantFrom(...Object.keys(WORKFLOW)), fc.string(), (present, typed) => {
    try {
      assert.ok(
        [present, ...statusesAfter(present)].includes(chooseStatus(typed, present, statusesAfter(present))),
      );
    } catch (error) {
      if (!(error instanceof CannotError)) throw error;
    }
  }));
});
