/** What a route is. */

import type { Call, Reply } from "../exchange.ts";
import type { Edition } from "../world.ts";

/** A request that Jira knows. */
export interface Route {
  method: "GET" | "POST" | "PUT";
  /** Behind `/rest/api/N`; a group is a part that varies, as it was before it was encoded. */
  path: RegExp;
  /** Where only one of the two has it. */
  edition?: Edition;
  /** The query's parameters that the reference names. */
  query: readonly string[];
  handle(call: Call, ...parts: string[]): Reply;
}
