import assert from "node:assert/strict";
import { descriptorOf, errorOfSocket, unsentBytes } from "../../src/posix/client_socket.ts";
import { close } from "../../src/posix/unix_socket.ts";
import { lookUpHost } from "../../src/posix/name_lookup.ts";
import { SinkUnavailableError } from "../../src/sinks/sink.ts";
import { UdpChannel, UnixChannel } from "../../src/sinks/syslog/socket_channel.ts";
import { StreamChannel } from "../../src/sinks/syslog/stream_channel.ts";

// What FFI opens stays open: here it is no test's.
await lookUpHost("127.0.0.1", 514);
errorOfSocket(-1);
close(-1);

const FOR_EVER_MS = 3_600_000;

function messages(...texts: string[]): Uint8Array<ArrayBuffer>[] {
  return texts.map((text) => new Uint8Array(new TextEncoder().encode(text)));
}

function patience(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

/** A channel to a server of the test's. */
function channelTo(listener: Deno.TcpListener, idleMs = FOR_EVER_MS): StreamChannel {
  return new StreamChannel({ host: "127.0.0.1", port: listener.addr.port, certificates: undefined }, idleMs);
}

/** Reads what must come. */
async function expectText(conn: Deno.Conn, text: string): Promise<void> {
  const wanted = new TextEncoder().encode(text);
  const buffer = new Uint8Array(wanted.length);
  for (let count = 0; count < wanted.length;) {
    const more = await conn.read(buffer.subarray(count));
    assert.notEqual(more, null, `the end came before ${text}`);
    count += more ?? 0;
  }
  assert.equal(new TextDecoder().decode(buffer), text);
}

async function rest(conn: Deno.Conn): Promise<string> {
  return await new Response(conn.readable).text();
}

Deno.test("StreamChannel sends each message with its length in bytes, on one connection", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using channel = channelTo(listener);
  assert.deepEqual(await channel.send(messages("one", "zwölf"), patience()), []);
  assert.deepEqual(await channel.send(messages("3"), patience()), []);
  using conn = await listener.accept();
  await expectText(conn, "3 one6 zwölf1 3");
});

Deno.test("StreamChannel sends once more, first and in order, what was lost in a receiver that had not read it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using channel = channelTo(listener);
  await channel.send(messages("one"), patience());
  await channel.send(messages("two"), patience());
  // With two messages unread.
  (await listener.accept()).close();
  await sendAgainAndAgain(channel, "three");
  using conn = await listener.accept();
  await expectText(conn, "3 one3 two5 three");
});

Deno.test("StreamChannel sends what was read by a receiver that ended then once more, and not for ever", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using channel = channelTo(listener);
  await channel.send(messages("1"), patience());
  for (const heard of ["1 1", "1 11 2", "1 21 3", "1 31 4"]) {
    const conn = await listener.accept();
    await expectText(conn, heard);
    conn.close();
    await sendAgainAndAgain(channel, String(Number(heard.at(-1)) + 1));
  }
});

Deno.test("StreamChannel ends a connection that is idle, and forgets what was read", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using channel = channelTo(listener, 0);
  await channel.send(messages("one"), patience());
  assert.equal(await rest(await listener.accept()), "3 one");
  await channel.send(messages("two"), patience());
  assert.equal(await rest(await listener.accept()), "3 two");
});

Deno.test("StreamChannel lets nothing wait for an idle receiver longer than it is told to", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using channel = channelTo(listener, 0);
  await channel.send(messages("one"), patience());
  // It reads nothing, and does not close: the farewell takes its time.
  using conn = await listener.accept();
  await assert.rejects(channel.settle(AbortSignal.timeout(200)), { name: "TimeoutError" });
  await expectText(conn, "3 one");
});

Deno.test("StreamChannel has a receiver read everything before it may have much unread", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using channel = channelTo(listener);
  const text = "x".repeat(300_000);
  const heard = (async () => {
    const { length } = await rest(await listener.accept());
    assert.equal(length, 4 * 300_007);
    const second = await listener.accept();
    await expectText(second, `100000 ${"y".repeat(100_000)}`);
    return second;
  })();
  for (let i = 0; i < 4; i++) await channel.send(messages(text), patience());
  await channel.send(messages("y".repeat(100_000)), patience());
  (await heard).close();
});

Deno.test("StreamChannel takes nothing for delivered that the receiver's kernel has not acknowledged", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using channel = channelTo(listener);
  const [server] = await lookUpHost("127.0.0.1", listener.addr.port);
  await channel.send(messages("one"), patience());
  // It reads nothing: some time its kernel has no room for more, and ours has still.
  using conn = await listener.accept();
  const fd = descriptorOf(conn.remoteAddr.port, server?.bytes ?? new Uint8Array());
  assert.ok(fd !== undefined);
  const giveUp = AbortSignal.timeout(10_000);
  await assert.rejects(async () => {
    while (true) {
      await channel.send(messages("x".repeat(20_000)), AbortSignal.any([giveUp, AbortSignal.timeout(300)]));
      assert.equal(unsentBytes(fd), 0);
    }
  }, { name: "TimeoutError" });
});

Deno.test("StreamChannel.settle() says whether all has been read", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using channel = channelTo(listener);
  await channel.send(messages("one"), patience());
  const conn = await listener.accept();
  const settled = channel.settle(patience());
  assert.equal(await rest(conn), "3 one");
  await settled;
  await channel.send(messages("two"), patience());
  (await listener.accept()).close();
  await assert.rejects(channel.settle(patience()), /^SinkUnavailableError: syslog: .* has hung up/);
});

Deno.test("UnixChannel writes lines to a socket that is a stream, and knows when nobody reads them", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/log`;
  try {
    using channel = new UnixChannel(path);
    const listener = Deno.listen({ transport: "unix", path });
    const sent = channel.send(messages("one", "two"), patience());
    const conn = await listener.accept();
    await expectText(conn, "one\ntwo\n");
    assert.deepEqual(await sent, []);
    // Nobody reads this one: it is not taken for read when the reader is gone.
    const lost = channel.send(messages("three"), patience());
    conn.close();
    listener.close();
    await assert.rejects(lost, SinkUnavailableError);
    await assert.rejects(channel.send(messages("three"), patience()), {
      message: `syslog: nobody listens at ${path}: is the log's service running? See syslogURL`,
    });
    await Deno.remove(path);
    await assert.rejects(channel.send(messages("three"), patience()), {
      message: `syslog: there is no ${path}: is the log's service running? See syslogURL`,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("UdpChannel says that nobody listens where that is said, and refuses what no datagram holds", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  using channel = new UdpChannel("127.0.0.1", port);
  await assert.rejects(channel.send(messages("one"), patience()), {
    message: `syslog: nobody listens at udp://127.0.0.1:${port}: is the log's service running? See syslogURL`,
  });
  using large = new UdpChannel("127.0.0.1", port);
  assert.deepEqual(await large.send(messages("x".repeat(70_000)), patience()), [0]);
});

Deno.test("channels say that there is no such host", async () => {
  const message = "syslog: no such host: no.such.host.invalid: see syslogURL";
  using udp = new UdpChannel("no.such.host.invalid", 514);
  await assert.rejects(udp.send(messages("one"), patience()), { name: "SinkUnavailableError", message });
  using tcp = new StreamChannel({ host: "no.such.host.invalid", port: 514, certificates: undefined });
  await assert.rejects(tcp.send(messages("one"), patience()), { name: "SinkUnavailableError", message });
});

Deno.test("lookUpHost() knows addresses of both kinds, and names", async () => {
  assert.deepEqual((await lookUpHost("2001:db8::1", 514)).map(({ ip, bytes }) => [ip, bytes.length]), [
    ["2001:db8::1", 28],
  ]);
  assert.deepEqual(
    (await lookUpHost("192.0.2.7", 514)).map(({ ip, bytes }) => [ip, [...bytes.subarray(2, 8)]]),
    [
      ["192.0.2.7", [2, 2, 192, 0, 2, 7]],
    ],
  );
  assert.ok((await lookUpHost("localhost", 514)).some(({ ip }) => ip === "127.0.0.1" || ip === "::1"));
});

/** The first tries may meet the old connection. */
async function sendAgainAndAgain(channel: StreamChannel, text: string): Promise<void> {
  while (true) {
    try {
      await channel.send(messages(text), patience());
      return;
    } catch (error) {
      if (!(error instanceof SinkUnavailableError)) throw error;
    }
  }
}
