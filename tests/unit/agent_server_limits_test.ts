/** What one user can take of the agent's socket, and that it costs nobody else anything. */

import assert from "node:assert/strict";
import { ERRORS, LONGEST_LINE } from "../../src/desk/protocol.ts";
import { requestLine, TestServer } from "../support/agent_server.ts";
import { until } from "../support/sshd.ts";

/** Answers with what it was asked. */
const echo = (_peer: unknown, method: string, params: unknown) => Promise.resolve({ method, params });

Deno.test("a gigabyte without a line's end is refused after the longest line", async () => {
  await using server = TestServer.start(echo);
  using peer = await server.connect();
  const block = new Uint8Array(1024 * 1024).fill(0x7b);
  let sent = 0;
  const sending = (async () => {
    while (sent < 1024 ** 3) sent += await peer.connection.write(block);
  })();
  await assert.rejects(sending, Deno.errors.BrokenPipe);
  assert.ok(sent < 4 * LONGEST_LINE, `${sent} bytes were taken`);
  assert.equal((await peer.reply())?.error?.code, ERRORS.invalid);
  assert.equal(await peer.reply(), undefined);
});

Deno.test("the longest line is served, and one byte more is refused after the answers before it", async () => {
  await using server = TestServer.start((_peer, _method, params) =>
    Promise.resolve(JSON.stringify(params).length)
  );
  using peer = await server.connect();
  const fill = (length: number) => {
    const frame = requestLine(2, "m", { note: "" }).length;
    return requestLine(2, "m", { note: "n".repeat(length - frame) });
  };
  await peer.send(requestLine(1, "m") + fill(LONGEST_LINE) + fill(LONGEST_LINE + 1) + requestLine(3, "m"));
  const replies = await peer.replies();
  assert.deepEqual(replies.map(({ id, error }) => [id, error?.code]), [
    [1, undefined],
    [2, undefined],
    [null, ERRORS.invalid],
  ]);
});

Deno.test("a line that comes byte by byte and never ends costs its connection", async () => {
  await using server = TestServer.start(echo, { lineMs: 100 });
  using slow = await server.connect();
  let hasEnded = false;
  const dripping = (async () => {
    while (!hasEnded) {
      await slow.send(" ");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })().catch((error) => assert.ok(error instanceof Deno.errors.BrokenPipe, String(error)));
  assert.match((await slow.reply())?.error?.message ?? "", /whole within/);
  assert.equal(await slow.reply(), undefined);
  hasEnded = true;
  await dripping;
});

Deno.test("a connection that does nothing is closed, and one that waits for an answer is not", async () => {
  const gate = Promise.withResolvers<string>();
  await using server = TestServer.start(() => gate.promise, { idleMs: 50 });
  using asking = await server.connect();
  await asking.ask(1, "m");
  await until("the request", () => Promise.resolve(server.server.connections === 1));
  using idle = await server.connect();
  assert.equal(await idle.reply(), undefined);
  gate.resolve("here");
  assert.equal((await asking.reply())?.result, "here");
});

Deno.test("a user who never reads costs a few answers, and nobody else anything", async () => {
  const long = "x".repeat(LONGEST_LINE);
  const limits = { unsent: 2 * LONGEST_LINE, idleMs: 1e9 };
  await using server = TestServer.start(
    (_peer, method) => Promise.resolve(method === "long" ? long : "short"),
    limits,
  );
  using other = await server.connect();
  using one = await server.connect();
  using two = await server.connect();
  const asking = Array.from({ length: 100 }, (_, id) => requestLine(id, "long")).join("");
  await one.send(asking);
  await two.send(asking);
  await until("the end of the deaf ones' connections", async () => {
    await other.ask(1, "short");
    assert.equal((await other.reply())?.result, "short");
    return server.server.connections === 1;
  });
  // What they let wait is forgotten with them.
  for (let i = 0; i < 5; i++) {
    await other.ask(i, "long");
    assert.equal((await other.reply())?.result, long);
  }
});

Deno.test("a peer that stops reading is closed when it has been idle for too long", async () => {
  const long = "x".repeat(LONGEST_LINE);
  await using server = TestServer.start(() => Promise.resolve(long), { idleMs: 50, inFlight: 1 });
  using deaf = await server.connect();
  await deaf.send(requestLine(1, "m") + requestLine(2, "m"));
  await until("its end", () => Promise.resolve(server.server.connections === 0));
});

Deno.test("an answer that is longer than all that may wait goes out alone, to who reads it", async () => {
  const long = "x".repeat(4 * 1024 * 1024);
  await using server = TestServer.start(() => Promise.resolve(long), { unsent: 1024, inFlight: 1 });
  using peer = await server.connect();
  await peer.send(requestLine(1, "m") + requestLine(2, "m"));
  for (const id of [1, 2]) {
    const reply = await peer.reply();
    assert.deepEqual([reply?.id, reply?.result], [id, long]);
  }
});

Deno.test("a peer that reads late gets all its answers, however many there are", async () => {
  const long = "x".repeat(LONGEST_LINE / 16);
  await using server = TestServer.start(() => Promise.resolve(long), { requestsPerSecond: 1e6, burst: 1e6 });
  using peer = await server.connect();
  await peer.send(Array.from({ length: 200 }, (_, id) => requestLine(id, "m")).join(""));
  await peer.endInput();
  assert.deepEqual((await peer.replies()).map(({ id }) => id), Array.from({ length: 200 }, (_, id) => id));
});

Deno.test("an honest burst beyond the rate is answered to its end, only later", async () => {
  await using server = TestServer.start(echo, { requestsPerSecond: 500, burst: 10, lineMs: 1e9 });
  using one = await server.connect();
  using other = await server.connect();
  const ids = Array.from({ length: 60 }, (_, id) => id);
  for (const id of ids) {
    await one.ask(id, "m");
    await other.ask(id, "m");
  }
  const [ones, others] = await Promise.all([one.replies(60), other.replies(60)]);
  assert.deepEqual(ones.map(({ id }) => id), ids);
  assert.deepEqual(others.map(({ id }) => id), ids);
});

/** Long enough for a server that does what it must not, to do it. */
const AWHILE_MS = 60;
const awhile = () => new Promise((resolve) => setTimeout(resolve, AWHILE_MS));
/** A user may ask once, and then no more: the half is for the request's few bytes. */
const ONCE = { requestsPerSecond: 1e-6, burst: 1.5 };

Deno.test("nothing is read of a user who is over the rate, nor does that wake the server", async () => {
  await using server = TestServer.start(echo, ONCE);
  using peer = await server.connect();
  await peer.ask(1, "m");
  await peer.reply();
  let sent = 0;
  const block = new TextEncoder().encode(requestLine(2, "m").repeat(1000));
  const sending = (async () => {
    while (true) sent += await peer.connection.write(block);
  })().catch(() => {});
  await awhile();
  const { turns } = server;
  await awhile();
  assert.ok(sent < 1024 * 1024, `${sent} bytes were taken`);
  assert.ok(server.turns - turns < 5, `${server.turns - turns} turns for nothing`);
  await server[Symbol.asyncDispose]();
  await sending;
});

Deno.test("a peer whose line we do not read on is not blamed for its end", async () => {
  await using server = TestServer.start(echo, { ...ONCE, lineMs: 10 });
  using peer = await server.connect();
  await peer.send(requestLine(1, "m") + '{"half');
  assert.equal((await peer.reply())?.id, 1);
  await awhile();
  assert.equal(server.server.connections, 1);
});

Deno.test("a user who connects anew has no more requests left than before", async () => {
  const done: string[] = [];
  const handle = (_peer: unknown, method: string) => Promise.resolve(done.push(method));
  await using server = TestServer.start(handle, { ...ONCE, lineMs: 10 });
  for (const method of ["first", "second"]) {
    using peer = await server.connect();
    await peer.ask(1, method);
    if (method === "first") await peer.reply();
    else await awhile();
    peer[Symbol.dispose]();
    await until("no connection", () => Promise.resolve(server.server.connections === 0));
    await awhile();
  }
  assert.deepEqual(done, ["first"]);
});

Deno.test("a long request counts as many", async () => {
  const done: string[] = [];
  const handle = (_peer: unknown, method: string) => Promise.resolve(done.push(method));
  await using server = TestServer.start(handle, { ...ONCE, burst: 10 });
  using peer = await server.connect();
  await peer.ask(1, "short", { note: "n".repeat(10) });
  await peer.reply();
  await peer.send(requestLine(2, "long", { note: "n".repeat(300_000) }).slice(0, 120_000));
  await awhile();
  using other = await server.connect();
  await other.ask(3, "other");
  await awhile();
  assert.deepEqual(done, ["short"]);
});

Deno.test("a half-closed peer that waits for its answer does not wake the server", async () => {
  const gate = Promise.withResolvers<string>();
  await using server = TestServer.start(() => gate.promise);
  using peer = await server.connect();
  await peer.ask(1, "m");
  await peer.endInput();
  await awhile();
  const { turns } = server;
  await awhile();
  assert.ok(server.turns - turns < 5, `${server.turns - turns} turns for nothing`);
  gate.resolve("late");
  assert.equal((await peer.reply())?.result, "late");
});

Deno.test("of a user's connections that are too many the idlest gives way; where all are at work, the new one", async () => {
  const gate = Promise.withResolvers<string>();
  let waiting = 0;
  const handle = (_peer: unknown, method: string) => {
    if (method !== "wait") return Promise.resolve(method);
    waiting++;
    return gate.promise;
  };
  await using server = TestServer.start(handle, { connectionsOfUser: 2, hangingMs: 0 });
  using one = await server.connect();
  using two = await server.connect();
  await one.ask(1, "wait");
  await until("work", () => Promise.resolve(waiting === 1));
  await two.ask(1, "m");
  assert.equal((await two.reply())?.result, "m");
  using three = await server.connect();
  assert.equal(await two.reply(), undefined);
  await three.ask(1, "wait");
  await until("work", () => Promise.resolve(waiting === 2));
  using four = await server.connect();
  assert.equal((await four.reply())?.error?.code, ERRORS.busy);
  gate.resolve("done");
  for (const peer of [one, three]) assert.equal((await peer.reply())?.result, "done");
});

Deno.test("who asks without end on one connection leaves the same user's other one its turn", async () => {
  await using server = TestServer.start(echo, { requestsPerSecond: 100, burst: 1 });
  using greedy = await server.connect();
  await greedy.send(requestLine(1, "m").repeat(300));
  assert.equal((await greedy.reply())?.id, 1);
  using modest = await server.connect();
  let answered = 0;
  const counting = (async () => {
    while (await greedy.reply()) answered++;
  })().catch(() => {});
  await modest.ask(1, "m");
  assert.equal((await modest.reply())?.id, 1);
  assert.ok(answered < 30, `${answered} others came first`);
  greedy[Symbol.dispose]();
  await counting;
});

Deno.test("a connection whose request is worked on counts, its peer gone or not", async () => {
  const gate = Promise.withResolvers<void>();
  await using server = TestServer.start(() => gate.promise, { connectionsOfUser: 1 });
  const gone = await server.connect();
  await gone.ask(1, "m");
  gone[Symbol.dispose]();
  using next = await server.connect();
  assert.equal((await next.reply())?.error?.code, ERRORS.busy);
  assert.equal(server.server.connections, 1);
  gate.resolve();
  await until("room", () => Promise.resolve(server.server.connections === 0));
});

Deno.test("with no room for one more, the connection that has been idle longest gives way", async () => {
  const limits = { connections: 3, connectionsForRoot: 0 };
  const gate = Promise.withResolvers<void>();
  await using server = TestServer.start(
    (_peer, method) => method === "wait" ? gate.promise : Promise.resolve(method),
    limits,
  );
  using waiting = await server.connect();
  await waiting.ask(1, "wait");
  using early = await server.connect();
  await early.ask(1, "early");
  await early.reply();
  using late = await server.connect();
  await late.ask(1, "late");
  await late.reply();
  await early.ask(2, "early again");
  await early.reply();
  using next = await server.connect();
  assert.equal(await late.reply(), undefined);
  for (const peer of [early, next]) {
    await peer.ask(3, "m");
    assert.equal((await peer.reply())?.id, 3);
  }
  gate.resolve();
  assert.equal((await waiting.reply())?.id, 1);
});

Deno.test("a request that costs more is paid for: who asks for many of them waits, and nobody else does", async () => {
  const limits = { requestsPerSecond: 10, burst: 5, costs: { dear: 5 } };
  await using server = TestServer.start(echo, limits);
  using peer = await server.connect();
  const fromMs = performance.now();
  await peer.send(requestLine(1, "dear") + requestLine(2, "dear") + requestLine(3, "cheap"));
  for (const id of [1, 2, 3]) assert.equal((await peer.reply())?.id, id);
  // The first leaves nothing, and the second a debt of four: half a second for these at ten a second.
  assert.ok(performance.now() - fromMs >= 500);
});
