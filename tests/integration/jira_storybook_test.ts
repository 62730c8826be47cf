import assert from "node:assert/strict";
import * as fc from "fast-check";
import { textOfAdf, textOfWiki } from "../../src/trackers/jira/texts.ts";
import { plainText } from "../../src/trackers/markup/plain.ts";
import {
  CommentGoneError,
  TicketNotFoundError,
  TicketRefusedError,
  type TimeSpent,
  TrackerDeniedError,
} from "../../src/trackers/tracker.ts";
import { as, EDITIONS, openJira, type TrackedJira } from "../support/jira_tracker.ts";

const MARK = "srvAudit session 0198b7a2-1111-7000-8000-0123456789ab part 1";
const TIME: TimeSpent = {
  person: { uid: 1000, name: "alice" },
  startUs: Date.UTC(2026, 0, 31, 17, 4, 5, 6) * 1000,
  seconds: 3725,
  comment: `alice on db1.corp.example: ${MARK}`,
  mark: MARK,
};

for (const edition of EDITIONS) {
  const test = (name: string, work: () => Promise<void>) => Deno.test(`Jira ${edition}: ${name}`, work);
  const textOf = edition === "cloud" ? textOfAdf : textOfWiki;
  const signal = () => AbortSignal.timeout(10_000);
  const body = ({ tracker: { storybook } }: TrackedJira, text: string) =>
    storybook.markup.render([{ kind: "heading", text: MARK }, { kind: "text", text }]);

  test("adds a comment, changes it, and finds it by its mark", async () => {
    await using here = await openJira(edition);
    const { storybook } = here.tracker;
    const id = await storybook.add("OPS-1", body(here, "first"), signal());
    await storybook.edit("OPS-1", id, body(here, "second"), signal());
    const comments = here.issue("OPS-1").comments;
    assert.equal(comments.length, 1);
    assert.match(textOf(comments[0]?.body), /second/);
    assert.equal(comments[0]?.author, "srvaudit");
    assert.equal(await storybook.find("OPS-1", MARK, signal()), id);
    assert.equal(await storybook.find("OPS-1", MARK.replace("part 1", "part 2"), signal()), undefined);
    assert.equal(await storybook.find("OPS-2", MARK, signal()), undefined);
  });

  test("knows its edition once anything was asked, and has its markup", async () => {
    await using here = await openJira(edition);
    assert.equal(await here.tracker.storybook.canEdit(signal()), true);
    assert.equal(here.tracker.storybook.markup.render([]).startsWith("{"), edition === "cloud");
  });

  test("takes nobody else's comment for its own, whatever mark it has", async () => {
    await using here = await openJira(edition);
    const { storybook } = here.tracker;
    const id = await storybook.add("OPS-1", body(here, "x"), signal());
    const comment = here.issue("OPS-1").comments[0];
    assert.ok(comment);
    here.issue("OPS-1").comments.push({ ...comment, id: "99999", author: "alice", created: new Date() });
    assert.equal(await storybook.find("OPS-1", MARK, signal()), id);
    comment.author = "bob";
    assert.equal(await storybook.find("OPS-1", MARK, signal()), undefined);
  });

  test("finds its comment behind many others, page by page", async () => {
    await using here = await openJira(edition);
    const { storybook } = here.tracker;
    const id = await storybook.add("OPS-1", body(here, "x"), signal());
    for (let other = 0; other < 60; other++) await storybook.add("OPS-1", otherBody(here, other), signal());
    assert.equal(await storybook.find("OPS-1", MARK, signal()), id);
  });

  test("says which is gone, the comment or the ticket", async () => {
    await using here = await openJira(edition);
    const { storybook } = here.tracker;
    const id = await storybook.add("OPS-1", body(here, "x"), signal());
    here.issue("OPS-1").comments = [];
    await assert.rejects(storybook.edit("OPS-1", id, body(here, "y"), signal()), CommentGoneError);
    here.jira.world.issues = here.jira.world.issues.filter(({ key }) => key !== "OPS-1");
    await assert.rejects(storybook.edit("OPS-1", id, body(here, "y"), signal()), TicketNotFoundError);
    await assert.rejects(storybook.add("OPS-1", body(here, "y"), signal()), TicketNotFoundError);
    await assert.rejects(storybook.find("OPS-1", MARK, signal()), TicketNotFoundError);
    await assert.rejects(storybook.logTime("OPS-1", TIME, signal()), TicketNotFoundError);
  });

  test("takes a refusal for one of that ticket alone, unless the key itself is bad", async () => {
    await using here = await openJira(edition);
    const { storybook } = here.tracker;
    {
      using _forbidden = here.jira.fault({ on: /^POST .*\/comment/, what: { kind: "status", status: 403 } });
      await assert.rejects(storybook.add("OPS-1", body(here, "x"), signal()), TicketRefusedError);
    }
    {
      using _tooLong = here.jira.fault({ on: /^POST .*\/comment/, what: { kind: "status", status: 400 } });
      await assert.rejects(storybook.add("OPS-1", body(here, "x"), signal()), TicketRefusedError);
    }
    using _denied = here.jira.fault({ on: /./, what: { kind: "status", status: 403 } });
    await assert.rejects(storybook.add("OPS-1", body(here, "x"), signal()), {
      name: "TrackerDeniedError",
      message: /jiraToken/,
    });
  });

  test("tells whether a comment can be changed", async () => {
    await using here = await openJira(edition);
    const ops = here.jira.world.projects.find(({ key }) => key === "OPS");
    const permissions = ops?.permissions["srvaudit"] ?? [];
    if (ops) ops.permissions["srvaudit"] = permissions.filter((one) => one !== "EDIT_OWN_COMMENTS");
    assert.equal(await here.tracker.storybook.canEdit(signal()), false);
    await using other = await openJira(edition);
    assert.equal(await other.tracker.storybook.canEdit(signal()), true);
  });

  test("logs time once, in whole minutes at least, and leaves the estimate alone", async () => {
    await using here = await openJira(edition);
    const { storybook } = here.tracker;
    await storybook.logTime("OPS-1", TIME, signal());
    await storybook.logTime("OPS-1", TIME, signal());
    await storybook.logTime("OPS-1", { ...TIME, seconds: 1, comment: "short", mark: "short" }, signal());
    const { worklogs } = here.issue("OPS-1");
    assert.deepEqual(worklogs.map(({ timeSpentSeconds }) => timeSpentSeconds), [3725, 60]);
    assert.equal(worklogs[0]?.started.getTime(), TIME.startUs / 1000);
    assert.equal(textOf(worklogs[0]?.comment).trim(), TIME.comment);
    const posts = here.jira.requests.filter(({ method, path }) =>
      method === "POST" && path.includes("/worklog")
    );
    assert.equal(posts.length, 2);
    assert.ok(posts.every(({ path }) => path.includes("adjustEstimate=leave")));
  });

  test("brings any note and any command as the same text, and as nothing else", async () => {
    await using here = await openJira(edition);
    const { storybook } = here.tracker;
    await storybook.canEdit(signal());
    const text = fc.string({ unit: "binary", maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(text, async (note) => {
        const rendered = storybook.markup.render([{ kind: "heading", text: MARK }, {
          kind: "text",
          text: note,
        }]);
        const id = await storybook.add("OPS-1", rendered, signal());
        const kept = here.issue("OPS-1").comments.find((comment) => comment.id === id);
        const seen = (lines: string) => lines.split("\n").map((line) => line.trim()).join("\n").trim();
        const read = textOf(kept?.body).replace(edition === "cloud" ? MARK : `*${MARK}*`, "");
        assert.equal(seen(read), seen(plainText(note)));
        assert.equal(await storybook.find("OPS-1", MARK, signal()) !== undefined, true);
        here.issue("OPS-1").comments = [];
      }),
      { numRuns: 40 },
    );
  });

  test("is told apart from a person: a key that is revoked stops it all", async () => {
    await using here = await openJira(edition);
    await here.tracker.find(as("alice"), "OPS-1");
    const service = here.jira.world.users.find(({ name }) => name === "srvaudit");
    if (service) service.token = "another";
    const { storybook } = here.tracker;
    await assert.rejects(storybook.add("OPS-1", body(here, "x"), signal()), TrackerDeniedError);
    await assert.rejects(storybook.find("OPS-1", MARK, signal()), TrackerDeniedError);
    await assert.rejects(storybook.logTime("OPS-1", TIME, signal()), TrackerDeniedError);
  });
}

function otherBody({ tracker: { storybook } }: TrackedJira, number: number): string {
  return storybook.markup.render([{ kind: "text", text: `another comment, ${number}` }]);
}
