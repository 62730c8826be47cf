/** Each policy with both its answers, on a host in a folder: an agent that can be broken at will, or none. */

import assert from "node:assert/strict";
import { LocalTracker } from "../../src/trackers/local.ts";
import { groupId } from "../../src/posix/groups.ts";
import { ownName } from "../../src/posix/libc.ts";
import { readRecords } from "../../src/record/spool.ts";
import { HelloHome } from "../support/hello_home.ts";
import type { Terminal } from "../support/pty.ts";
import { run, succeed } from "../support/run.ts";

// libc, opened at the first look-up, is no leak of a test's.
const ME = ownName();
const MY_GROUPS = (await run(["id", "-Gn"])).text.trim().split(" ").filter((name) =>
  groupId(name) !== undefined
);
const [MY_GROUP = ""] = MY_GROUPS;
const ANOTHER_GROUP = (await succeed(["getent", "group"])).split("\n").map((line) => line.split(":")[0] ?? "")
  .find((name) => name !== "" && !MY_GROUPS.includes(name)) ?? "";

/** A test for who is in a group that has a name. */
function memberTest(name: string, fn: () => Promise<void>): void {
  if (MY_GROUP !== "") Deno.test(name, fn);
  else Deno.test({ name: `${name} [needs a user whose group has a name]`, ignore: true, fn });
}

const TICKET_PROMPT = /blank for new\): $/;

/** Answers one question after the other, up to the shell's prompt. */
async function answer(terminal: Terminal, ...answers: [prompt: RegExp, line: string][]): Promise<string> {
  for (const [prompt, line] of answers) {
    await terminal.expect(prompt);
    await terminal.send(`${line}\r`);
  }
  return await terminal.expect(/READY> $/);
}

/** What is on the terminal of somebody who gets no shell. */
async function refused(terminal: Terminal): Promise<string> {
  assert.equal(await terminal.close(), 1, terminal.transcript());
  assert.doesNotMatch(terminal.transcript(), /READY>/);
  return terminal.transcript();
}

Deno.test('onAgentDown="allow": a ticket is taken as it is typed, and on record as unverified', async () => {
  await using home = new HelloHome();
  home.publish({});
  await using terminal = home.login();
  await answer(terminal, [TICKET_PROMPT, "OPS-17"]);
  assert.match(terminal.transcript(), /srvaudit: the agent [^\n]*; going on without it\r\n/);
  assert.equal(terminal.transcript().match(/srvaudit: /g)?.length, 1, "in one line");
  assert.deepEqual(home.openings(), [{ mode: "interactive", ticket: "OPS-17", unverified: true }]);
});

Deno.test('onAgentDown="allow": a new ticket is made later, words are not searched', async () => {
  await using home = new HelloHome();
  home.publish({});
  await using terminal = home.login();
  await answer(terminal, [TICKET_PROMPT, "disk"], [/cannot be searched now[^]*blank for new\): $/, ""], [
    /Enter subject for new ticket: $/,
    "Replace the disk",
  ]);
  assert.deepEqual(home.openings(), [{ mode: "interactive", ticket: null, wanted: "Replace the disk" }]);
});

Deno.test('onAgentDown="deny": a refusal that names the cause, for a person and for a command', async () => {
  await using home = new HelloHome();
  home.publish({ onAgentDown: "deny" });
  await using terminal = home.login();
  assert.match(await refused(terminal), /srvaudit: the agent [^\n]*onAgentDown="deny": no shell/);
  const { code, text, errors } = await home.run("hello", ["-c", "echo ran"]);
  assert.deepEqual({ code, text }, { code: 1, text: "" });
  assert.match(errors, /^srvaudit: the agent [^\n]*onAgentDown="deny"[^\n]*\n$/);
  assert.deepEqual(home.openings(), []);
});

Deno.test("an agent that hangs at the first question counts as one that is down", async () => {
  await using home = new HelloHome();
  home.startAgent({}, { hangsAt: ["session.current"] });
  const { code, text, errors } = await home.run("hello", ["-c", "echo ran"]);
  assert.deepEqual({ code, text }, { code: 0, text: "ran\n" });
  assert.match(errors, /^srvaudit: the agent [^\n]*does not answer[^\n]*\n$/);
  assert.deepEqual(home.openings(), [{ mode: "command", ticket: null }]);
});

Deno.test("an agent that goes away in the middle: what it has confirmed stays confirmed", async () => {
  await using home = new HelloHome();
  home.startAgent({}, { hangsAt: ["session.open"] });
  await using terminal = home.login();
  await answer(terminal, [TICKET_PROMPT, "17"]);
  assert.deepEqual(home.openings(), [{ mode: "interactive", ticket: "17" }]);
});

Deno.test('onTrackerOutage="allow": the agent opens the session with what was typed', async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({}, { isTrackerOut: true });
  {
    await using terminal = home.login();
    await answer(terminal, [TICKET_PROMPT, "4711"]);
    assert.match(terminal.transcript(), /srvaudit: the tracker is away; going on without it\r\n/);
  }
  {
    await using terminal = home.login();
    await answer(terminal, [TICKET_PROMPT, ""], [/Enter subject for new ticket: $/, "New work"]);
  }
  const [first, second] = agent.all("session.open");
  assert.deepEqual([first?.ticket, first?.unverified, first?.wanted], ["4711", true, undefined]);
  assert.deepEqual([second?.ticket, second?.unverified, second?.wanted], [null, undefined, "New work"]);
  assert.deepEqual(home.openings(), []);
});

Deno.test('onTrackerOutage="deny": no shell', async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({ onTrackerOutage: "deny" }, { isTrackerOut: true });
  await using terminal = home.login();
  await terminal.expect(TICKET_PROMPT);
  await terminal.send("17\r");
  assert.match(await refused(terminal), /the tracker is away; onTrackerOutage="deny"/);
  assert.deepEqual(agent.all("session.open"), []);
});

for (const leave of ["allow", "deny"] as const) {
  Deno.test(`a damaged store of tickets on a host without an agent, and onTrackerOutage="${leave}"`, async () => {
    await using home = new HelloHome();
    home.configure(`onTrackerOutage="${leave}"`);
    Deno.mkdirSync(`${home.path}/.ash`, { mode: 0o700 });
    Deno.writeTextFileSync(`${home.path}/.ash/tickets.db`, "no database at all, however long it may be");
    await using terminal = home.login();
    await terminal.expect(TICKET_PROMPT);
    await terminal.send("17\r");
    if (leave === "deny") {
      assert.match(await refused(terminal), /tickets\.db: [^\n]*onTrackerOutage="deny"/);
      assert.deepEqual(home.openings(), []);
    } else {
      assert.match(await terminal.expect(/READY> $/), /tickets\.db: [^\n]*going on without it/);
      assert.deepEqual(home.openings(), [{ mode: "interactive", ticket: "17", unverified: true }]);
    }
  });
}

Deno.test("with an agent the shell writes where the agent says, and the home has links to that", async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({});
  await using terminal = home.login();
  await answer(terminal, [TICKET_PROMPT, "18"], [/choose an open one[^]*blank for new\): $/, "17"]);
  await terminal.send('echo "<$SRVAUDIT_SPOOL_FILE> <$SRVAUDIT_SPOOL>"\r');
  const file = /<([^>]+)> <([^>]+)>\r/.exec(await terminal.expect(/> <\/[^>]+>\r/));
  const [opening] = agent.all("session.open");
  assert.deepEqual({ ...opening, tty: "", shell: "" }, {
    mode: "interactive",
    ticket: "17",
    tty: "",
    shell: "",
    from: "",
  });
  assert.equal(file?.[2], home.spool);
  const links = [...Deno.readDirSync(home.spool)].filter(({ isSymlink }) => isSymlink)
    .map(({ name }) => Deno.readLinkSync(`${home.spool}/${name}`)).filter((target) =>
      !target.includes("stray")
    )
    .sort();
  const [id] = (file?.[1] ?? "").slice(home.hostSpool.length + 1).split(".");
  assert.deepEqual(links, [file?.[1], `${home.hostSpool}/${id}.session`]);
});

Deno.test("with an agent a command's record goes into the file that the agent has made", async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({});
  const { code } = await home.run("hello", ["-c", "exit 7"]);
  assert.equal(code, 7);
  assert.deepEqual(agent.all("session.open").map(({ mode, command }) => [mode, command]), [[
    "command",
    "exit 7",
  ]]);
  const [file = ""] = [...Deno.readDirSync(home.hostSpool)].flatMap(({ name }) =>
    name.endsWith(".shell") ? [name] : []
  );
  const { records } = readRecords(Deno.readFileSync(`${home.hostSpool}/${file}`));
  assert.deepEqual(records.map(({ record }) => record.type), ["shell", "start", "end", "exit"]);
  assert.deepEqual(home.own("shell"), []);
});

Deno.test("a home that cannot be written is no reason to have no shell where there is an agent", async () => {
  await using home = new HelloHome();
  home.startAgent({});
  Deno.writeTextFileSync(`${home.path}/.ash`, "in the way");
  const { code, text, errors } = await home.run("hello", ["-c", "echo ran"]);
  assert.deepEqual({ code, text, errors }, { code: 0, text: "ran\n", errors: "" });
});

Deno.test("within a session nothing is asked, and the shell gets a file of its own", async () => {
  await using home = new HelloHome();
  const id = "01997000-0000-7000-8000-000000000001";
  const agent = home.startAgent({ nonInteractive: "require" }, { session: { id, ticket: "17" } });
  await using terminal = home.login();
  await terminal.expect(/READY> $/);
  await terminal.send('echo "<$SRVAUDIT_SPOOL_FILE> <$SRVAUDIT_SESSION>"\r');
  await terminal.expect(new RegExp(`<${home.hostSpool}/${id}\\.[^>]*\\.shell> <${id}>\r`));
  assert.equal((await home.run("hello", ["-c", "echo ran"])).text, "ran\n");
  // The shell's hook may ask again for its own process.
  assert.equal(new Set(agent.all("shell.attach").map(({ pid }) => pid)).size, 2);
  assert.deepEqual(agent.all("session.open"), []);
});

/** What became of a command that nobody types, on a host without an agent that has the tickets 1, and 2 (closed). */
async function command(config: string[], env: Record<string, string>) {
  await using home = new HelloHome();
  home.configure(...config);
  {
    using tracker = new LocalTracker(`${home.path}/.ash/tickets.db`, "alice");
    tracker.create("Replace the disk");
    tracker.setStatus(tracker.create("Done").key, "Closed");
  }
  const { code, text, errors } = await home.run("hello", ["-c", "echo ran"], env);
  const [opening] = home.openings();
  return { ran: text === "ran\n", code, ticket: opening?.ticket, opening, errors };
}

Deno.test('nonInteractive="record": with the ticket that the environment names, or without', async () => {
  const none = await command([], {});
  assert.deepEqual([none.ran, none.ticket, none.errors], [true, null, ""]);
  const open = await command([], { SRVAUDIT_TICKET: "#1" });
  assert.deepEqual([open.ran, open.ticket, open.errors], [true, "1", ""]);
  for (const ticket of ["2", "3", "some words", "-1", "\x1b[31m"]) {
    const { ran, ticket: on, errors } = await command([], { SRVAUDIT_TICKET: ticket });
    assert.deepEqual([ran, on], [true, null], ticket);
    assert.match(errors, /^srvaudit: SRVAUDIT_TICKET="[^\n]*: this session is recorded, without a ticket\n$/);
    // deno-lint-ignore no-control-regex -- that none comes through is what is tested
    assert.doesNotMatch(errors, /\x1b/);
  }
});

Deno.test('nonInteractive="require": only with an open ticket', async () => {
  const config = ['nonInteractive="require"'];
  const open = await command(config, { SRVAUDIT_TICKET: "1" });
  assert.deepEqual([open.ran, open.ticket, open.errors], [true, "1", ""]);
  for (const env of [{}, { SRVAUDIT_TICKET: "" }, { SRVAUDIT_TICKET: "2" }, { SRVAUDIT_TICKET: "3" }]) {
    const { ran, code, opening, errors } = await command(config, env as Record<string, string>);
    assert.deepEqual([ran, code, opening], [false, 1, undefined]);
    assert.match(errors, /^srvaudit: [^\n]*nonInteractive="require"[^\n]*SRVAUDIT_TICKET[^\n]*\n$/);
  }
});

Deno.test('nonInteractive="require" in an outage: by that outage\'s policy', async () => {
  const require = { nonInteractive: "require" } as const;
  const outcomes = [];
  for (const leave of ["allow", "deny"] as const) {
    await using down = new HelloHome();
    down.publish({ ...require, onAgentDown: leave });
    const first = await down.run("hello", ["-c", "echo ran"], { SRVAUDIT_TICKET: "OPS-1" });
    const [opening] = down.openings();
    await using away = new HelloHome();
    const agent = away.startAgent({ ...require, onTrackerOutage: leave }, { isTrackerOut: true });
    const second = await away.run("hello", ["-c", "echo ran"], { SRVAUDIT_TICKET: "OPS-1" });
    const [asked] = agent.all("session.open");
    outcomes.push([first.text, opening?.unverified, second.text, asked?.unverified]);
    const none = await away.run("hello", ["-c", "echo ran"]);
    assert.deepEqual([none.code, none.text], [1, ""]);
  }
  assert.deepEqual(outcomes, [["ran\n", true, "ran\n", true], ["", undefined, "", undefined]]);
});

Deno.test('nonInteractive="deny": refused, with a ticket or without', async () => {
  for (const env of [{}, { SRVAUDIT_TICKET: "1" }]) {
    const { ran, code, opening, errors } = await command(
      ['nonInteractive="deny"'],
      env as Record<string, string>,
    );
    assert.deepEqual([ran, code, opening], [false, 1, undefined]);
    assert.match(errors, /^srvaudit: [^\n]*nonInteractive="deny"[^\n]*\n$/);
  }
});

for (
  const [exempt, test] of [
    [`exemptUsers="nobody ${ME}"`, Deno.test],
    [`exemptGroups="${MY_GROUP}"`, memberTest],
  ] as const
) {
  test(`${exempt.replace(/=.*/, "")}: no ticket is asked for, no command refused, and all is on record`, async () => {
    for (const nonInteractive of ["require", "deny"]) {
      const { ran, opening, errors } = await command([exempt, `nonInteractive="${nonInteractive}"`], {});
      assert.deepEqual([ran, errors], [true, ""]);
      assert.deepEqual(opening, { mode: "command", ticket: null, exempt: true });
    }
    await using home = new HelloHome();
    home.configure(exempt);
    await using terminal = home.login();
    assert.doesNotMatch(await terminal.expect(/READY> $/), /ticket/i);
    assert.deepEqual(home.openings(), [{ mode: "interactive", ticket: null, exempt: true }]);
  });
}

Deno.test("who is in no exempt group, and not named, is asked", async () => {
  await using home = new HelloHome();
  home.configure(`exemptUsers="nobody x${ME}"`, `exemptGroups="${ANOTHER_GROUP} no-such-group"`);
  await using terminal = home.login();
  await terminal.expect(TICKET_PROMPT);
});

memberTest(
  "a member of the break-glass group gets a shell for a reason, with an agent and without",
  async () => {
    await using home = new HelloHome();
    home.configure(`breakGlassGroup="${MY_GROUP}"`);
    const words: [RegExp, string][] = [
      [TICKET_PROMPT, "emergency"],
      [/Reason for the emergency: $/, ""],
      [/needs a reason[^]*Reason for the emergency: $/, "The disk is full"],
    ];
    {
      await using terminal = home.login();
      await answer(terminal, ...words);
    }
    const opening = { mode: "interactive", ticket: null, emergency: "The disk is full" };
    assert.deepEqual(home.openings(), [opening]);
    // The tracker and everything else may hang.
    const agent = home.startAgent({ breakGlassGroup: MY_GROUP, onAgentDown: "deny" }, {
      hangsAt: ["ticket.find", "ticket.search", "ticket.create"],
    });
    await using terminal = home.login();
    await answer(terminal, ...words);
    assert.deepEqual(agent.asked.map(({ method }) => method).slice(0, 2), [
      "session.current",
      "session.open",
    ]);
    assert.equal(agent.all("session.open")[0]?.emergency, "The disk is full");
  },
);

Deno.test("for anybody else `emergency` is a word to search for", async () => {
  await using home = new HelloHome();
  home.configure(`breakGlassGroup="${ANOTHER_GROUP}"`);
  await using terminal = home.login();
  await terminal.expect(TICKET_PROMPT);
  await terminal.send("emergency\r");
  await terminal.expect(/No open ticket has: emergency[^]*blank for new\): $/);
});

memberTest("where an outage denies, a member may still type `emergency`, and nothing else", async () => {
  await using home = new HelloHome();
  home.publish({ breakGlassGroup: MY_GROUP, onAgentDown: "deny" });
  {
    await using terminal = home.login();
    await terminal.expect(/onAgentDown="deny"[^]*Type emergency for a shell without a ticket: $/);
    await terminal.send("17\r");
    assert.match(await refused(terminal), /no emergency, no shell: goodbye/);
    assert.deepEqual(home.openings(), []);
  }
  {
    await using terminal = home.login();
    await answer(terminal, [/without a ticket: $/, "emergency"], [/Reason for the emergency: $/, "Fire"]);
    assert.deepEqual(home.openings(), [{ mode: "interactive", ticket: null, emergency: "Fire" }]);
  }
  home.publish({ breakGlassGroup: ANOTHER_GROUP, onAgentDown: "deny" });
  await using terminal = home.login();
  assert.doesNotMatch(await refused(terminal), /emergency/);
});

memberTest(
  "an emergency goes on without an agent that goes away just then, whatever the policy",
  async () => {
    await using home = new HelloHome();
    home.startAgent({ breakGlassGroup: MY_GROUP, onAgentDown: "deny" }, { hangsAt: ["session.open"] });
    await using terminal = home.login();
    await answer(terminal, [TICKET_PROMPT, "emergency"], [/Reason for the emergency: $/, "Fire"]);
    assert.deepEqual(home.openings(), [{ mode: "interactive", ticket: null, emergency: "Fire" }]);
  },
);

memberTest("where the tracker is out, and that denies, a member may type `emergency`", async () => {
  await using home = new HelloHome();
  const policy = { breakGlassGroup: MY_GROUP, onTrackerOutage: "deny" } as const;
  const agent = home.startAgent(policy, { isTrackerOut: true });
  await using terminal = home.login();
  await answer(terminal, [TICKET_PROMPT, "17"], [
    /onTrackerOutage="deny"[^]*without a ticket: $/,
    "emergency",
  ], [
    /Reason for the emergency: $/,
    "Fire",
  ]);
  assert.deepEqual(agent.all("session.open").map(({ emergency, ticket }) => [emergency, ticket]), [[
    "Fire",
    null,
  ]]);
});

Deno.test("ticketPattern says what is a ticket's key, wholly, and what is a word", async () => {
  await using home = new HelloHome();
  const agent = home.startAgent({ ticketPattern: "CHG[0-9]{4}|17" });
  await using terminal = home.login();
  await answer(
    terminal,
    [TICKET_PROMPT, "CHG1234"],
    [/Ticket CHG1234 does not exist[^]*blank for new\): $/, "CHG12345"],
    [/No open ticket has: CHG12345[^]*blank for new\): $/, "18"],
    [/No open ticket has: 18[^]*blank for new\): $/, "17"],
  );
  assert.deepEqual(agent.all("ticket.find").map(({ key }) => key), ["CHG1234", "17"]);
});

Deno.test("a broken policy, or one that says deny in it, is said", async () => {
  await using home = new HelloHome();
  home.startAgent({});
  const policy = `${home.path}/run/srvaudit/policy.json`;
  Deno.writeTextFileSync(policy, "no policy");
  const allowed = await home.run("hello", ["-c", "echo ran"]);
  assert.equal(allowed.text, "ran\n");
  assert.match(allowed.errors, /^srvaudit: [^\n]*policy\.json[^\n]*going on with the defaults\n$/);
  Deno.writeTextFileSync(policy, '{"onFailure":"deny", "exemptUsers":7}');
  const denied = await home.run("hello", ["-c", "echo ran"]);
  assert.deepEqual([denied.code, denied.text], [1, ""]);
  assert.match(denied.errors, /^srvaudit: [^\n]*onFailure="deny": no shell\n$/);
});
