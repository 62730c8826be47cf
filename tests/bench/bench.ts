/**
 * `make bench`: what srvAudit costs, as ratios and differences within one run, beside the budgets of docs/performance.md.
 *
 *     deno run -A tests/bench/bench.ts [FORMAT]
 *
 * FORMAT is one of ash_query's: `aligned` by default, `markdown` for docs/performance.md. A budget that is missed is
 * said in its row and fails nothing: no figure of a machine that does other work is a test.
 */

import { measureAgentDelay } from "./agent_delay.ts";
import { measureAgentIngest } from "./agent_ingest.ts";
import { measureAgentLogin, measureAgentSessions } from "./agent_sessions.ts";
import { measureIngest } from "./ingesting.ts";
import { measureMemory } from "./memory.ts";
import { measureQueries } from "./querying.ts";
import { measureRecording } from "./recording.ts";
import { print, type Row } from "./report.ts";
import { measureSinksSoak } from "./sinks_soak.ts";
import { measureCommand, measurePrompt } from "./starting.ts";
import { measureStoriesAtOnce } from "./tracker_ends.ts";
import { measureTrackerIngest } from "./tracker_ingest.ts";
import { measureTrackerLogin } from "./tracker_login.ts";
import { measureStories } from "./tracker_story.ts";

const MEASUREMENTS = [
  measureRecording,
  measureCommand,
  measurePrompt,
  measureQueries,
  measureIngest,
  measureMemory,
  measureAgentIngest,
  measureAgentDelay,
  measureAgentLogin,
  measureAgentSessions,
  measureTrackerLogin,
  measureStories,
  measureStoriesAtOnce,
  measureTrackerIngest,
  measureSinksSoak,
];

const rows: Row[] = [];
for (const measure of MEASUREMENTS) {
  console.error(`${measure.name}...`);
  rows.push(...await measure());
}
await print(rows, Deno.args[0] ?? "aligned");
