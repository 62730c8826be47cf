/** What the policy grants to the user of this process. The agent, where there is one, looks again. */

import type { Policy } from "../config/policy.ts";
import { isInGroup } from "../posix/groups.ts";
import { ownName } from "../posix/libc.ts";

/** Whether this user needs no ticket. */
export function isExempt({ exemptUsers, exemptGroups }: Policy): boolean {
  return (exemptUsers.length > 0 && exemptUsers.includes(ownName())) || isInGroup(exemptGroups);
}

/** Whether this user may go in without a ticket for a reason that she gives. */
export function mayBreakGlass({ breakGlassGroup }: Policy): boolean {
  return breakGlassGroup !== "" && isInGroup([breakGlassGroup]);
}
