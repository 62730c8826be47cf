import assert from "node:assert/strict";
import { JiraTracker } from "../../src/trackers/jira/jira_tracker.ts";
import {
  TicketNotFoundError,
  TicketRefusedError,
  TrackerUnavailableError,
} from "../../src/trackers/tracker.ts";
import { as, EDITIONS, openJira, SETTINGS } from "../support/jira_tracker.ts";

for (const edition of EDITIONS) {
  const test = (name: string, work: () => Promise<void>) => Deno.test(`Jira ${edition}: ${name}`, work);

  test("finds a ticket, open or not, and asks for the edition once", async () => {
    await using here = await openJira(edition);
    assert.deepEqual(await here.tracker.find(as("alice"), "OPS-2"), {
      key: "OPS-2",
      subject: "Patch the kernel",
      status: "In Progress",
      open: true,
    });
    assert.equal((await here.tracker.find(as("alice"), "OPS-3"))?.open, false);
    const asked = here.requests();
    assert.equal(asked.filter((request) => request.endsWith("/serverInfo")).length, 1);
    await here.tracker.find(as("alice"), "OPS-3");
    assert.deepEqual(here.requests(), [`GET /rest/api/${edition === "cloud" ? 3 : 2}/issue/OPS-3`]);
  });

  test("asks for no edition that the config names", async () => {
    await using here = await openJira(edition, { edition });
    await here.tracker.find(as("alice"), "OPS-2");
    assert.ok(here.requests().every((request) => !request.endsWith("/serverInfo")));
  });

  test("finds no ticket that is not there, not visible, not in an allowed project, or only a number", async () => {
    await using here = await openJira(edition);
    for (const key of ["OPS-999", "SECRET-1", "WEB-1", "10101", "../myself", "OPS-1/comment", ""]) {
      assert.equal(await here.tracker.find(as("alice"), key), undefined, key);
      await assert.rejects(here.tracker.details(as("alice"), key), TicketNotFoundError);
      await assert.rejects(here.tracker.addNote(as("alice"), key, "x"), TicketNotFoundError);
      await assert.rejects(here.tracker.nextStatuses(as("alice"), key), TicketNotFoundError);
      await assert.rejects(here.tracker.setStatus(as("alice"), key, "Done"), TicketNotFoundError);
    }
    assert.ok(here.requests().every((request) => !request.includes("10101")), "a number is some ticket's id");
  });

  test("allows every project where the config names none", async () => {
    await using here = await openJira(edition, { projects: [] });
    assert.equal((await here.tracker.find(as("alice"), "WEB-1"))?.key, "WEB-1");
    assert.equal(here.tracker.keyOf("#17"), "17");
  });

  test("takes a number for one of the default project, and small letters for large ones", async () => {
    await using here = await openJira(edition, { projects: ["OPS", "WEB"] });
    const keys = ["17", "#17", "ops-17", "Web-3"].map((typed) => here.tracker.keyOf(typed));
    assert.deepEqual(keys, ["OPS-17", "OPS-17", "OPS-17", "WEB-3"]);
    assert.equal(here.tracker.urlOf("OPS-17"), `${here.jira.url}/browse/OPS-17`);
  });

  test("lists a person's own tickets, newest first, and of an unknown one the account's", async () => {
    await using here = await openJira(edition);
    const keys = async (name: string) =>
      (await here.tracker.search(as(name), { words: "", limit: 10, closedToo: false })).map(({ key }) => key);
    assert.deepEqual(await keys("alice"), ["OPS-17", "OPS-2"]);
    assert.deepEqual(await keys("nobody"), []);
    here.issue("OPS-1").assignee = "srvaudit";
    assert.deepEqual(await keys("nobody"), ["OPS-1"]);
  });

  test("searches for all the words, whatever they are, in allowed projects", async () => {
    await using here = await openJira(edition, { projects: ["OPS", "WEB"] });
    const keys = async (words: string, closedToo = false) =>
      (await here.tracker.search(as("alice"), { words, limit: 10, closedToo })).map(({ key }) => key);
    assert.deepEqual(await keys("mail.corp.example certificates"), ["OPS-17"]);
    assert.deepEqual(await keys("the page"), ["WEB-1"]);
    assert.deepEqual(await keys("backups"), []);
    assert.deepEqual(await keys("backups", true), ["OPS-3"]);
    assert.deepEqual(await keys('kernel" OR project = SECRET OR text ~ "competitor'), []);
    assert.deepEqual(await keys("Patch the (kernel)"), ["OPS-2"]);
    assert.deepEqual(await keys("*** ~~~"), []);
    for (const words of ["AND", "a*", "?", "-", "+x", '"', "\\", "x\\", "^", "{}", "a:b", "OPS-17"]) {
      await keys(words);
    }
    assert.deepEqual(await keys("17"), ["OPS-17"]);
    assert.deepEqual(await keys("web-1"), ["WEB-1"]);
  });

  test("takes as many pages of a search as it wants tickets", async () => {
    await using here = await openJira(edition);
    here.jira.world.pageLimit = 2;
    const found = await here.tracker.search(as("alice"), { words: "the", limit: 3, closedToo: true });
    assert.equal(found.length, 3);
    assert.equal(new Set(found.map(({ key }) => key)).size, 3);
  });

  test("shows comments as people read them, and every status with when and by whom", async () => {
    await using here = await openJira(edition);
    const text = 'Done: 100% "*bold*" {code} <b> &amp; [~alice]\n\n- 😄';
    await here.tracker.setStatus(as("alice"), "OPS-1", "In Progress");
    await here.tracker.setStatus(as("alice"), "OPS-1", "Waiting");
    await here.tracker.addNote(as("alice"), "OPS-1", "first");
    await here.tracker.addNote(as("alice"), "OPS-1", text);
    here.jira.world.pageLimit = 1;
    const details = await here.tracker.details(as("alice"), "OPS-1");
    assert.deepEqual([details.createdBy, details.createdAtUs], [
      "Alice Archer",
      here.issue("OPS-1").created.getTime() * 1000,
    ]);
    assert.deepEqual(details.statuses.map(({ status, user }) => [status, user]), [
      ["To Do", "Alice Archer"],
      ["In Progress", "srvAudit"],
      ["Waiting", "srvAudit"],
    ]);
    assert.equal(details.notes.length, 2);
    assert.ok(details.notes[0]?.text.startsWith("alice\n"));
    const lines = (whole = "") => whole.split("\n").map((line) => line.trim()).filter((line) => line !== "");
    const shown = lines(details.notes[1]?.text).filter((line) => line !== "{quote}");
    assert.deepEqual(shown, ["alice", ...lines(text)]);
    assert.deepEqual(details.notes.map(({ user }) => user), ["srvAudit", "srvAudit"]);
  });

  test("writes a long note as several comments, in order, without losing a character", async () => {
    await using here = await openJira(edition);
    const text = Array.from({ length: 9000 }, (_, number) => `line ${number} 😄`).join("\n");
    await here.tracker.addNote(as("alice"), "OPS-1", text);
    const { notes } = await here.tracker.details(as("alice"), "OPS-1");
    assert.ok(notes.length > 1);
    const together = notes.map((note) => note.text).join("\n");
    const numbers = [...together.matchAll(/line (\d+) 😄/g)].map(([, number]) => Number(number));
    assert.deepEqual(numbers, Array.from({ length: 9000 }, (_, number) => number));
  });

  test("refuses a person whose account is locked, and unknown ones where the config says so", async () => {
    await using here = await openJira(edition, {
      unknownUsers: "deny",
      users: {
        deploy: "bob@corp.example",
        root: edition === "cloud" ? "557058:0f3a6b1c-0000-4000-8000-000000000002" : "alice",
      },
    });
    const find = (name: string) => here.tracker.find(as(name), "OPS-1");
    assert.equal((await find("alice"))?.key, "OPS-1");
    assert.equal((await find("bob"))?.key, "OPS-1", "his mail is hidden");
    assert.equal((await find("deploy"))?.key, "OPS-1");
    assert.equal((await find("root"))?.key, "OPS-1");
    await assert.rejects(find("nobody"), { name: "TicketRefusedError", message: /trackerUsers/ });
    await assert.rejects(find("constructor"), TicketRefusedError);
    await assert.rejects(find("carol"), TicketRefusedError);
  });

  test("remembers who a person is", async () => {
    await using here = await openJira(edition);
    await here.tracker.find(as("alice"), "OPS-1");
    assert.ok(here.requests().some((request) => /\/user/.test(request)));
    await here.tracker.find(as("alice"), "OPS-1");
    assert.ok(here.requests().every((request) => !/\/user/.test(request)));
  });

  test("waits no longer than who asks does", async () => {
    await using here = await openJira(edition);
    using _silent = here.jira.fault({ on: /\/issue\//, what: { kind: "silent" } });
    const patience = new AbortController();
    const found = here.tracker.find(as("alice", patience.signal), "OPS-1");
    setTimeout(() => patience.abort(), 50);
    await assert.rejects(found, TrackerUnavailableError);
  });
}

Deno.test("Jira cloud: a full name that somebody has given herself makes her nobody else", async () => {
  for (const fullName of ["deploy", "deploy@corp.example"]) {
    await using here = await openJira("cloud", { unknownUsers: "deny" });
    for (const user of here.jira.world.users) {
      if (user.name === "bob") Object.assign(user, { displayName: fullName, mailHidden: true });
    }
    await assert.rejects(here.tracker.find(as("deploy"), "OPS-1"), TicketRefusedError, fullName);
    assert.equal((await here.tracker.find(as("bob"), "OPS-1"))?.key, "OPS-1", "she is herself");
  }
});

Deno.test("Jira knows a moved ticket by the key that Jira has for it, and leaves it alone where that is not ours", async () => {
  const movedTo = { "OPS-2": "OPS-200", "OPS-5": "WEB-1" } as Record<string, string>;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const path = new URL(request.url).pathname;
    const key = movedTo[path.split("/").at(-1) ?? ""];
    if (key === undefined) return Response.json(path.endsWith("/search") ? [] : { name: "x" });
    const status = { name: "To Do", statusCategory: { key: "new" } };
    return Response.json({ key, fields: { summary: "Moved", status, project: { key: key.split("-")[0] } } });
  });
  const { port } = server.addr;
  const settings = { ...SETTINGS, edition: "server" as const, url: `http://127.0.0.1:${port}` };
  {
    using tracker = new JiraTracker(settings, { proxy: "", noProxy: [], caFile: "" });
    assert.equal((await tracker.find(as("alice"), "OPS-2"))?.key, "OPS-200");
    assert.equal(await tracker.find(as("alice"), "OPS-5"), undefined);
  }
  await server.shutdown();
});
