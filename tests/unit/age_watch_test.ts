import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { AgeWatch } from "../../src/agent/dispatch/age_watch.ts";

const MINUTE_US = 60_000_000;

Deno.test("that a sink is late is said in the log once, and once that it is not any more", async () => {
  const said: string[] = [];
  await configure({
    sinks: { said: ({ level, message }: LogRecord) => void said.push(`${level}: ${message.join("")}`) },
    loggers: [{ category: ["srvaudit"], sinks: ["said"], lowestLevel: "info" }],
  });
  try {
    const watch = new AgeWatch("slack");
    const look = (minutes: number | null, reason: string | null = "it is down") =>
      watch.look(
        { oldestUs: minutes === null ? null : 0, depth: 9, reason },
        (minutes ?? 0) * MINUTE_US,
      );
    look(4.9);
    look(5.1);
    look(60);
    // Between the two nothing is said: it would be said again and again.
    look(3);
    look(6);
    assert.deepEqual(said.splice(0), [
      "warning: slack was not told of what happened 5 minutes ago: it is down",
    ]);
    look(null);
    look(null);
    assert.deepEqual(said.splice(0), ["info: slack is told of everything in time again"]);
    look(7, null);
    assert.deepEqual(said, [
      "warning: slack was not told of what happened 7 minutes ago: it takes less than comes",
    ]);
  } finally {
    await reset();
  }
});
