import assert from "node:assert/strict";
import { askAgent } from "../../src/desk/agent_client.ts";
import { AgentUnavailableError, NoSessionError, RefusedError } from "../../src/desk/desk.ts";
import { ERRORS, LONGEST_LINE } from "../../src/desk/protocol.ts";
import {
  StatusNotAllowedError,
  TicketNotFoundError,
  TicketRefusedError,
  TrackerUnavailableError,
} from "../../src/trackers/tracker.ts";
import { AnsweredError, type Question, SocketAgent } from "../support/socket_agent.ts";

const TICKET = { key: "17", subject: "Replace the disk", status: "New", open: true };

async function withAgent(
  answer: (question: Question) => unknown,
  use: (agent: SocketAgent) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await using agent = new SocketAgent(`${folder}/agent.sock`, answer);
    await use(agent);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);
const reply = (result: unknown) => JSON.stringify({ jsonrpc: "2.0", id: 1, result });

Deno.test("askAgent() asks in JSON-RPC and gives the result", () =>
  withAgent(() => TICKET, async ({ socket, asked }) => {
    assert.deepEqual(await askAgent(socket, "ticket.find", { key: "17" }), TICKET);
    assert.deepEqual(asked, [{ jsonrpc: "2.0", id: 1, method: "ticket.find", params: { key: "17" } }]);
  }));

Deno.test("askAgent() takes an answer that comes in pieces, and one of megabytes", async () => {
  const many = Array.from({ length: 20_000 }, (_, i) => ({ ...TICKET, key: String(i), subject: "Größe ✓" }));
  await withAgent(() => many, async ({ socket }) => {
    assert.deepEqual(await askAgent(socket, "ticket.search", { words: "" }, 20_000), many);
  });
});

Deno.test("askAgent() throws what the agent's error means", async () => {
  const kinds = [
    [ERRORS.ticketNotFound, TicketNotFoundError],
    [ERRORS.statusNotAllowed, StatusNotAllowedError],
    [ERRORS.trackerUnavailable, TrackerUnavailableError],
    [ERRORS.refused, RefusedError],
    [ERRORS.notAllowed, RefusedError],
    [ERRORS.params, RefusedError],
    [ERRORS.ticketRefused, TicketRefusedError],
    [ERRORS.noSession, NoSessionError],
    [ERRORS.internal, AgentUnavailableError],
    [ERRORS.unknownMethod, AgentUnavailableError],
    [4711, AgentUnavailableError],
  ] as const;
  for (const [code, kind] of kinds) {
    await withAgent(() => {
      throw new AnsweredError(code, "so it is");
    }, async ({ socket }) => {
      await assert.rejects(
        askAgent(socket, "ticket.find", { key: "17" }),
        (error: Error) => error.constructor === kind && error.message.includes("so it is"),
      );
    });
  }
});

Deno.test("askAgent() takes nothing for an answer that is none", async () => {
  const broken = [
    "nonsense\n",
    "null\n",
    "[]\n",
    `${reply({ ...TICKET, open: "yes" })}\n`,
    `${reply([TICKET])}\n`,
    `${reply(7)}\n`,
    '{"jsonrpc":"2.0","id":1}\n',
    '{"jsonrpc":"1.0","id":1,"result":null}\n',
    '{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"x"}}\n',
  ];
  for (const text of broken) {
    await withAgent(() => bytes(text), async ({ socket }) => {
      await assert.rejects(askAgent(socket, "ticket.find", { key: "17" }), AgentUnavailableError, text);
    });
  }
  await withAgent(() => new Uint8Array([0xff, 0xfe, 0x0a]), async ({ socket }) => {
    await assert.rejects(askAgent(socket, "ticket.find", { key: "17" }), AgentUnavailableError);
  });
});

Deno.test("askAgent() takes a new ticket or well-formed questions, and nothing else", async () => {
  const question = { name: "project", label: "project", choices: [{ value: "web", label: "Web shop" }] };
  const good = [
    { ticket: TICKET },
    { questions: [question, { name: "subject", label: "subject", default: "" }], later: "more" },
  ];
  for (const created of good) {
    await withAgent(() => created, async ({ socket }) => {
      assert.deepEqual(await askAgent(socket, "ticket.create", { answers: {} }), created);
    });
  }
  const broken = [
    TICKET,
    {},
    { ticket: null },
    { questions: {} },
    { questions: [{ name: "project" }] },
    { questions: [{ ...question, choices: ["web"] }] },
    { questions: [{ ...question, default: 7 }] },
  ];
  for (const created of broken) {
    await withAgent(() => created, async ({ socket }) => {
      await assert.rejects(askAgent(socket, "ticket.create", { answers: {} }), AgentUnavailableError);
    });
  }
});

Deno.test("askAgent() says who is not there: no socket, nobody behind it, one that hangs up", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const socket = `${folder}/agent.sock`;
    const ask = () => askAgent(socket, "session.current", {});
    await assert.rejects(ask(), AgentUnavailableError);
    Deno.listen({ transport: "unix", path: socket }).close();
    // Its socket's file is still there.
    await assert.rejects(ask(), AgentUnavailableError);
    await Deno.remove(socket);
    using listener = Deno.listen({ transport: "unix", path: socket });
    const accepted = listener.accept();
    const asked = assert.rejects(ask(), AgentUnavailableError);
    (await accepted).close();
    await asked;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("askAgent() waits for an agent that never answers no longer than it may", async () => {
  await withAgent(() => undefined, async ({ socket }) => {
    await assert.rejects(
      askAgent(socket, "session.current", {}, 100),
      /does not answer \(session\.current, 0\.1 s\)/,
    );
  });
  // Half an answer, and then no more.
  await withAgent(() => bytes(reply(null)), async ({ socket }) => {
    await assert.rejects(askAgent(socket, "session.current", {}, 100), AgentUnavailableError);
  });
});

Deno.test("askAgent() waits no longer for an agent that accepts nobody and reads nothing", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const socket = `${folder}/agent.sock`;
    using _listener = Deno.listen({ transport: "unix", path: socket });
    const text = "x".repeat(400_000);
    await assert.rejects(askAgent(socket, "ticket.addNote", { key: "1", text }, 100), AgentUnavailableError);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("askAgent() reads no more of an answer than it must", async () => {
  await withAgent(() => new Uint8Array(20 * 1024 * 1024).fill(0x20), async ({ socket }) => {
    await assert.rejects(
      askAgent(socket, "session.current", {}, 20_000),
      /answered with more than 16777216 bytes/,
    );
  });
});

Deno.test("askAgent() does not send what the agent would not take", () =>
  withAgent(() => null, async ({ socket, asked }) => {
    const text = "x".repeat(LONGEST_LINE);
    await assert.rejects(askAgent(socket, "ticket.addNote", { key: "1", text }), RefusedError);
    assert.deepEqual(asked, []);
  }));

Deno.test("askAgent() asks an agent again that has no room for one more now, as long as it may", async () => {
  const busy = () => {
    throw new AnsweredError(ERRORS.busy, "too many connections");
  };
  let times = 0;
  await withAgent(() => times++ < 3 ? busy() : null, async ({ socket, asked }) => {
    assert.equal(await askAgent(socket, "ticket.find", { key: "17" }, 20_000), null);
    assert.equal(asked.length, 4);
  });
  await withAgent(busy, async ({ socket }) => {
    await assert.rejects(askAgent(socket, "ticket.find", { key: "17" }, 100), AgentUnavailableError);
  });
});
