/** When a sink is late: the agent's log and the doctor say so of the same. */

/** What has waited longer should not have, in microseconds. */
export const LATE_US = 300_000_000;

/** Why a sink is late where nothing has failed. */
export const NOTHING_FAILED = "it takes less than comes";
