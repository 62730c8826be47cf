import assert from "node:assert/strict";
import fc from "fast-check";
import { RequestError } from "../../src/agent/server.ts";
import { ERRORS, LONGEST_REPLY } from "../../src/desk/protocol.ts";
import { processOf } from "../../src/posix/process.ts";
import { requestLine, TestServer } from "../support/agent_server.ts";
import { until } from "../support/sshd.ts";

/** Answers with what it was asked. */
const echo = (_peer: unknown, method: string, params: unknown) => Promise.resolve({ method, params });

Deno.test("the server hands over who asks, by the kernel's word, and what", async () => {
  await using server = TestServer.start((peer, method, params) => Promise.resolve({ peer, method, params }));
  using peer = await server.connect();
  await peer.ask("x", "a.b", { uid: 0, c: "ü\n" });
  assert.deepEqual(await peer.reply(), {
    jsonrpc: "2.0",
    id: "x",
    result: {
      peer: {
        uid: Deno.uid(),
        gid: Deno.gid(),
        pid: Deno.pid,
        startTicks: processOf("self")?.startTicks,
      },
      method: "a.b",
      params: { uid: 0, c: "ü\n" },
    },
  });
  assert.equal(server.server.connections, 1);
});

Deno.test("the server answers in the order of the requests, however long each takes", async () => {
  const asked: string[] = [];
  const first = Promise.withResolvers<void>();
  await using server = TestServer.start(async (_peer, method) => {
    asked.push(method);
    if (method === "slow") await first.promise;
    else first.resolve();
    return method;
  });
  using peer = await server.connect();
  await peer.send(requestLine(1, "slow") + requestLine(2, "fast") + "no JSON\n" + requestLine(3, "fast"));
  const replies = await peer.replies(4);
  assert.deepEqual(replies.map(({ id, result, error }) => [id, result ?? error?.code]), [
    [1, "slow"],
    [2, "fast"],
    [null, ERRORS.parse],
    [3, "fast"],
  ]);
  assert.deepEqual(asked, ["slow", "fast", "fast"]);
});

Deno.test("no more requests of one connection are worked on at a time than the limit says", async () => {
  const gates: (() => void)[] = [];
  await using server = TestServer.start(
    () => new Promise((resolve) => gates.push(() => resolve(gates.length))),
    { inFlight: 3 },
  );
  using peer = await server.connect();
  await peer.send(Array.from({ length: 10 }, (_, id) => requestLine(id, "m")).join(""));
  const most: number[] = [];
  for (let id = 0; id < 10; id++) {
    await until("a request that is worked on", () => Promise.resolve(gates.length > 0));
    most.push(gates.length);
    gates.shift()?.();
    assert.equal((await peer.reply())?.id, id);
  }
  assert.equal(Math.max(...most), 3);
});

Deno.test("a request of a peer that has half closed is still answered", async () => {
  await using server = TestServer.start(echo);
  using peer = await server.connect();
  await peer.send(requestLine(1, "a") + requestLine(2, "b") + '{"half');
  await peer.endInput();
  assert.deepEqual((await peer.replies()).map(({ id }) => id), [1, 2]);
  await until("no connection", () => Promise.resolve(server.server.connections === 0));
});

Deno.test("what a peer asked for before it hung up is still done", async () => {
  const done: string[] = [];
  await using server = new TestServer((_peer, method) => {
    done.push(method);
    return Promise.resolve(null);
  });
  const peer = await server.connect();
  await peer.ask(1, "close");
  peer[Symbol.dispose]();
  server.run();
  await until("the request", () => Promise.resolve(done.length > 0 && server.server.connections === 0));
  assert.deepEqual(done, ["close"]);
  assert.equal(server.errors.length, 0);
});

Deno.test("a notification gets no reply and is not worked on", async () => {
  const done: string[] = [];
  await using server = TestServer.start((_peer, method) => Promise.resolve(done.push(method)));
  using peer = await server.connect();
  await peer.send('{"jsonrpc":"2.0","method":"silent"}\n' + requestLine(1, "m"));
  assert.equal((await peer.reply())?.id, 1);
  assert.deepEqual(done, ["m"]);
});

Deno.test("a RequestError is told as it is; anything else is told as nothing, and to onError alone", async () => {
  const recursive: Record<string, unknown> = {};
  recursive.self = recursive;
  const failures: Record<string, () => unknown> = {
    refused: () => {
      throw new RequestError(ERRORS.refused, "not today");
    },
    broken: () => {
      throw new Error("the key is hunter2");
    },
    thrown: () => {
      throw "hunter2";
    },
    recursive: () => recursive,
    bigint: () => 1n,
    long: () => "x".repeat(LONGEST_REPLY),
  };
  await using server = TestServer.start((_peer, method) => Promise.resolve(failures[method]?.()));
  using peer = await server.connect();
  await peer.ask(1, "refused");
  assert.deepEqual((await peer.reply())?.error, { code: ERRORS.refused, message: "not today" });
  assert.equal(server.errors.length, 0);
  for (const method of ["broken", "thrown", "recursive", "bigint", "long"]) {
    await peer.ask(2, method);
    const reply = await peer.reply();
    assert.deepEqual([reply?.id, reply?.error?.code], [2, ERRORS.internal]);
    assert.doesNotMatch(JSON.stringify(reply), /hunter2|\.ts|Error/);
    const error = server.errors.pop();
    assert.match(error?.message ?? "", new RegExp(`"${method}" of uid`));
    assert.notEqual(error?.cause, undefined);
  }
});

/** What a peer may send: requests, near misses, and anything at all. */
const someLine = (() => {
  const id = fc.oneof(fc.integer(), fc.string({ maxLength: 8 }), fc.constant(null), fc.jsonValue());
  const near = fc.record({
    jsonrpc: fc.oneof({ weight: 5, arbitrary: fc.constant("2.0") }, fc.jsonValue()),
    id,
    method: fc.oneof({ weight: 5, arbitrary: fc.string() }, fc.jsonValue()),
    params: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
  }, { requiredKeys: [] });
  const text = fc.oneof(near.map((value) => JSON.stringify(value)), fc.json(), fc.string({ unit: "binary" }));
  const encoder = new TextEncoder();
  const bytes = fc.oneof(text.map((text) => encoder.encode(text)), fc.uint8Array({ maxLength: 40 }));
  return bytes.map((bytes) => bytes.filter((byte) => byte !== 10));
})();

/** Whether a line is answered, and by which id: JSON-RPC's rules anew. */
function answerTo(line: Uint8Array): { id: unknown } | undefined {
  let message: unknown;
  try {
    message = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line));
  } catch {
    return { id: null };
  }
  if (typeof message !== "object" || message === null || Array.isArray(message)) return { id: null };
  const request = message as Record<string, unknown>;
  const isValid = request.jsonrpc === "2.0" && typeof request.method === "string" &&
    (!("params" in request) || Object.prototype.toString.call(request.params) === "[object Object]");
  if (!("id" in request)) return isValid ? undefined : { id: null };
  const isUsable = typeof request.id === "string" || Number.isSafeInteger(request.id);
  return { id: isUsable ? request.id : null };
}

Deno.test("whatever lines a peer sends, each gets one reply with its id, and others are served on", async () => {
  await using server = TestServer.start(echo, { requestsPerSecond: 1e6, burst: 1e6 });
  using other = await server.connect();
  const input = fc.tuple(fc.array(someLine, { maxLength: 30 }), fc.array(fc.nat(200), { maxLength: 20 }));
  await fc.assert(
    fc.asyncProperty(input, async ([lines, cuts]) => {
      using peer = await server.connect();
      const all = new Uint8Array(lines.flatMap((line) => [...line, 10]));
      let start = 0;
      for (const cut of cuts) {
        await peer.send(all.subarray(start, start + cut));
        start += cut;
      }
      await peer.send(all.subarray(start));
      await peer.endInput();
      const wanted = lines.map(answerTo).filter((answer) => answer !== undefined);
      assert.deepEqual((await peer.replies()).map(({ id }) => id), wanted.map(({ id }) => id));
      await other.ask(1, "still there");
      assert.equal((await other.reply())?.id, 1);
    }),
    { numRuns: 150 },
  );
  assert.equal(server.errors.length, 0);
});

Deno.test("a server that is disposed of closes all, removes its socket, and drops late answers", async () => {
  const gate = Promise.withResolvers<void>();
  const server = TestServer.start(() => gate.promise);
  using peer = await server.connect();
  await peer.ask(1, "m");
  await until("the connection", () => Promise.resolve(server.server.connections === 1));
  server.server.stopAccepting();
  await assert.rejects(server.connect(), Deno.errors.NotFound);
  await server[Symbol.asyncDispose]();
  assert.equal(await peer.reply(), undefined);
  gate.resolve();
  await gate.promise;
  assert.equal(server.errors.length, 0);
});

Deno.test("a server leaves another's socket where it is", async () => {
  await using first = TestServer.start(echo);
  await Deno.remove(first.path);
  const { Server } = await import("../../src/agent/server.ts");
  const { Poller } = await import("../../src/posix/poller.ts");
  using poller = new Poller();
  using _second = new Server(poller, first.path, echo);
  first.server.stopAccepting();
  assert.equal((await Deno.lstat(first.path)).isSocket, true);
});
