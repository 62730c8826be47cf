import assert from "node:assert/strict";
import fc from "fast-check";
import type { Block } from "../../src/trackers/markup/markup.ts";
import { markupOf } from "../../src/trackers/markup/redmine.ts";
import { asFarAsCodeCan, BLOCKS, seenIn, shouldBeSeen } from "../support/markup.ts";
import { testThatNeeds } from "../support/needs.ts";
import { renderWithRedmine } from "../support/redmine.ts";

/** Redmine takes seconds to be there, and renders hundreds of comments in one: it is given all of them at once. */
const COMMENTS = 700;

/** What Redmine cuts off at the ends of a comment, or takes for no comment at all. */
const BLANKS: Block[][] = ["\u3000", "\u3000\u3000", "\ufeffa", "\u00a0", " "].map((
  text,
) => [{ kind: "text", text }]);

/** A macro of Redmine's that begins in one block of code and ends in the next takes all that is between for its own. */
const MACRO: Block[] = [
  { kind: "code", lines: ["{{collapse"] },
  { kind: "text", text: "between" },
  { kind: "code", lines: ["}}"] },
];

for (const format of ["textile", "markdown", "common_mark"] as const) {
  testThatNeeds(
    ["Redmine"],
    `Redmine's ${format} shows every text of a comment as it is, and nothing else`,
    async () => {
      const markup = markupOf(format);
      const seed = Number(Deno.env.get("SEED") ?? Date.now() % 2 ** 31);
      const comments = [MACRO, ...BLANKS, ...fc.sample(BLOCKS, { numRuns: COMMENTS, seed })].map((
        blocks,
      ) => ({
        blocks,
        body: markup.render(blocks),
      }));
      const pages = await renderWithRedmine(format, comments.map(({ body }) => body));
      const wrong = comments.flatMap(({ blocks, body }, index) => {
        const page = pages[index] ?? "";
        try {
          assert.deepEqual(seenIn(page), asFarAsCodeCan(markup, shouldBeSeen(blocks)));
          return [];
        } catch (error) {
          return [`SEED=${seed}: ${error}\n${JSON.stringify({ blocks, body, page }, null, 1)}`];
        }
      });
      const shortest = wrong.toSorted((one, other) => one.length - other.length)[0];
      assert.equal(wrong.length, 0, `${wrong.length} of ${COMMENTS}, the shortest:\n${shortest}`);
    },
  );
}
