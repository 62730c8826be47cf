/** The agent's socket and several users: processes of theirs, as setpriv(1) makes them. */

import assert from "node:assert/strict";
import { TestServer } from "../support/agent_server.ts";
import { testThatNeeds } from "../support/needs.ts";
import { succeed } from "../support/run.ts";
import { until } from "../support/sshd.ts";

const PEER = new URL("../support/socket_peer.pl", import.meta.url).pathname;
/** Nobody's numbers: no process of the machine's has them. */
const ALICE = 71_001;
const BOB = 71_002;

const whoami = (peer: unknown) => Promise.resolve(peer);

/** Another process that is connected, or about to be. */
class Other implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(server: TestServer, uid: number, args: readonly string[]) {
    // The project's folder may be closed to others: perl reads the program from the root that starts it.
    const become = ["--reuid", `${uid}`, "--regid", `${uid}`, "--clear-groups"];
    const program = Deno.readTextFileSync(PEER);
    this.child = new Deno.Command("setpriv", {
      args: [...become, "perl", "-e", program, server.path, ...args],
      cwd: "/",
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#stdin = this.child.stdin.getWriter();
    this.#lines = this.child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line that it prints, or undefined at its end. */
  async line(): Promise<string | undefined> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) return undefined;
      this.#text += value;
    }
    const end = this.#text.indexOf("\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }

  /** Lets it go on. */
  async goOn(): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode("\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#stdin.close().catch(() => {});
    await this.#lines.cancel();
    await this.child.status;
  }
}

/** What the server says to one request of a process of the user's. */
async function ask(server: TestServer, uid: number): Promise<Record<string, unknown>> {
  await using other = new Other(server, uid, ["ask"]);
  return JSON.parse(await other.line() ?? "null");
}

const NEEDS = ["root", "setpriv", "perl"];

testThatNeeds(NEEDS, "the kernel says who asks: the user, and the process", async () => {
  await using server = TestServer.start(whoami);
  for (const uid of [ALICE, BOB, 0]) {
    await using other = new Other(server, uid, ["ask"]);
    const { pid } = other.child;
    const { result } = JSON.parse(await other.line() ?? "null");
    assert.deepEqual([result.uid, result.gid, result.pid], [uid, uid, pid]);
    assert.ok(result.startTicks > 0);
  }
});

testThatNeeds(NEEDS, "a thousand connections of one user take no place of another's", async () => {
  await using server = TestServer.start(whoami);
  await using alice = new Other(server, ALICE, ["crowd", "1000", "16"]);
  const refused = Number(await alice.line());
  assert.equal(refused, 1000 - 16);
  assert.equal(server.server.connections, 16);
  for (const uid of [BOB, 0]) assert.equal((await ask(server, uid)).error, undefined);
  assert.equal(((await ask(server, ALICE)).error as { code: number }).code, -32000);
});

testThatNeeds(
  NEEDS,
  "a user who asks without end gets no more than the rate, and others are served",
  async () => {
    const answered = new Map<number, number>();
    await using server = TestServer.start((peer) => {
      answered.set(peer.uid, (answered.get(peer.uid) ?? 0) + 1);
      return Promise.resolve(null);
    }, { requestsPerSecond: 0.001, burst: 50 });
    await using alice = new Other(server, ALICE, ["flood", "16"]);
    assert.equal(await alice.line(), "flooding");
    await until("Alice at her limit", () => Promise.resolve(answered.get(ALICE) ?? 0 > 0));
    for (let i = 0; i < 10; i++) assert.equal((await ask(server, BOB)).error, undefined);
    assert.ok((answered.get(ALICE) ?? 0) <= 50, `${answered.get(ALICE)} requests of hers were done`);
    assert.equal(answered.get(BOB), 10);
  },
);

testThatNeeds(NEEDS, "root has room where all others have taken what there is", async () => {
  const gate = Promise.withResolvers<void>();
  const isBusy = Promise.withResolvers<void>();
  await using server = TestServer.start((peer) => {
    if (peer.uid === 0) return Promise.resolve(null);
    isBusy.resolve();
    return gate.promise;
  }, { connections: 1, connectionsForRoot: 1 });
  await using alice = new Other(server, ALICE, ["ask"]);
  await isBusy.promise;
  assert.equal(((await ask(server, BOB)).error as { code: number }).code, -32000);
  assert.equal((await ask(server, 0)).result, null);
  gate.resolve();
  assert.equal(JSON.parse(await alice.line() ?? "null").result, null);
});

testThatNeeds(NEEDS, "a process that has ended, or is another user's by now, is nobody's word", async () => {
  await using server = new TestServer(whoami);
  await using heir = new Other(server, ALICE, ["heir"]);
  await heir.child.status;
  await using other = new Other(server, 0, ["become", String(BOB)]);
  assert.equal(await other.line(), "connected");
  await until(
    "the other user",
    async () => (await Deno.readTextFile(`/proc/${other.child.pid}/status`)).includes(`Uid:\t${BOB}\t${BOB}`),
  );
  server.run();
  for (const peer of [heir, other]) {
    await peer.goOn();
    assert.match(await peer.line() ?? "", /"code":6/);
  }
});

testThatNeeds(
  [...NEEDS, "unshare", "mount"],
  "a process is not taken for the one whose number it has got",
  async () => {
    const script = new URL("../support/reused_pid.ts", import.meta.url).pathname;
    const enter = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "sh", "-c"];
    const program = [Deno.execPath(), "run", "--quiet", "--allow-all", "--no-config", script];
    const text = await succeed([...enter, 'mount -t proc proc /proc && exec "$@"', "sh", ...program]);
    assert.match(text, /"code":6/);
  },
);
