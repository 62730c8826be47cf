/** The wiki markup of Jira Server and Data Center. */

import { ASTRAL, entities } from "./entities.ts";
import type { Markup } from "./markup.ts";
import { codeAndText, styled } from "./styled.ts";

/** Jira's renderer puts this in the place of what it is done with, and looks for it at last. */
const TOKEN = /(?<=tok)x(?=yzkdtnhgnsbdf)/g;

const PROSE = { line: (text: string) => entities(text).replace(TOKEN, "&#120;"), lineBreak: "\n" };

/**
 * What does something in `{noformat}`: its end, and `[~alice]`: Jira tells everybody whose name is anywhere in a comment like that,
 * or like `[@alice]`. There are no entities in it.
 */
const ACTS_IN_CODE = new RegExp(`\\{noformat|\\[[~@][^\\]\\\\,]|${TOKEN.source}|${ASTRAL}`, "iu");

/**
 * Comments in Jira's wiki markup.
 *
 * The limit is Jira's property `jira.text.field.character.limit`, 32,767 where nobody has changed it; it counts as Java does, in UTF-16.
 */
export const wiki: Markup = styled({
  ...PROSE,
  limit: 32_767,
  sizeOf: (body) => body.length,
  strong: "*",
  quote: (lines) => `{quote}\n${lines.join("\n")}\n{quote}`,
  code: (lines) =>
    codeAndText(lines, ACTS_IN_CODE, (literal) => `{noformat}\n${literal.join("\n")}\n{noformat}`, PROSE),
});
