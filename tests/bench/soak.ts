/**
 * `make soak`: 200 sessions type for minutes while all six sinks are told, some of them are sick, and the agent is killed.
 *
 *     deno run -A tests/bench/soak.ts [FORMAT]
 *
 * Ends with exit code 1 if anything is lost or out of order.
 */

import { print } from "./report.ts";
import { LONG, soakSinks } from "./sinks_soak.ts";

const rows = await soakSinks(LONG);
await print(rows, Deno.args[0] ?? "aligned");
const isWhole = rows.every(({ budget }) => budget?.text !== "0 lost, 0 out of order" || budget.kept);
Deno.exit(isWhole ? 0 : 1);
