import assert from "node:assert/strict";
import type { JiraTracker } from "../../src/trackers/jira/jira_tracker.ts";
import {
  TicketNotFoundError,
  TicketRefusedError,
  TrackerDeniedError,
  TrackerUnavailableError,
} from "../../src/trackers/tracker.ts";
import type { Mishap } from "../support/jira/faults.ts";
import { as, EDITIONS, openJira, trackerOf } from "../support/jira_tracker.ts";

const ALL = {
  tracker: "Task",
  subject: "x",
  "field:customfield_10040": "staging",
  "field:customfield_10041": "y",
};

/** Everything that a tracker does, by what it asks for. */
function works(tracker: JiraTracker, signal: AbortSignal): Record<string, () => Promise<unknown>> {
  const alice = as("alice", signal);
  const body = tracker.storybook.markup.render([{ kind: "text", text: "x" }]);
  return {
    find: () => tracker.find(alice, "OPS-1"),
    details: () => tracker.details(alice, "OPS-1"),
    search: () => tracker.search(alice, { words: "disk", limit: 5, closedToo: false }),
    create: () => tracker.create(alice, ALL),
    nextStatuses: () => tracker.nextStatuses(alice, "OPS-1"),
    setStatus: () => tracker.setStatus(alice, "OPS-1", "In Progress"),
    addNote: () => tracker.addNote(alice, "OPS-1", "x"),
    add: () => tracker.storybook.add("OPS-1", body, signal),
    edit: () => tracker.storybook.edit("OPS-1", "1", body, signal),
    findComment: () => tracker.storybook.find("OPS-1", "mark", signal),
    logTime: () =>
      tracker.storybook.logTime(
        "OPS-1",
        { person: alice.person, startUs: 1, seconds: 60, comment: "x", mark: "x" },
        signal,
      ),
    canEdit: () => tracker.storybook.canEdit(signal),
  };
}

const UNAVAILABLE: Mishap[] = [
  { kind: "status", status: 429, retryAfterS: 7 },
  { kind: "status", status: 500 },
  { kind: "status", status: 502 },
  { kind: "status", status: 503 },
  { kind: "cut" },
];

for (const edition of EDITIONS) {
  const test = (name: string, work: () => Promise<void>) => Deno.test(`Jira ${edition}: ${name}`, work);

  for (const what of UNAVAILABLE) {
    const named = what.kind === "status" ? String(what.status) : what.kind;
    test(`whatever is asked, ${named} means that Jira cannot answer`, async () => {
      await using here = await openJira(edition, { edition });
      // What was asked before, people and fields, is remembered; the fault comes at the ticket itself.
      await here.tracker.find(as("alice"), "OPS-1");
      using _fault = here.jira.fault({ on: /\/(issue|search|mypermissions)\b/, what });
      for (const [name, work] of Object.entries(works(here.tracker, AbortSignal.timeout(10_000)))) {
        await assert.rejects(work, (error) => {
          assert.ok(error instanceof TrackerUnavailableError, `${name}: ${error}`);
          assert.ok(!(error instanceof TrackerDeniedError), name);
          assert.equal(
            error.retryAfterMs,
            what.kind === "status" && what.status === 429 ? 7000 : undefined,
            name,
          );
          return true;
        });
      }
    });
  }

  test("whatever is asked, 401 means that the key is bad, and how to mend it", async () => {
    await using here = await openJira(edition);
    using tracker = trackerOf(here.jira, { token: "wrong-secret" });
    for (const [name, work] of Object.entries(works(tracker, AbortSignal.timeout(10_000)))) {
      await assert.rejects(work, (error) => {
        assert.ok(error instanceof TrackerDeniedError, `${name}: ${error}`);
        assert.match(error.message, /token/);
        assert.doesNotMatch(error.message, /wrong-secret/);
        return true;
      });
    }
  });

  test("a key that became bad is not taken for a ticket that is gone, though Jira says 404", async () => {
    await using here = await openJira(edition);
    await here.tracker.find(as("alice"), "OPS-1");
    using _stranger = here.jira.fault({ on: /\/issue\//, what: { kind: "status", status: 404 } });
    using _denied = here.jira.fault({ on: /\/myself/, what: { kind: "status", status: 401 } });
    await assert.rejects(here.tracker.find(as("alice"), "OPS-1"), TrackerDeniedError);
    await assert.rejects(
      here.tracker.storybook.add("OPS-1", "{}", AbortSignal.timeout(10_000)),
      TrackerDeniedError,
    );
  });

  test("403 and 404 on a ticket mean to a person that there is none", async () => {
    await using here = await openJira(edition);
    for (const status of [403, 404] as const) {
      using _fault = here.jira.fault({ on: /\/issue\//, what: { kind: "status", status } });
      assert.equal(await here.tracker.find(as("alice"), "OPS-1"), undefined);
      await assert.rejects(here.tracker.details(as("alice"), "OPS-1"), TicketNotFoundError);
      await assert.rejects(here.tracker.addNote(as("alice"), "OPS-1", "x"), TicketNotFoundError);
    }
  });

  test("400 means that this one thing is refused, in Jira's words", async () => {
    await using here = await openJira(edition);
    using _fault = here.jira.fault({ on: /\/(search|comment)\b/, what: { kind: "status", status: 400 } });
    const refused = { name: "TicketRefusedError", message: /The request is not valid/ };
    await assert.rejects(
      here.tracker.search(as("nobody"), { words: "x", limit: 1, closedToo: true }),
      refused,
    );
    await assert.rejects(here.tracker.addNote(as("nobody"), "OPS-1", "x"), TicketRefusedError);
  });

  test("an answer that never comes is waited for as long as who asks wants", async () => {
    await using here = await openJira(edition, { edition });
    await here.tracker.find(as("alice"), "OPS-1");
    using _silent = here.jira.fault({ on: /./, what: { kind: "silent" } });
    for (const name of Object.keys(works(here.tracker, AbortSignal.timeout(1)))) {
      const work = works(here.tracker, AbortSignal.timeout(50))[name];
      assert.ok(work);
      await assert.rejects(work, (error) => error instanceof TrackerUnavailableError, name);
    }
  });

  test("an edition that could not be asked for is asked for again", async () => {
    await using here = await openJira(edition);
    {
      using _down = here.jira.fault({ on: /serverInfo/, what: { kind: "status", status: 503 } });
      await assert.rejects(here.tracker.find(as("alice"), "OPS-1"), TrackerUnavailableError);
    }
    assert.equal((await here.tracker.find(as("alice"), "OPS-1"))?.key, "OPS-1");
  });

  test("an answer that is not Jira's says so", async () => {
    await using here = await openJira(edition);
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => Response.json({ hello: "world" }),
    );
    {
      using tracker = trackerOf(here.jira, { url: `http://127.0.0.1:${server.addr.port}`, edition });
      await assert.rejects(tracker.find(as("alice"), "OPS-1"), TrackerUnavailableError);
    }
    await server.shutdown();
  });
}
