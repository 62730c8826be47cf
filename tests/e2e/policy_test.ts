/** Each policy with both its answers, through a real sshd, with the real agent: what a login sees, and what is in evidence. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { playLogin } from "../support/expect.ts";
import { testThatNeeds } from "../support/needs.ts";
import { succeed } from "../support/run.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";

const NEEDS = ["root", "sshd", "expect", "sqlite3"] as const;

/** A session's opening, as the evidence has it. */
interface Opening {
  ticket: string | null;
  unverified: 1 | null;
  wanted: string | null;
  emergency: string | null;
  exempt: 1 | null;
}

const WAYS = ["ticket", "unverified", "wanted", "emergency", "exempt"]
  .map((name) => `json_extract(data, '$.${name}') as ${name}`).join(", ");

/** The opening of the one session of a user's, once it is in evidence: what is said there at all. */
async function openingOf(agent: TestAgent, user: TestUser): Promise<Partial<Opening>> {
  const [opening, ...others] = await agent.find<Opening>(
    `the session of ${user.name}`,
    `select ${WAYS} from event where kind = 'session opened' and uid = ${user.uid}`,
  );
  assert.deepEqual(others, []);
  return Object.fromEntries(Object.entries(opening ?? {}).filter(([, value]) => value !== null));
}

/** Whether anything at all is in evidence of a user's. */
async function hasSession(agent: TestAgent, user: TestUser): Promise<boolean> {
  return (await agent.ask(`select seq from event where kind = 'session opened' and uid = ${user.uid}`))
    .length > 0;
}

/** Breaks the tracker: the host's local tickets. */
async function breakTickets(host: TestHost): Promise<void> {
  for (const end of ["", "-wal", "-shm"]) {
    await Deno.writeTextFile(`${host.root}/var/lib/srvaudit/tickets.db${end}`, "no database\n".repeat(1000));
  }
}

/** What a login shows that gets no shell. */
async function refused(host: TestHost, user: TestUser, script: string): Promise<string> {
  const { code, text } = await playLogin(host, user, `${script}\nended`);
  assert.equal(code, 1, text);
  return text;
}

/** A shell, at which one command is run and then left by what asks nothing. */
const LEAVE = 'line "kill -9 \\$\\$"\nended';

testThatNeeds(
  NEEDS,
  'onAgentDown="allow": an unverified ticket, and the agent takes the session in when it is back',
  async () => {
    await using host = await TestHost.start();
    await using agent = await TestAgent.start(host);
    const user = await host.addUser();
    await agent.end("SIGKILL");
    const { text } = await playLogin(
      host,
      user,
      `login "OPS-1"\nline "echo was-here"\nwant {was-here\r}\n${LEAVE}`,
    );
    assert.match(text, /srvaudit: the agent [^\n]*going on without it/);
    await agent.start();
    assert.deepEqual(await openingOf(agent, user), { ticket: "OPS-1", unverified: 1 });
    await agent.find(
      "the command",
      "select seq from event where kind = 'command' and text = 'echo was-here'",
    );
  },
);

testThatNeeds(
  NEEDS,
  'onAgentDown="deny": a refusal that names the cause, for a person and for a command',
  async () => {
    await using host = await TestHost.start({ config: ['onAgentDown="deny"'] });
    await using agent = await TestAgent.start(host);
    const [user, other] = [await host.addUser(), await host.addUser()];
    await playLogin(host, user, `login "" "While it is up"\n${LEAVE}`);
    await agent.end("SIGKILL");
    assert.match(await refused(host, other, ""), /srvaudit: the agent [^\n]*onAgentDown="deny": no shell/);
    const { code, text, errors } = await host.ssh(other, ["echo", "ran"]);
    assert.deepEqual([code, text], [1, ""]);
    assert.match(errors, /onAgentDown="deny"/);
    await agent.start();
    assert.deepEqual(await openingOf(agent, user), { ticket: "1" });
    assert.equal(await hasSession(agent, other), false);
  },
);

testThatNeeds(NEEDS, "an agent that hangs is one that is down", async () => {
  await using host = await TestHost.start();
  await using agent = await TestAgent.start(host);
  const user = await host.addUser();
  agent.signal("SIGSTOP");
  const { text } = await playLogin(host, user, `login "17"\n${LEAVE}`);
  assert.match(text, /the agent [^\n]*does not answer/);
  agent.signal("SIGCONT");
  // She has never spoken to this agent before.
  await host.as(user, [host.program("saticket"), "list"]);
  assert.deepEqual(await openingOf(agent, user), { ticket: "17", unverified: 1 });
});

testThatNeeds(
  NEEDS,
  'onTrackerOutage="allow": a ticket as it was typed, and one that is to be made',
  async () => {
    await using host = await TestHost.start();
    await using agent = await TestAgent.start(host);
    const [alice, bob] = [await host.addUser(), await host.addUser()];
    await breakTickets(host);
    const { text } = await playLogin(host, alice, `login "4711"\n${LEAVE}`);
    assert.match(text, /tickets\.db[^\n]*going on without it/);
    await playLogin(host, bob, `login "" "Replace the disk"\n${LEAVE}`);
    assert.deepEqual(await openingOf(agent, alice), { ticket: "4711", unverified: 1 });
    assert.deepEqual(await openingOf(agent, bob), { wanted: "Replace the disk" });
  },
);

testThatNeeds(NEEDS, 'onTrackerOutage="deny": no shell', async () => {
  await using host = await TestHost.start({ config: ['onTrackerOutage="deny"'] });
  await using agent = await TestAgent.start(host);
  const user = await host.addUser();
  await breakTickets(host);
  assert.match(
    await refused(host, user, 'want {blank for new[^\\r\\n]*: $}\nline "17"'),
    /tickets\.db[^\n]*onTrackerOutage="deny"/,
  );
  assert.equal(await hasSession(agent, user), false);
});

testThatNeeds(
  NEEDS,
  "nonInteractive: record, require and deny, with a ticket in SRVAUDIT_TICKET and without",
  async () => {
    await using host = await TestHost.start({ sshd: ["AcceptEnv SRVAUDIT_TICKET"] });
    await using agent = await TestAgent.start(host);
    const maker = await host.addUser();
    await playLogin(host, maker, `login "" "Automate"\n${LEAVE}`);
    const ran = async (policy: string, ticket: string | undefined) => {
      await TestAgent.configure(host, [`nonInteractive="${policy}"`]);
      await agent.end();
      await agent.start();
      const user = await host.addUser();
      const { code, text, errors } = await host.ssh(user, ["echo", "ran"], {
        flags: ["-o", "SendEnv=SRVAUDIT_TICKET"],
        ...(ticket === undefined ? {} : { env: { SRVAUDIT_TICKET: ticket } }),
      });
      if (code !== 0) {
        assert.deepEqual([code, text, await hasSession(agent, user)], [1, "", false]);
        assert.match(errors, /^srvaudit: [^\n]*\n$/);
        return "refused";
      }
      assert.equal(text, "ran\n");
      return (await openingOf(agent, user)).ticket ?? "no ticket";
    };
    assert.deepEqual(
      [await ran("record", undefined), await ran("record", "1"), await ran("record", "2")],
      ["no ticket", "1", "no ticket"],
    );
    assert.deepEqual(
      [await ran("require", undefined), await ran("require", "1"), await ran("require", "2")],
      ["refused", "1", "refused"],
    );
    assert.deepEqual([await ran("deny", undefined), await ran("deny", "1")], ["refused", "refused"]);
  },
);

testThatNeeds(
  NEEDS,
  "exemptUsers and exemptGroups: no ticket, nothing refused, all in evidence; others are asked",
  async () => {
    await using host = await TestHost.start();
    const [alice, bob, carol] = [await host.addUser(), await host.addUser(), await host.addUser()];
    await succeed(host.asRoot(["usermod", "-aG", "games", bob.name]));
    await using agent = await TestAgent.start(host, [
      `exemptUsers="${alice.name}"`,
      'exemptGroups="games"',
      'nonInteractive="deny"',
    ]);
    for (const user of [alice, bob]) {
      const { text } = await playLogin(host, user, `want {\\$ $}\n${LEAVE}`);
      assert.doesNotMatch(text, /blank for new/);
      assert.equal((await host.ssh(user, ["echo", "ran"])).text, "ran\n");
      const openings = await agent.find<Opening>(
        `both sessions of ${user.name}`,
        `select ${WAYS} from event where kind = 'session opened' and uid = ${user.uid}
       and (select count(*) from event where kind = 'session opened' and uid = ${user.uid}) = 2`,
      );
      assert.deepEqual(openings.map(({ ticket, exempt }) => [ticket, exempt]), [[null, 1], [null, 1]]);
    }
    await playLogin(host, carol, `login "" "Asked"\n${LEAVE}`);
    assert.equal((await host.ssh(carol, ["echo", "ran"])).code, 1);
  },
);

testThatNeeds(
  NEEDS,
  "breakGlassGroup: a member goes in for a reason, agent or not; nobody else does",
  async () => {
    await using host = await TestHost.start();
    const [alice, mallory] = [await host.addUser(), await host.addUser()];
    await succeed(host.asRoot(["usermod", "-aG", "games", alice.name]));
    await using agent = await TestAgent.start(host, ['breakGlassGroup="games"', 'onAgentDown="deny"']);
    await breakTickets(host);
    const emergency =
      `line "emergency"\nwant {Reason for the emergency: $}\nline "Fire in rack 7"\nwant {\\$ $}\n${LEAVE}`;
    await playLogin(host, alice, `want {blank for new[^\\r\\n]*: $}\n${emergency}`);
    assert.deepEqual(await openingOf(agent, alice), { emergency: "Fire in rack 7" });
    const { text } = await playLogin(
      host,
      mallory,
      'want {blank for new[^\\r\\n]*: $}\nline "emergency"\nwant {blank for new[^\\r\\n]*: $}\nsend "\\004"\nended',
    );
    assert.doesNotMatch(text, /Reason/);
    await agent.end("SIGKILL");
    await playLogin(host, alice, `want {onAgentDown="deny".*without a ticket: $}\n${emergency}`);
    assert.doesNotMatch(await refused(host, mallory, ""), /without a ticket/);
    await agent.start();
    await agent.find(
      "the second emergency",
      `select 1 from event where kind = 'session opened' and uid = ${alice.uid} group by uid having count(*) = 2`,
    );
    const log = await Deno.readTextFile(`${host.root}/var/log/srvaudit.log`);
    assert.equal(log.match(/"level":"ERROR","message":"EMERGENCY: [^\n]*Fire in rack 7/g)?.length, 2, log);
    assert.equal(await hasSession(agent, mallory), false);
  },
);

testThatNeeds(NEEDS, "breakGlassGroup: the agent itself looks whether it is a member who asks", async () => {
  await using host = await TestHost.start();
  const mallory = await host.addUser();
  await using agent = await TestAgent.start(host, ['breakGlassGroup="games"']);
  const request = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "session.open",
    params: {
      mode: "interactive",
      shell: "/bin/bash",
      ticket: null,
      tty: "",
      from: "",
      emergency: "I want to",
    },
  });
  const ask =
    "use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new($ARGV[0]) or die; print $s <STDIN>; print scalar <$s>";
  const socket = `${host.root}/run/srvaudit/agent.sock`;
  const { text } = await host.as(mallory, ["perl", "-e", ask, socket], { stdin: `${request}\n` });
  assert.match(text, /"code":4,"message":"[^"]*may not call an emergency"/);
  assert.equal(await hasSession(agent, mallory), false);
});

testThatNeeds(NEEDS, "ticketPattern: what is a key, and what is a word", async () => {
  await using host = await TestHost.start();
  await using agent = await TestAgent.start(host, ['ticketPattern="[0-9]{1,3}"']);
  const user = await host.addUser();
  const { text } = await playLogin(
    host,
    user,
    `want {blank for new[^\\r\\n]*: $}
     line "1234"
     want {No open ticket has: 1234.*blank for new[^\\r\\n]*: $}
     line "123"
     want {Ticket 123 does not exist.*blank for new[^\\r\\n]*: $}
     line ""
     want {Enter subject for new ticket: $}
     line "Some work"
     want {\\$ $}
     ${LEAVE}`,
  );
  assert.match(text, /Ticket 1 {2}Some work/);
  assert.deepEqual(await openingOf(agent, user), { ticket: "1" });
});

testThatNeeds(
  NEEDS,
  "with the agent, a login's notes, status and end are in evidence, and its own history has them",
  async () => {
    await using host = await TestHost.start();
    await using agent = await TestAgent.start(host);
    const user = await host.addUser();
    await playLogin(
      host,
      user,
      `login "" "Some work"\nline "${
        host.program("saticket")
      } note half way"\nwant {added a note}\nwant {\\$ $}\nlogout "all done" "2"`,
    );
    await agent.find("the end", `select 1 from event where kind = 'session closed' and uid = ${user.uid}`);
    const said = await agent.ask<{ kind: string; words: string }>(
      `select kind, coalesce(json_extract(data, '$.text'), json_extract(data, '$.to'), json_extract(data, '$.how')) as words
     from event where uid = ${user.uid} and kind in ('note', 'status', 'session closed') order by seq`,
    );
    assert.deepEqual(said.map(({ kind, words }) => [kind, words]), [
      ["note", "half way"],
      ["note", "all done"],
      ["status", "In Progress"],
      ["session closed", "logout"],
    ]);
    const [session] = await host.sessions(user);
    assert.deepEqual([session?.ticket, session?.how, session?.said], ["1", "logout", [
      "half way",
      "all done",
      "In Progress",
    ]]);
  },
);
