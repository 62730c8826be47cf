import assert from "node:assert/strict";
import { StatusNotAllowedError, TicketRefusedError } from "../../src/trackers/tracker.ts";
import { as, EDITIONS, openJira } from "../support/jira_tracker.ts";

for (const edition of EDITIONS) {
  const test = (name: string, work: () => Promise<void>) => Deno.test(`Jira ${edition}: ${name}`, work);

  test("offers the statuses that the workflow allows srvAudit's account now", async () => {
    await using here = await openJira(edition);
    assert.deepEqual(await here.tracker.nextStatuses(as("alice"), "OPS-1"), ["In Progress"]);
    assert.deepEqual(await here.tracker.nextStatuses(as("alice"), "OPS-2"), ["Waiting", "Done", "To Do"]);
  });

  test("sets a status, and says what it was before and is now", async () => {
    await using here = await openJira(edition);
    assert.deepEqual(await here.tracker.setStatus(as("alice"), "OPS-1", "In Progress"), {
      before: "To Do",
      after: { key: "OPS-1", subject: "Replace the disk of db1", status: "In Progress", open: true },
    });
    assert.equal(here.issue("OPS-1").status, "In Progress");
  });

  test("fills in the resolution that a transition demands: the first, or the config's", async () => {
    await using here = await openJira(edition);
    const { after } = await here.tracker.setStatus(as("alice"), "OPS-2", "Done");
    assert.deepEqual([after.status, after.open, here.issue("OPS-2").resolution], ["Done", false, "Done"]);
    await using other = await openJira(edition, { fields: { resolution: "Won't Do" } });
    await other.tracker.setStatus(as("alice"), "OPS-2", "Done");
    assert.equal(other.issue("OPS-2").resolution, "Won't Do");
  });

  test("changes nothing for the status that the ticket has", async () => {
    await using here = await openJira(edition);
    const { before, after } = await here.tracker.setStatus(as("alice"), "OPS-1", "To Do");
    assert.deepEqual([before, after.status], ["To Do", "To Do"]);
    assert.ok(here.requests().every((request) => !request.startsWith("POST")));
  });

  test("sets no status that the workflow does not lead to, and names those that it does", async () => {
    await using here = await openJira(edition);
    for (const status of ["Done", "Cancelled", "in progress", "Start work", ""]) {
      await assert.rejects(here.tracker.setStatus(as("alice"), "OPS-1", status), {
        name: "StatusNotAllowedError",
        message: /choose one of In Progress/,
      });
    }
    assert.equal(here.issue("OPS-1").status, "To Do");
  });

  test("names a status once, and takes the shorter of two ways to it", async () => {
    await using here = await openJira(edition);
    here.jira.world.transitions.push({
      id: "71",
      name: "Finish",
      from: ["In Progress"],
      to: "Done",
      needsResolution: false,
      only: [],
    });
    assert.deepEqual(await here.tracker.nextStatuses(as("alice"), "OPS-2"), ["Waiting", "Done", "To Do"]);
    await here.tracker.setStatus(as("alice"), "OPS-2", "Done");
    assert.equal(here.issue("OPS-2").resolution, null);
  });

  test("tries once more where somebody else was faster", async () => {
    await using here = await openJira(edition);
    const conflict = { on: /^POST .*\/transitions/, what: { kind: "status", status: 409 } } as const;
    here.jira.fault({ ...conflict, times: 1 });
    assert.equal(
      (await here.tracker.setStatus(as("alice"), "OPS-1", "In Progress")).after.status,
      "In Progress",
    );
    using _always = here.jira.fault(conflict);
    await assert.rejects(here.tracker.setStatus(as("alice"), "OPS-1", "Waiting"), TicketRefusedError);
  });

  test("gives the status that was set though nobody can be asked about it any more", async () => {
    await using here = await openJira(edition);
    const set = here.tracker.setStatus(as("alice"), "OPS-2", "Done");
    using _fault = await afterPost(here);
    const { after } = await set;
    assert.deepEqual([after.status, after.open], ["Done", false]);
  });

  test("refuses where srvAudit's account may not, in Jira's own words", async () => {
    await using here = await openJira(edition);
    using _forbidden = here.jira.fault({
      on: /^POST .*\/transitions/,
      what: { kind: "status", status: 400 },
    });
    await assert.rejects(here.tracker.setStatus(as("alice"), "OPS-1", "In Progress"), {
      name: "TicketRefusedError",
      message: /400: The request is not valid\./,
    });
    const ops = here.jira.world.projects.find(({ key }) => key === "OPS");
    if (ops) ops.permissions["srvaudit"] = ["BROWSE_PROJECTS"];
    await assert.rejects(here.tracker.setStatus(as("alice"), "OPS-1", "In Progress"), StatusNotAllowedError);
    assert.deepEqual(await here.tracker.nextStatuses(as("alice"), "OPS-1"), []);
  });
}

/** From the moment on at which the transition has been asked for, no ticket can be read. */
async function afterPost({ jira }: Awaited<ReturnType<typeof openJira>>): Promise<Disposable> {
  while (!jira.requests.some(({ method }) => method === "POST")) {
    await new Promise((done) => setTimeout(done, 1));
  }
  return jira.fault({ on: /^GET .*\/issue\/OPS-2\?/, what: { kind: "status", status: 503 } });
}
