import assert from "node:assert/strict";
import { testThatNeeds } from "../support/needs.ts";
import { succeed } from "../support/run.ts";

Deno.test("a server that has gone leaves no file descriptor open", async () => {
  // In a process of its own: other tests open and close descriptors in this one.
  const script = new URL("../support/open_descriptors.ts", import.meta.url).pathname;
  const text = await succeed([Deno.execPath(), "run", "--quiet", "--allow-all", "--no-config", script]);
  assert.equal(text, "0\n");
});

testThatNeeds(
  ["perl"],
  "a server without a descriptor left serves on, and lets in when there is one",
  async () => {
    const script = new URL("../support/full_server.ts", import.meta.url).pathname;
    const program = [Deno.execPath(), "run", "--quiet", "--allow-all", "--no-config", script];
    const text = await succeed(["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", ...program]);
    assert.equal(text, "served on\nlet in\ntrue\n");
  },
);
