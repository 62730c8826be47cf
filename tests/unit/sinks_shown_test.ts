import assert from "node:assert/strict";
import type { SinkStatus } from "../../src/desk/protocol.ts";
import { sinkFindings } from "../../src/srvaudit/doctor/sinks.ts";
import { sinksText, wantsText } from "../../src/srvaudit/sink.ts";
import { ALL } from "../support/deliver.ts";

const NOW_US = 1_700_000_000_000_000;
const CONFIG = "/etc/srvaudit/config";
const WELL: SinkStatus = {
  name: "slack",
  wants: { ...ALL, events: "sessions" },
  state: "up",
  reason: null,
  sinceUs: null,
  depth: 0,
  oldestUs: null,
  successUs: NOW_US - 5e6,
  error: null,
  errorUs: null,
  dead: 0,
};

function found(more: Partial<SinkStatus>): [state: string, what: string, mend: string | undefined][] {
  return sinkFindings({ ...WELL, ...more }, CONFIG, NOW_US).map((
    { state, what, mend },
  ) => [state, what, mend]);
}

Deno.test("doctor: a sink that is denied is wrong, one that is late or has dead letters is to be looked at", () => {
  assert.deepEqual(found({}), [["ok", "slack takes what it is told", undefined]]);
  const minute = NOW_US - 60e6;
  assert.deepEqual(
    found({ state: "down", reason: "no route", depth: 3, oldestUs: minute }).map(([state]) => state),
    ["ok"],
  );
  const [late] = found({ state: "down", reason: "no route", depth: 3, oldestUs: NOW_US - 360e6 });
  assert.equal(late?.[0], "warning");
  assert.match(late?.[1] ?? "", /^slack is late: no route; 3 events wait, the oldest for 6m$/);
  assert.match(late?.[2] ?? "", /srvaudit sink test slack.*evidence is kept until then/);
  const [slow] = found({ depth: 3, oldestUs: NOW_US - 360e6 });
  assert.match(slow?.[1] ?? "", /it takes less than comes/);
  const [denied, dead] = found({
    state: "denied",
    reason: "invalid_auth",
    depth: 1,
    oldestUs: minute,
    dead: 2,
  });
  assert.deepEqual([denied?.[0], dead?.[0]], ["wrong", "warning"]);
  assert.match(denied?.[2] ?? "", /slackToken.* in \/etc\/srvaudit\/config; then: systemctl reload srvaudit/);
  assert.match(dead?.[2] ?? "", /srvaudit redeliver slack/);
});

Deno.test("srvaudit sink list shows all sinks, those that are off included, and no control characters", async () => {
  const ill: SinkStatus = {
    ...WELL,
    name: "otlp",
    state: "down",
    error: "it said \x1b[31m",
    errorUs: NOW_US - 60e6,
  };
  const lines = (await sinksText([WELL, ill], NOW_US)).split("\n").map((line) => line.split(/ {2,}/));
  assert.deepEqual(lines[0], ["SINK", "STATE", "WAITING", "OLDEST", "LAST", "DEAD", "WANTS", "ERROR"]);
  assert.deepEqual(lines[1], ["slack", "on", "0", "-", "5s ago", "0", "sessions", "none"]);
  assert.deepEqual(lines[2]?.slice(0, 2), ["datadog", "off"]);
  assert.deepEqual(lines[5]?.slice(0, 2), ["otlp", "DOWN"]);
  assert.match(lines[5]?.at(-1) ?? "", /^1m ago: it said \^\[\[31m$/);
  assert.equal(lines.length, 8);
});

Deno.test("what a sink wants is said in a line", () => {
  assert.equal(wantsText(ALL), "commands");
  assert.equal(
    wantsText({ ...ALL, users: ["!root", "a*"], tickets: ["OPS-*"], exitCodes: "failed" }),
    "commands; users !root,a*; tickets OPS-*; exit codes failed",
  );
  assert.equal(
    wantsText({ ...ALL, hosts: ["web?"], exitCodes: [1, 2] }),
    "commands; hosts web?; exit codes 1,2",
  );
});
