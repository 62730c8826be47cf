/** Commands that are to keep the agent busy, or fill a ticket. */

import assert from "node:assert/strict";
import { newSessionId } from "../../src/record/session_id.ts";
import { command, opened } from "../support/evidence_events.ts";
import { StoryHost } from "../support/story_host.ts";

Deno.test("of a command of megabytes the beginning is told, and how much more there is; those behind it are told wholly", async () => {
  using host = new StoryHost();
  const [session = 0] = host.put(opened(newSessionId(), { ticket: "1" }));
  const text = `cat > file <<X\n${"a line of a file\n".repeat(200_000)}X`;
  const directory = `/${"long/".repeat(100_000)}end`;
  host.put(
    command(text, { session, ticket: "1", number: 1, directory }),
    command("echo behind it", { session, ticket: "1", number: 2 }),
  );
  await host.pass(30);
  const told = host.book.of("1");
  assert.ok(told.length <= 2, `${told.length} comments`);
  const all = told.join("\n");
  assert.match(all, /cat &gt; file|cat > file/);
  assert.match(
    all,
    new RegExp(`\\.\\.\\. and ${text.length - 20_000} characters more, in the host's evidence`),
  );
  assert.match(all, /long\/end/);
  assert.match(all, /echo behind it/);
});

Deno.test("a story whose secrets take long to be found is cut a little at a time: the agent comes to other things in between", async () => {
  using host = new StoryHost();
  host.mask = {
    apply: (text) => {
      for (const startMs = performance.now(); text !== "/" && performance.now() - startMs < 30;);
      return { text, masked: [] };
    },
  };
  host.follow();
  const [session = 0] = host.put(opened(newSessionId(), { ticket: "1" }));
  host.put(
    ...Array.from(
      { length: 60 },
      (_, i) => command(`echo ${i}.`, { session, ticket: "1", number: i + 1, directory: "/" }),
    ),
  );
  let others = 0;
  const timer = setInterval(() => others++);
  await host.pass(4);
  clearInterval(timer);
  assert.ok(others >= 10, `${others} times`);
  await host.pass(60, 5);
  const told = host.book.of("1").join("\n");
  for (let i = 0; i < 60; i++) assert.ok(told.includes(`echo ${i}.`), `command ${i}`);
});
