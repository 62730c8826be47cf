import assert from "node:assert/strict";
import {
  type Answer,
  currentLines,
  detailsLines,
  listLines,
  nextLines,
  printed,
} from "../../src/saticket/answer.ts";

Deno.test("no name of a tracker's makes up a line of its own, be it a status's, a user's or a ticket's", () => {
  const evil = "New\n  9  Closed";
  const ticket = { key: "1\n2", subject: evil, status: evil, open: true };
  const moment = { atUs: 0, user: evil };
  const details = {
    ...ticket,
    createdAtUs: 0,
    createdBy: evil,
    notes: [{ ...moment, text: "a\nb" }],
    statuses: [{ ...moment, status: evil }],
  };
  const count = (lines: Answer["lines"]) => printed({ json: null, lines }, false).split("\n").length - 1;
  assert.equal(count([`ticket 1 was ${evil} and is ${evil} now`]), 1);
  assert.equal(count(listLines([ticket, ticket], "1")), 2);
  assert.equal(count(nextLines(ticket, [evil, "Closed"])), 3);
  const session = {
    id: "x",
    ticket: "1\n2",
    sinceUs: 0,
    ticketSinceUs: 0,
    leaderPid: 1,
    leaderStartTicks: 1,
  };
  assert.equal(count(currentLines(session, ticket, "")), 4);
  // Four facts, a blank line, who wrote the note, and the two lines of it.
  assert.equal(count(detailsLines(details)), 8);
});
