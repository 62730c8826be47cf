/** The dialogue for a new ticket, on a terminal, with an agent whose tracker demands more than a subject. */

import assert from "node:assert/strict";
import { ERRORS } from "../../src/desk/protocol.ts";
import { ownName } from "../../src/posix/libc.ts";
import type { Answers, Created, Question } from "../../src/trackers/tracker.ts";
import { HelloHome, madeOf, type Mood } from "../support/hello_home.ts";
import type { Terminal } from "../support/pty.ts";
import { AnsweredError } from "../support/socket_agent.ts";

// libc, opened at the first look-up, is no leak of a test's.
ownName();

const TICKET_PROMPT = /blank for new\): $/;
const PROJECT_PROMPT = /Choose project for new ticket: $/;
const TRACKER_PROMPT = /Choose tracker for new ticket: $/;
const SUBJECT_PROMPT = /Enter subject for new ticket: $/;
const REASON_PROMPT = /Enter Change reason for new ticket: $/;

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

/** Asks one after the other. */
function wants(...questions: Question[]): (answers: Answers) => Created {
  return (answers) => {
    const next = questions.find(({ name }) => answers[name] === undefined);
    return next ? { questions: [next] } : madeOf(answers);
  };
}

/** Answers one question after the other. */
async function answer(terminal: Terminal, ...answers: [prompt: RegExp, line: string][]): Promise<void> {
  for (const [prompt, line] of answers) {
    await terminal.expect(prompt);
    await terminal.send(`${line}\r`);
  }
}

/** The last form that the agent was given. */
function lastForm(agent: { all(method: string): Record<string, unknown>[] }): unknown {
  return agent.all("ticket.create").at(-1)?.["answers"];
}

async function refused(terminal: Terminal): Promise<string> {
  assert.equal(await terminal.close(), 1, terminal.transcript());
  assert.doesNotMatch(terminal.transcript(), /READY>/);
  return terminal.transcript();
}

Deno.test("every question is asked, choices by number, with the default marked and taken by Enter", async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({}, { form: wants(PROJECT, TRACKER, SUBJECT, REASON) });
  await using terminal = home.login();
  await answer(
    terminal,
    [TICKET_PROMPT, ""],
    [PROJECT_PROMPT, "2"],
    [TRACKER_PROMPT, ""],
    [SUBJECT_PROMPT, "Replace the disk"],
    [REASON_PROMPT, ""],
  );
  await terminal.expect(/Ticket 19 {2}Replace the disk {2}\(New\)[^]*READY> $/);
  const text = terminal.transcript();
  assert.match(text, /\r\n {2}1 {2}Operations\r\n {2}2 {2}Web shop\r\nChoose project/);
  assert.match(text, /\r\n {2}1 {2}Bug\r\n {2}2 {2}Task {2}\(default\)\r\nChoose tracker/);
  assert.match(text, /\r\nDefault: routine\r\nEnter Change reason for new ticket: /);
  assert.deepEqual(lastForm(agent), {
    project: "web-shop",
    tracker: "3",
    subject: "Replace the disk",
    "field:7": "routine",
  });
  assert.equal(agent.all("session.open")[0]?.ticket, "19");
});

Deno.test("a choice can be made by value or label, in any case; words list what has them", async () => {
  const ways: [string, string][] = [["web-shop", "web-shop"], ["WEB SHOP", "web-shop"], ["oPs", "ops"]];
  for (const [typed, expected] of ways) {
    await using home = new HelloHome();
    const agent = home.startAgent({}, { form: wants(PROJECT, SUBJECT) });
    await using terminal = home.login();
    await answer(terminal, [TICKET_PROMPT, ""], [PROJECT_PROMPT, "shop"]);
    await answer(terminal, [/shop\r\n {2}2 {2}Web shop\r\nChoose project for new ticket: $/, typed], [
      SUBJECT_PROMPT,
      "x",
    ]);
    await terminal.expect(/READY> $/);
    assert.deepEqual(lastForm(agent), { project: expected, subject: "x" });
  }
});

Deno.test("three answers that are none end the login: an empty one, a number too high, a word", async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({}, { form: wants(PROJECT, SUBJECT) });
  await using terminal = home.login();
  await answer(
    terminal,
    [TICKET_PROMPT, ""],
    [PROJECT_PROMPT, ""],
    [/A ticket needs a project: answer with a number[^]*Choose project for new ticket: $/, "3"],
    [/There is no project 3: answer with a number[^]*Choose project for new ticket: $/, "0"],
  );
  assert.match(await refused(terminal), /no project, no ticket: goodbye/);
  assert.deepEqual(agent.all("session.open"), []);
});

Deno.test("a required text that has no default is asked for again", async () => {
  await using home = new HelloHome();
  const environment = { name: "field:9", label: "Environment" };
  const agent = home.startAgent({}, { form: wants(SUBJECT, environment) });
  await using terminal = home.login();
  await answer(
    terminal,
    [TICKET_PROMPT, ""],
    [SUBJECT_PROMPT, ""],
    [/A ticket needs a subject\.\r\nEnter subject for new ticket: $/, "x"],
    [/Enter Environment for new ticket: $/, ""],
    [/A ticket needs an Environment\.\r\nEnter Environment for new ticket: $/, "staging"],
  );
  await terminal.expect(/READY> $/);
  assert.deepEqual(lastForm(agent), { subject: "x", "field:9": "staging" });
});

/** Refuses the first so many tickets. */
function refusing(times: number, form: (answers: Answers) => Created): Mood {
  return {
    form: (answers) => {
      const created = form(answers);
      if ("ticket" in created && times-- > 0) {
        throw new AnsweredError(ERRORS.ticketRefused, "Redmine: Change reason is too short");
      }
      return created;
    },
  };
}

Deno.test("a refused form is asked for again, with what was answered as its defaults", async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({}, refusing(2, wants(PROJECT, SUBJECT, REASON)));
  await using terminal = home.login();
  await answer(
    terminal,
    [TICKET_PROMPT, ""],
    [PROJECT_PROMPT, "2"],
    [SUBJECT_PROMPT, "Replace the disk"],
    [REASON_PROMPT, "no"],
    [/Redmine: Change reason is too short\r\n[^]*Web shop {2}\(default\)[^]*project for new ticket: $/, ""],
    [/Default: Replace the disk\r\nEnter subject for new ticket: $/, ""],
    [/Default: no\r\nEnter Change reason for new ticket: $/, "still no"],
    [PROJECT_PROMPT, ""],
    [SUBJECT_PROMPT, ""],
    [/Default: still no\r\nEnter Change reason for new ticket: $/, "the disk is old"],
  );
  await terminal.expect(/READY> $/);
  assert.deepEqual(lastForm(agent), {
    project: "web-shop",
    subject: "Replace the disk",
    "field:7": "the disk is old",
  });
});

Deno.test("three refused forms: no ticket, no shell", async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({}, refusing(99, wants(SUBJECT)));
  await using terminal = home.login();
  await answer(terminal, [TICKET_PROMPT, ""], [SUBJECT_PROMPT, "x"], [SUBJECT_PROMPT, ""], [
    SUBJECT_PROMPT,
    "",
  ]);
  assert.match(await refused(terminal), /no new ticket in 3 tries: goodbye/);
  assert.deepEqual(agent.all("session.open"), []);
});

Deno.test("an outage in the middle of the questions: the subject is kept, or all that is asked for still", async () => {
  {
    await using home = new HelloHome();
    const mood: Mood = { form: wants(PROJECT, SUBJECT, REASON), cannot: [] };
    const agent = home.startAgent({}, mood);
    await using terminal = home.login();
    await answer(terminal, [TICKET_PROMPT, ""], [PROJECT_PROMPT, "1"], [SUBJECT_PROMPT, "Replace the disk"]);
    await terminal.expect(REASON_PROMPT);
    mood.isTrackerOut = true;
    await terminal.send("old\r");
    await terminal.expect(
      /going on without it\r\nNew ticket: Replace the disk {2}\(not made yet\)[^]*READY> $/,
    );
    const [opening] = agent.all("session.open");
    assert.deepEqual([opening?.ticket, opening?.wanted], [null, "Replace the disk"]);
  }
  {
    await using home = new HelloHome();
    const mood: Mood = { form: wants(PROJECT, SUBJECT) };
    home.startAgent({}, mood);
    await using terminal = home.login();
    await answer(terminal, [TICKET_PROMPT, ""]);
    await terminal.expect(PROJECT_PROMPT);
    await home.stopAgent();
    await terminal.send("1\r");
    await answer(terminal, [/going on without it\r\nEnter subject for new ticket: $/, "Later"]);
    await terminal.expect(/READY> $/);
    assert.deepEqual(home.openings(), [{ mode: "interactive", ticket: null, wanted: "Later" }]);
  }
});

const PROMPTS = {
  project: [],
  tracker: [[PROJECT_PROMPT, "1"]],
  subject: [[PROJECT_PROMPT, "1"], [TRACKER_PROMPT, ""]],
  "Change reason": [[PROJECT_PROMPT, "1"], [TRACKER_PROMPT, ""], [SUBJECT_PROMPT, "x"]],
} satisfies Record<string, [RegExp, string][]>;

for (const [label, before] of Object.entries(PROMPTS)) {
  Deno.test(`Ctrl-C, Ctrl-D and a hang-up at the prompt for the ${label}: no shell, no ticket`, async () => {
    for (const key of ["\x03", "\x04", undefined]) {
      await using home = new HelloHome();
      const agent = home.startAgent({}, { form: wants(PROJECT, TRACKER, SUBJECT, REASON) });
      await using terminal = home.login();
      await answer(terminal, [TICKET_PROMPT, ""], ...before);
      await terminal.expect(new RegExp(`${label} for new ticket: $`));
      if (key === undefined) await terminal.hangUp();
      else {
        await terminal.send(key);
        assert.equal(await terminal.close(), key === "\x03" ? 130 : 1);
      }
      assert.doesNotMatch(terminal.transcript(), /READY>/);
      assert.deepEqual(agent.all("session.open"), []);
      assert.equal(agent.all("ticket.create").length, before.length + 1);
    }
  });
}

const MANY: Question = {
  ...PROJECT,
  choices: Array.from({ length: 100 }, (_, i) => ({ value: `p-${i + 1}`, label: `Project number ${i + 1}` })),
  default: "p-77",
};

Deno.test("a hundred projects on a terminal of twenty columns: the first ones, the default, and more on demand", async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({}, { form: wants(MANY, SUBJECT) });
  await using terminal = home.login({ columns: 20 });
  await terminal.expect(TICKET_PROMPT);
  await terminal.send("\r");
  const first = await terminal.expect(PROJECT_PROMPT);
  assert.equal(first.match(/Project number/g)?.length, 21);
  assert.match(first, /\r\n {1,2}77 {2}Project number 77 {2}\(default\)\r\n +and 79 more: /);
  await terminal.send("?\r");
  assert.equal((await terminal.expect(PROJECT_PROMPT)).match(/Project number/g)?.length, 100);
  await terminal.send("number 9\r");
  const some = await terminal.expect(PROJECT_PROMPT);
  assert.equal(some.match(/Project number/g)?.length, 19);
  await terminal.send("93\r");
  await answer(terminal, [SUBJECT_PROMPT, "a subject that is longer than the line"]);
  await terminal.expect(/READY> $/);
  assert.deepEqual(lastForm(agent), {
    project: "p-93",
    subject: "a subject that is longer than the line",
  });
});

Deno.test("no label, choice, default or refusal acts on the terminal", async () => {
  const evil = "\x1b]0;owned\x07\x9b31m\u202e\r\nREADY> ";
  await using home = new HelloHome();
  const question = {
    name: "field:1",
    label: `l${evil}`,
    choices: [{ value: `v${evil}`, label: `c${evil}` }, { value: "w", label: "w" }],
    default: `v${evil}`,
  };
  const text = { name: "field:2", label: `t${evil}`, default: `d${evil}` };
  home.startAgent({}, {
    form: (answers) => {
      const created = wants(SUBJECT, question, text)(answers);
      if ("ticket" in created) throw new AnsweredError(ERRORS.ticketRefused, `no${evil}`);
      return created;
    },
  });
  await using terminal = home.login();
  await answer(terminal, [TICKET_PROMPT, ""], [SUBJECT_PROMPT, "x"]);
  await answer(terminal, [/Choose l.* for new ticket: $/, ""], [/Enter t.* for new ticket: $/, ""]);
  await terminal.expect(/no\^\[[^]*Enter subject for new ticket: $/);
  await terminal.send("\x04");
  await terminal.close();
  // deno-lint-ignore no-control-regex -- control characters are what this is about
  assert.doesNotMatch(terminal.transcript(), /[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]|^READY/m);
});

Deno.test("? says that there is no ticket of one's own, and a refused search or number says why", async () => {
  await using home = new HelloHome();
  const refuses = { methods: ["ticket.find"], words: "Redmine: alice is locked there" };
  home.startAgent({}, { tickets: [], refuses });
  await using terminal = home.login();
  await answer(terminal, [TICKET_PROMPT, "?"], [/You have no open ticket\.\r\n[^]*blank for new\): $/, "17"]);
  const text = await terminal.expect(TICKET_PROMPT);
  assert.match(text, /Redmine: alice is locked there\r\n/);
  assert.doesNotMatch(text, /does not exist/);
});

Deno.test("an agent that hangs in the middle still leaves a shell, by the policy's patience", async () => {
  for (const at of ["ticket.create", "session.open"]) {
    await using home = new HelloHome();
    const agent = home.startAgent({ trackerTimeoutS: 3 }, { form: wants(SUBJECT), hangsAt: [at] });
    await using terminal = home.login();
    await answer(terminal, [TICKET_PROMPT, ""], [SUBJECT_PROMPT, "x"]);
    await terminal.expect(/READY> $/);
    assert.match(terminal.transcript(), new RegExp(`does not answer \\(${at}, 3\\.5 s\\); going on`));
    assert.equal(agent.asked.filter(({ method }) => method === at).length, 1, "asked once, not again");
  }
});
