import assert from "node:assert/strict";
import { Poller, type Ready } from "../../src/posix/poller.ts";
import { accept, close, listen, receive, send, SocketInUseError } from "../../src/posix/unix_socket.ts";

/** Two connected descriptors of this process's: a Deno one and a plain one. */
class Pair implements Disposable {
  private constructor(readonly far: Deno.UnixConn, readonly fd: number, private readonly folder: string) {}

  static async make(): Promise<Pair> {
    const folder = await Deno.makeTempDir();
    const listener = listen(`${folder}/socket`);
    const far = await Deno.connect({ transport: "unix", path: `${folder}/socket` });
    const fd = accept(listener);
    assert.ok(typeof fd === "number");
    assert.equal(accept(listener), "again");
    close(listener);
    return new Pair(far, fd, folder);
  }

  [Symbol.dispose](): void {
    close(this.fd);
    try {
      this.far.close();
    } catch {
      // The test has closed it.
    }
    Deno.removeSync(this.folder, { recursive: true });
  }
}

// libc is opened once, at its first use: within a test Deno would take that for a leak.
(await Pair.make())[Symbol.dispose]();
new Poller()[Symbol.dispose]();

const buffer = new Uint8Array(1024);

Deno.test("Poller calls back as long as there is something to read, and no more when it was read", async () => {
  using pair = await Pair.make();
  using poller = new Poller();
  const seen: Ready[] = [];
  poller.watch(pair.fd, { read: true }, (ready) => seen.push(ready));
  await poller.turn(0);
  assert.deepEqual(seen, []);
  await pair.far.write(Uint8Array.of(1, 2));
  await poller.turn(Infinity);
  await poller.turn(Infinity);
  assert.deepEqual(seen, Array(2).fill({ readable: true, writable: false, hungUp: false }));
  assert.equal(receive(pair.fd, buffer), 2);
  await poller.turn(0);
  assert.equal(seen.length, 2);
});

Deno.test("Poller waits for what was chosen last, and for nothing after unwatch()", async () => {
  using pair = await Pair.make();
  using poller = new Poller();
  const seen: Ready[] = [];
  poller.watch(pair.fd, {}, (ready) => seen.push(ready));
  await pair.far.write(Uint8Array.of(1));
  await poller.turn(0);
  assert.deepEqual(seen, []);
  poller.change(pair.fd, { write: true });
  await poller.turn(Infinity);
  assert.deepEqual(seen.pop(), { readable: false, writable: true, hungUp: false });
  poller.change(pair.fd, { read: true, write: true });
  await poller.turn(Infinity);
  assert.deepEqual(seen.pop(), { readable: true, writable: true, hungUp: false });
  poller.unwatch(pair.fd);
  await poller.turn(0);
  assert.deepEqual(seen, []);
});

Deno.test("Poller tells a hang-up to who waits for nothing", async () => {
  using pair = await Pair.make();
  using poller = new Poller();
  const seen: Ready[] = [];
  poller.watch(pair.fd, {}, (ready) => seen.push(ready));
  pair.far.close();
  await poller.turn(Infinity);
  assert.deepEqual(seen, [{ readable: false, writable: false, hungUp: true }]);
});

Deno.test("Poller calls nobody back whose watch another callback of the same turn has ended", async () => {
  using one = await Pair.make();
  using other = await Pair.make();
  using poller = new Poller();
  const called: string[] = [];
  const watch = (name: string, fd: number, otherFd: number) =>
    poller.watch(fd, { read: true }, () => {
      called.push(name);
      poller.unwatch(otherFd);
      // The same number, watched anew: what came for the one before is not this one's.
      poller.watch(otherFd, {}, () => called.push("new"));
    });
  watch("one", one.fd, other.fd);
  watch("other", other.fd, one.fd);
  await one.far.write(Uint8Array.of(1));
  await other.far.write(Uint8Array.of(1));
  await poller.turn(Infinity);
  assert.equal(called.length, 1);
});

Deno.test("wake() ends a wait, or the next one if none goes on, once", async () => {
  using poller = new Poller();
  const turn = poller.turn(Infinity);
  poller.wake();
  await turn;
  poller.wake();
  poller.wake();
  await poller.turn(Infinity);
  let isOver = false;
  const third = poller.turn(Infinity).then(() => isOver = true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(isOver, false);
  poller.wake();
  await third;
});

Deno.test("Poller does one turn at a time", async () => {
  using poller = new Poller();
  const turn = poller.turn(Infinity);
  await assert.rejects(poller.turn(0), TypeError);
  poller.wake();
  await turn;
});

Deno.test("a Poller that is disposed of ends its wait, and waits no more", async () => {
  const poller = new Poller();
  const turn = poller.turn(Infinity);
  poller[Symbol.dispose]();
  poller[Symbol.dispose]();
  await turn;
  await assert.rejects(poller.turn(0), TypeError);
  poller.wake();
});

Deno.test("what a callback throws ends the turn, and the others are called in the next one", async () => {
  using one = await Pair.make();
  using other = await Pair.make();
  using poller = new Poller();
  const called = new Set<number>();
  for (const { fd, far } of [one, other]) {
    await far.write(Uint8Array.of(1));
    poller.watch(fd, { read: true }, () => {
      called.add(fd);
      receive(fd, buffer);
      throw new Error("broken");
    });
  }
  await assert.rejects(poller.turn(Infinity), /broken/);
  await assert.rejects(poller.turn(Infinity), /broken/);
  assert.equal(called.size, 2);
});

Deno.test("Poller refuses a descriptor that is none, or that is not watched", () => {
  using poller = new Poller();
  assert.throws(() => poller.watch(1_000_000, { read: true }, () => {}), /epoll_ctl/);
  assert.throws(() => poller.change(1_000_000, {}), /epoll_ctl/);
  assert.throws(() => poller.unwatch(1_000_000), /epoll_ctl/);
});

Deno.test("receive() and send() say when there is nothing, no room, and nobody", async () => {
  using pair = await Pair.make();
  assert.equal(receive(pair.fd, buffer), "again");
  const block = new Uint8Array(64 * 1024);
  let sent: ReturnType<typeof send> = 0;
  while (typeof sent === "number") sent = send(pair.fd, block);
  assert.equal(sent, "again");
  await pair.far.closeWrite();
  assert.equal(receive(pair.fd, buffer), 0);
  pair.far.close();
  assert.equal(send(pair.fd, block), "gone");
});

Deno.test("listen() replaces a socket that nobody listens behind, and nothing else", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/socket`;
    const first = listen(path);
    assert.throws(() => listen(path), SocketInUseError);
    close(first);
    assert.equal((await Deno.lstat(path)).isSocket, true);
    const second = listen(path);
    assert.equal(((await Deno.lstat(path)).mode ?? 0) & 0o777, 0o666);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["socket"]);
    (await Deno.connect({ transport: "unix", path })).close();
    close(second);
    await Deno.remove(path);
    await Deno.writeTextFile(path, "precious");
    assert.throws(() => listen(path), /no socket/);
    assert.equal(await Deno.readTextFile(path), "precious");
    assert.throws(() => listen(`${folder}/${"x".repeat(120)}`), /bytes are the most/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
