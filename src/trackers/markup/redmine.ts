/** Which markup a Redmine takes. */

import type { RedmineSettings } from "../../config/tracker_settings.ts";
import { commonMark } from "./common_mark.ts";
import { markdown } from "./markdown.ts";
import type { Markup } from "./markup.ts";
import { textile } from "./textile.ts";

const FORMATS: Record<RedmineSettings["format"], Markup> = { textile, markdown, common_mark: commonMark };

/** The markup of the server's text formatting. */
export function markupOf(format: RedmineSettings["format"]): Markup {
  return FORMATS[format];
}
