import assert from "node:assert/strict";
import { methodError, SlackError } from "../../src/sinks/slack/errors.ts";

Deno.test("of what Slack says of an error, what is no word of its own is not repeated", () => {
  const messageOf = (code: string, needed: string) =>
    methodError(new SlackError("chat.postMessage", code, needed), "#ops").message;
  assert.match(
    messageOf("missing_scope", "channels:history,groups:history"),
    /\(channels:history,groups:history\)/,
  );
  for (const hostile of ["x".repeat(1_000_000), "a scope\nand a line", "\x1b[2J"]) {
    assert.ok(messageOf("missing_scope", hostile).length < 200);
    assert.ok(!messageOf("missing_scope", hostile).includes(hostile));
    assert.ok(!messageOf(hostile, "").includes(hostile));
  }
});
