/** `saticket` on a host whose agent asks a tracker: what a new ticket demands, and a tracker that is slow or away. */

import assert from "node:assert/strict";
import { ERRORS } from "../../src/desk/protocol.ts";
import { ownName } from "../../src/posix/libc.ts";
import { newSessionId } from "../../src/record/session_id.ts";
import type { Answers, Created, Question } from "../../src/trackers/tracker.ts";
import { HelloHome, madeOf, type Mood } from "../support/hello_home.ts";
import { start } from "../support/pty.ts";
import { AnsweredError, type SocketAgent } from "../support/socket_agent.ts";

// libc, opened at the first look-up, is no leak of a test's.
ownName();

const DIST = new URL("../../dist/", import.meta.url).pathname;

const PROJECT: Question = {
  name: "project",
  label: "project",
  choices: [{ value: "ops", label: "Operations" }, { value: "web-shop", label: "Web shop" }],
};
const TRACKER: Question = {
  name: "tracker",
  label: "tracker",
  choices: [{ value: "1", label: "Bug" }, { value: "3", label: "Task" }],
  default: "3",
};
const SUBJECT: Question = { name: "subject", label: "subject" };
const REASON: Question = { name: "field:7", label: "Change reason", default: "routine" };
const ENVIRONMENT: Question = {
  name: "field:9",
  label: "Environment",
  choices: [{ value: "11", label: "staging" }, { value: "12", label: "production" }],
};

/** What the tracker asks for, step by step. */
function wants(...steps: Question[][]): (answers: Answers) => Created {
  return (answers) => {
    for (const step of steps) {
      const questions = step.filter(({ name }) => answers[name] === undefined);
      if (questions.length > 0) return { questions };
    }
    return madeOf(answers);
  };
}

const ALL = wants([PROJECT], [TRACKER], [SUBJECT, REASON, ENVIRONMENT]);

function lastForm(agent: SocketAgent): unknown {
  return agent.all("ticket.create").at(-1)?.["answers"];
}

/** `saticket` with these arguments, at an agent of that mood. */
async function saticket(mood: Mood, args: readonly string[]) {
  await using home = new HelloHome();
  const agent = home.startAgent({}, mood);
  const finished = await home.run("saticket", args);
  return { ...finished, form: lastForm(agent), agent };
}

Deno.test("new takes everything from the command line, by name or label in any case, and defaults for the rest", async () => {
  const words = ["new", "More", "work", "--project", "WEB SHOP", "--field", "environment=Production"];
  const { code, text, errors, form } = await saticket({ form: ALL }, words);
  assert.deepEqual([code, text], [0, "made ticket 19: More work\n"], errors);
  const expected = {
    project: "web-shop",
    tracker: "3",
    subject: "More work",
    "field:7": "routine",
    "field:9": "12",
  };
  assert.deepEqual(form, expected);
  const byName = ["--tracker", "bug", "--field", "9=11", "--field", "field:7=x = y"];
  const other = await saticket({ form: ALL }, ["new", "More", "--project=ops", ...byName]);
  assert.deepEqual(other.form, {
    project: "ops",
    tracker: "1",
    subject: "More",
    "field:7": "x = y",
    "field:9": "11",
  });
});

Deno.test("new fails without a terminal, and names all that is missing with the option that gives it", async () => {
  const project =
    /^saticket: a new ticket needs --project PROJECT \(one of Operations, Web shop\), and a subject: saticket new SUBJECT\n$/;
  const cases: [string[], RegExp][] = [
    [["new"], project],
    [
      ["new", "x", "--project", "ops"],
      /needs --field 'Environment=VALUE' \(one of staging, production\)\n$/,
    ],
    [["new", "x", "--project", "nonsense"], /there is no project "nonsense": it is one of Operations, Web/],
    [
      ["new", "x", "--project", "ops", "--tracker", "2"],
      /there is no tracker "2": it is one of Bug, Task\n$/,
    ],
  ];
  for (const [args, reason] of cases) {
    const { code, text, errors, agent } = await saticket({ form: ALL }, args);
    assert.deepEqual([code, text], [1, ""], args.join(" "));
    assert.match(errors, reason);
    assert.deepEqual(agent.all("session.switch"), []);
  }
});

Deno.test("new hands a project on to a tracker that asks for none: whether it is the one is for that to say", async () => {
  const only = (answers: Answers): Created => {
    if (answers["project"] !== undefined && answers["project"] !== "ops") {
      throw new AnsweredError(ERRORS.ticketRefused, `there is no project ${answers["project"]}`);
    }
    return wants([SUBJECT])(answers);
  };
  assert.deepEqual((await saticket({ form: only }, ["new", "x", "--project", "ops"])).form, {
    subject: "x",
    project: "ops",
  });
  const refused = await saticket({ form: only }, ["new", "x", "--project", "web"]);
  assert.deepEqual([refused.code, refused.errors], [1, "saticket: there is no project web\n"]);
});

Deno.test("new hands on fields that are never asked for, by name or id: whether there are such is for the tracker to say", async () => {
  const words = [
    "new",
    "x",
    "--field",
    "Colour=dark red",
    "--field",
    "field:priority=High",
    "--field",
    "field:9=production",
  ];
  const { form } = await saticket({ form: wants([SUBJECT, ENVIRONMENT]) }, words);
  assert.deepEqual(form, {
    subject: "x",
    "field:9": "12",
    "field:Colour": "dark red",
    "field:priority": "High",
  });
});

Deno.test("new says which answer the tracker asks for again", async () => {
  const again = (answers: Answers): Created =>
    answers["subject"] === undefined ? { questions: [SUBJECT] } : { questions: [REASON] };
  const refused = await saticket({ form: again }, ["new", "x"]);
  assert.match(refused.errors, /^saticket: the tracker does not take "routine" for Change reason\n$/);
});

Deno.test("new at a terminal asks only for what has no default and was not given", async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({}, { form: ALL });
  await using terminal = start(`${DIST}saticket`, ["new", "--tracker", "Bug", "--no-switch"], home.env);
  await terminal.expect(/Choose project for new ticket: $/);
  await terminal.send("1\r");
  await terminal.expect(/Enter subject for new ticket: $/);
  await terminal.send("More work\r");
  await terminal.expect(/Choose Environment for new ticket: $/);
  await terminal.send("staging\r");
  await terminal.expect(/made ticket 19: More work/);
  assert.equal(await terminal.close(), 0);
  assert.doesNotMatch(terminal.transcript(), /tracker for new|Change reason/);
  assert.deepEqual(lastForm(agent), {
    project: "ops",
    tracker: "1",
    subject: "More work",
    "field:7": "routine",
    "field:9": "11",
  });
});

Deno.test("new at a terminal: Ctrl-D, Ctrl-C and three wrong answers make no ticket", async () => {
  const ends: [string[], number][] = [[["\x04"], 1], [["\x03"], 130], [["9\r", "\r", "x\r"], 1]];
  for (const [keys, expected] of ends) {
    await using home = new HelloHome();
    const agent = home.startAgent({}, { form: ALL });
    await using terminal = start(`${DIST}saticket`, ["new", "x"], home.env);
    for (const key of keys) {
      await terminal.expect(/Choose project for new ticket: $/);
      await terminal.send(key);
    }
    assert.equal(await terminal.close(), expected);
    if (expected === 1) assert.match(terminal.transcript(), /saticket: no project, no ticket/);
    assert.equal(agent.all("ticket.create").length, 1);
  }
});

Deno.test("what the tracker refuses is said in its own words, harmless on a terminal", async () => {
  const mood = { refuses: { methods: ["ticket.setStatus", "ticket.create"], words: "no\x1b[31m way" } };
  for (const args of [["status", "--ticket", "17", "closed"], ["new", "x"]]) {
    const { code, text, errors } = await saticket(mood, args);
    assert.deepEqual([code, text, errors], [1, "", "saticket: no^[[31m way\n"]);
  }
});

Deno.test("show prints where the ticket is seen, as text and as JSON", async () => {
  const url = "https://redmine.example/issues/17";
  const shown = await saticket({ url }, ["show", "17"]);
  assert.match(
    shown.text,
    new RegExp(`^ticket   17  Replace the disk\nstatus   New\nurl      ${url}\nmade `),
  );
  assert.equal(JSON.parse((await saticket({ url }, ["show", "17", "--json"])).text).url, url);
  assert.doesNotMatch((await saticket({}, ["show", "17"])).text, /^url/m);
});

const id = newSessionId();

Deno.test("a note on the session's own ticket is not held up by a tracker that cannot look it up", async () => {
  const mood = { session: { id, ticket: "17" }, hangsAt: ["ticket.find"] };
  const { code, text, errors, agent } = await saticket(mood, ["note", "what I saw"]);
  assert.deepEqual([code, text, errors], [0, "added a note to ticket 17\n", ""]);
  assert.deepEqual(agent.all("ticket.addNote"), [{ key: "17", text: "what I saw" }]);
  const away = { session: mood.session, cannot: ["ticket.find"] };
  const json = await saticket(away, ["note", "what I saw", "--json"]);
  assert.deepEqual([json.code, JSON.parse(json.text)], [0, { ticket: null, text: "what I saw" }]);
  const known = await saticket({ session: mood.session }, ["note", "more", "--json"]);
  assert.equal(JSON.parse(known.text).ticket.key, "17");
  assert.match(
    (await saticket({ session: mood.session }, ["note", "--ticket", "99", "x"])).errors,
    /no ticket 99/,
  );
});

Deno.test("saticket alone says what it knows while the tracker is away", async () => {
  const mood = { session: { id, ticket: "17" }, isTrackerOut: true };
  const { code, text, errors } = await saticket(mood, []);
  assert.equal(code, 0);
  assert.match(text, /^ticket {3}17 {2}\(not looked up\)\nsince /);
  assert.equal(errors, "saticket: the tracker is away\n");
});

Deno.test("the tracker's own key is taken where another was typed", async () => {
  const tickets = [{ key: "OPS-17", subject: "Replace the disk", status: "New", open: true }];
  const mood = { session: { id, ticket: "17" }, tickets, aliases: { "18": "OPS-17" } };
  const { text, agent } = await saticket(mood, ["switch", "18"]);
  assert.equal(text, "this session is on ticket OPS-17 now: Replace the disk\n");
  assert.deepEqual(agent.all("session.switch"), [{ ticket: "OPS-17" }]);
  assert.equal(
    (await saticket(mood, ["note", "--ticket", "18", "x"])).text,
    "added a note to ticket OPS-17\n",
  );
});

Deno.test("completions offer what a new ticket may be made with, and nothing that a shell would run", async () => {
  const evil = {
    ...PROJECT,
    choices: [...PROJECT.choices ?? [], { value: "x", label: "$(touch pwned)" }, {
      value: "y",
      label: "--evil",
    }],
  };
  const form = wants([evil], [TRACKER], [SUBJECT]);
  assert.equal(
    (await saticket({ form }, ["complete", "projects"])).text,
    "operations\tOperations\nweb-shop\tWeb shop\n",
  );
  const trackers = await saticket({ form }, ["complete", "trackers", "Web-Shop"]);
  assert.equal(trackers.text, "bug\tBug\ntask\tTask\n");
  assert.deepEqual(trackers.form, { project: "web-shop" });
  assert.equal((await saticket({ form }, ["complete", "trackers"])).text, "");
  assert.equal(
    (await saticket({ form: wants([TRACKER]) }, ["complete", "trackers"])).text,
    "bug\tBug\ntask\tTask\n",
  );
  const statuses = ["In Progress", "`reboot`", "$(reboot)", "Größe?", "a;b"];
  assert.equal(
    (await saticket({ statuses }, ["complete", "statuses", "17"])).text,
    "in-progress\tIn Progress\n",
  );
});
