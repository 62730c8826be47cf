import assert from "node:assert/strict";
import { detailsText, listText, nextText } from "../../src/saticket/answer.ts";

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
  const lines = (text: string) => text.split("\n").length;
  assert.equal(lines(listText([ticket, ticket], "1")), 2);
  assert.equal(lines(nextText(ticket, [evil, "Closed"])), 3);
  // Four facts, a blank line, who wrote the note, and the two lines of it.
  assert.equal(lines(detailsText(details)), 8);
});
