/** What srvAudit does with a Redmine of before 5.0: a real one, less what 5.0 has brought. */

import assert from "node:assert/strict";
import { RedmineTracker } from "../../src/trackers/redmine/redmine_tracker.ts";
import { StatusNotAllowedError } from "../../src/trackers/tracker.ts";
import { testThatNeeds } from "../support/needs.ts";
import { askingAs, Redmine, settingsFor } from "../support/redmine.ts";

const NETWORK = { proxy: "", noProxy: [], caFile: "" };
/** What no answer had before 5.0, by its name. */
const NEW = new Set(["is_closed", "allowed_statuses", "enabled_standard_fields", "issue_custom_fields"]);

testThatNeeds(["Redmine"], "A Redmine of before 5.0", async (test) => {
  await using redmine = await Redmine.start();
  await using older = serveOlder(redmine.url);
  using tracker = new RedmineTracker(settingsFor(redmine, { url: older.url }), NETWORK);
  const bob = () => askingAs("bob");

  await test.step("all statuses are offered, and the forbidden ones are found out by trying", async () => {
    assert.deepEqual(await tracker.nextStatuses(bob(), "1"), [
      "In Progress",
      "Resolved",
      "Feedback",
      "Closed",
      "Rejected",
    ]);
    await assert.rejects(tracker.setStatus(bob(), "1", "Closed"), StatusNotAllowedError);
    assert.equal((await tracker.setStatus(bob(), "1", "In Progress")).after.status, "In Progress");
  });

  await test.step("whether a ticket is open is known by its status's name alone", async () => {
    assert.equal((await tracker.find(bob(), "1"))?.open, true);
    assert.equal((await tracker.setStatus(askingAs("alice"), "1", "Closed")).after.open, false);
    assert.equal((await tracker.find(bob(), "1"))?.open, false);
  });

  await test.step("required fields are asked for when Redmine demands them", async () => {
    const answers = { tracker: "Bug", subject: "s" };
    const asked = await tracker.create(bob(), answers);
    assert.deepEqual("questions" in asked && asked.questions.map(({ label }) => label), ["Change reason"]);
    assert.ok("ticket" in await tracker.create(bob(), { ...answers, "field:1": "because" }));
  });

  await test.step("notes cannot be changed", async () => {
    assert.equal(await tracker.storybook.canEdit(AbortSignal.timeout(10_000)), false);
  });
});

/** Passes everything on, and takes out of the answers what is new. */
function serveOlder(target: string): AsyncDisposable & { url: string } {
  const client = Deno.createHttpClient({});
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const body = method === "GET" ? {} : { body: await request.text() };
    const reply = await fetch(target + pathname + search, { method, headers, client, ...body });
    const text = await reply.text();
    const older = text === "" ? null : JSON.stringify(JSON.parse(text, withoutNew(pathname)));
    return new Response(older, { status: reply.status, headers: { "content-type": "application/json" } });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      client.close();
    },
  };
}

/** Which statuses are closed ones, their own list has always said. */
function withoutNew(path: string): (name: string, value: unknown) => unknown {
  return (name, value) => path !== "/issue_statuses.json" && NEW.has(name) ? undefined : value;
}
