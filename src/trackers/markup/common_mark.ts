/** Redmine's `common_mark`: GitHub's dialect, HTML in it that is harmless, and Redmine's own links, looked for in what comes of it. */

import { ASTRAL, entities, entity } from "./entities.ts";
import type { Markup } from "./markup.ts";
import { bytesOf, REDMINE_LIMIT } from "./redmine_limit.ts";
import { styled } from "./styled.ts";

/** The end of a line alone is one only where Redmine's config/configuration.yml says so. */
const LINE_BREAK = "\\\n";

/** Comments in CommonMark. */
export const commonMark: Markup = styled({
  limit: REDMINE_LIMIT,
  sizeOf: bytesOf,
  strong: "**",
  line: (text) => entities(text, apart),
  lineBreak: LINE_BREAK,
  quote: (lines) => lines.map((line) => `> ${line}`).join(LINE_BREAK),
  code: (lines) => `<pre>\n${lines.map(code).join("\n")}\n</pre>`,
});

/**
 * An entity is its character again before Redmine looks for `#17`, `@alice`, `[[page]]`: an element of nothing keeps the
 * character and the next one apart.
 */
function apart(character: string): string {
  return entity(character) + ("@#:[!r".includes(character) ? "<b></b>" : "");
}

const ACTS_IN_PRE = new RegExp(`[&<>@]|\\{(?=\\{\\w)|${ASTRAL}`, "gu");

function code(line: string): string {
  return line.replace(ACTS_IN_PRE, entity);
}
