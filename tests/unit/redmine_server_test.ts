/** What srvAudit makes of answers that a Redmine on its own never gives in a test: others change the same ticket. */

import assert from "node:assert/strict";
import { RedmineServer } from "../../src/trackers/redmine/server.ts";
import { TicketRefusedError } from "../../src/trackers/tracker.ts";
import { settingsFor } from "../support/redmine.ts";

const NETWORK = { proxy: "", noProxy: [], caFile: "" };

/** Answers changes by these, one after the other, and then by a success. */
async function withAnswers(
  answers: readonly { status: number; body: unknown }[],
  work: (server: RedmineServer, changes: () => number) => Promise<void>,
): Promise<void> {
  let changes = 0;
  const web = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (request.method === "GET") return Response.json({ user: { id: 1, login: "admin", admin: true } });
    const answer = answers[changes++];
    return answer
      ? Response.json(answer.body, { status: answer.status })
      : new Response(null, { status: 204 });
  });
  try {
    using server = new RedmineServer(settingsFor({ url: `http://127.0.0.1:${web.addr.port}` }), NETWORK);
    await work(server, () => changes);
  } finally {
    await web.shutdown();
  }
}

const CONFLICT = { status: 422, body: { errors: [] } };
const change = () => ({
  method: "PUT" as const,
  path: "/issues/1.json",
  body: {},
  signal: AbortSignal.timeout(10_000),
});

Deno.test("a change is sent again where another one came in between", async () => {
  await withAnswers([CONFLICT, CONFLICT], async (server, changes) => {
    await server.nothing(change());
    assert.equal(changes(), 3);
  });
});

Deno.test("a change that always meets others' is given up, and said to be worth another try", async () => {
  await withAnswers(Array(100).fill(CONFLICT), async (server, changes) => {
    await assert.rejects(
      server.nothing(change()),
      (error) => error instanceof TicketRefusedError && /others are changing it just now/.test(error.message),
    );
    assert.equal(changes(), 5);
  });
});

Deno.test("a change that is refused for a reason is not sent again", async () => {
  await withAnswers(
    [{ status: 422, body: { errors: ["Subject cannot be blank"] } }],
    async (server, changes) => {
      await assert.rejects(server.nothing(change()), /Subject cannot be blank/);
      assert.equal(changes(), 1);
    },
  );
});
