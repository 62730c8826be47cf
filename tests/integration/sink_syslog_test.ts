import assert from "node:assert/strict";
import fc from "fast-check";
import type { SinkNews } from "../../src/sinks/news.ts";
import { type Outcome, type SinkMemory, SinkUnavailableError } from "../../src/sinks/sink.ts";
import { syslogMessage } from "../../src/sinks/syslog/message.ts";
import { UnixChannel } from "../../src/sinks/syslog/socket_channel.ts";
import { SyslogSink } from "../../src/sinks/syslog/syslog_sink.ts";
import { visible } from "../../src/terminal/visible.ts";
import { errorOfSocket } from "../../src/posix/client_socket.ts";
import { close } from "../../src/posix/unix_socket.ts";
import { lookUpHost } from "../../src/posix/name_lookup.ts";
import { testThatNeeds } from "../support/needs.ts";
import { type HeardMessage, Rsyslog } from "../support/rsyslog.ts";
import { makeCommandNews, makeNews, NEWS_KINDS } from "../support/sink_news.ts";

const NEEDS = ["rsyslogd", "openssl"];
const NO_MEMORY: SinkMemory = { get: () => undefined, set: () => {} };
const NETWORK = { proxy: "", noProxy: [], caFile: "" };
// What FFI opens stays open: here it is no test's.
await lookUpHost("127.0.0.1", 514);
errorOfSocket(-1);
close(-1);

function deliver(
  sink: SyslogSink,
  batch: readonly SinkNews[],
  patienceMs = 20_000,
): Promise<Outcome> {
  return sink.deliver(batch, NO_MEMORY, AbortSignal.timeout(patienceMs));
}

/** As the dispatcher does it: again and again. */
async function deliverAtLast(sink: SyslogSink, batch: readonly SinkNews[]): Promise<void> {
  while (true) {
    try {
      await deliver(sink, batch);
      return;
    } catch (error) {
      const isTemporary = error instanceof SinkUnavailableError ||
        (error instanceof DOMException && error.name === "TimeoutError");
      if (!isTemporary) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** As a receiver does it that drops what it has had. */
function withoutSeconds(heard: readonly HeardMessage[]): (string | undefined)[] {
  return [...new Set(heard.map(({ params }) => params?.id))];
}

function ids(news: readonly SinkNews[]): string[] {
  return news.map(({ id }) => id);
}

function manyCommands(count: number): SinkNews[] {
  return Array.from({ length: count }, (_, i) => makeCommandNews(`echo ${i} ${"x".repeat(500)}`));
}

function batchesOf(news: readonly SinkNews[], size: number): SinkNews[][] {
  return Array.from(
    { length: Math.ceil(news.length / size) },
    (_, i) => news.slice(i * size, (i + 1) * size),
  );
}

testThatNeeds(
  NEEDS,
  "a real rsyslog hears of every kind of news, in its order, on every way to it",
  async () => {
    for (const driver of ["ossl", "gtls"] as const) {
      await using rsyslog = await Rsyslog.start({ driver });
      let before = 0;
      for (const transport of ["tcp", "tls", "udp", "unix"] as const) {
        using sink = new SyslogSink(rsyslog.settings(transport), rsyslog.network);
        const batch = NEWS_KINDS.map((kind) => makeNews(kind));
        const { refused, answer } = await deliver(sink, batch);
        assert.deepEqual(refused, []);
        assert.equal(
          answer.replace(rsyslog.folder, "").replace(/:[0-9]+/, ":PORT"),
          {
            tcp: "tcp://127.0.0.1:PORT has read it: syslog has no other answer",
            tls: "tls://127.0.0.1:PORT has read it: syslog has no other answer",
            udp: "sent to udp://127.0.0.1:PORT: nobody says whether a datagram arrives",
            unix: "/syslog.sock has been read",
          }[transport],
        );
        const heard = (await rsyslog.hears(before + batch.length)).slice(before);
        before += batch.length;
        assert.deepEqual(heard.map(({ params }) => params?.id), ids(batch));
        assert.deepEqual(heard.map(({ params }) => params?.kind), NEWS_KINDS);
        assert.deepEqual(heard.map(({ msgid }) => msgid), NEWS_KINDS.map((kind) => kind.replace(" ", "-")));
        const [opened, , command] = heard;
        assert.equal(opened?.msg, "alice (OPS-17) opened a session from 192.0.2.7");
        assert.equal(command?.msg, "alice (OPS-17) exit 0: $ systemctl restart nginx");
        assert.deepEqual(
          [command?.hostname, command?.["app-name"], command?.procid, command?.syslogfacility],
          ["web1.corp.example", "srvaudit", String(Deno.pid), "10"],
        );
        assert.equal(command?.params?.exitcode, "0");
      }
    }
  },
);

testThatNeeds(NEEDS, "any text arrives in rsyslog as the same text, and as nothing else", async () => {
  await using rsyslog = await Rsyslog.start();
  const texts = fc.sample(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.string({ unit: "grapheme", maxLength: 300 }),
      fc.array(
        fc.constantFrom(
          "\n",
          "\r\n",
          "<13>1 - - - - - -",
          '"',
          "]",
          "\\",
          "[x@1 a=",
          "\0",
          "#012",
          "9 ",
          "\x1b",
        ),
      )
        .map((parts) => parts.join("")),
      fc.constantFrom('" user="root', '"] [origin ip="1.2.3.4"] forged', "\ud800", "\ufeff", "%msg%", "\\\n"),
    ),
    { numRuns: 400, seed: Math.trunc(Math.random() * 2 ** 31) },
  ).filter((text) => text !== "");
  let before = 0;
  for (const transport of ["tcp", "unix", "udp"] as const) {
    using sink = new SyslogSink(rsyslog.settings(transport), rsyslog.network);
    for (const batch of batchesOf(texts.map((text) => makeCommandNews(text)), 50)) {
      await deliver(sink, batch);
      // Those of UDP are lost where nobody reads in time.
      const heard = (await rsyslog.hears(before + batch.length)).slice(before);
      before += batch.length;
      assert.deepEqual(ids(batch), heard.map(({ params }) => params?.id));
      for (const [i, { params, dataIds, hostname, msg, procid, msgid }] of heard.entries()) {
        const text = visible(batch[i]?.command?.text.toWellFormed() ?? "");
        assert.equal(params?.text, text);
        assert.equal(msg, `alice (OPS-17) exit 0: $ ${text}`);
        assert.deepEqual(dataIds, ["srvaudit@32473"]);
        assert.deepEqual([params?.user, hostname, procid, msgid], [
          "alice",
          "web1.corp.example",
          String(Deno.pid),
          "command",
        ]);
        assert.deepEqual(Object.keys(params ?? {}), Object.keys(heard[0]?.params ?? {}));
      }
    }
  }
  assert.equal((await rsyslog.heard()).length, before);
});

testThatNeeds(NEEDS, "what is written for the host's own log is understood where syslog(3) is", async () => {
  await using rsyslog = await Rsyslog.start();
  using channel = new UnixChannel(rsyslog.localSocket);
  const writer = { facility: 10, appName: "srvaudit", processId: 4711, mostBytes: 8192, isLocal: true };
  const news = makeCommandNews("make\ninstall", { exitCode: 2 });
  await channel.send([syslogMessage(news, writer)], AbortSignal.timeout(20_000));
  const [heard] = await rsyslog.hears(1);
  assert.deepEqual(
    [heard?.programname, heard?.procid, heard?.syslogfacility, heard?.syslogseverity],
    ["srvaudit", "4711", "10", "4"],
  );
  assert.ok(heard?.msg.startsWith(`[srvaudit@32473 id="${news.id}" kind="command"`), heard?.msg);
  assert.ok(heard?.msg.endsWith('text="make^Jinstall"] alice (OPS-17) exit 2: $ make^Jinstall'), heard?.msg);
});

testThatNeeds(NEEDS, "texts that are too long are cut before rsyslog cuts them", async () => {
  await using rsyslog = await Rsyslog.start();
  let count = 0;
  for (const [transport, most] of [["tcp", 8096], ["udp", 1400], ["unix", 8096]] as const) {
    using sink = new SyslogSink(rsyslog.settings(transport), rsyslog.network);
    await deliver(sink, [makeCommandNews('é"'.repeat(10_000), { exitCode: 3 })]);
    const heard = (await rsyslog.hears(++count)).at(-1);
    assert.ok(heard && new TextEncoder().encode(heard.rawmsg).length <= most);
    assert.match(heard.msg, / \[[0-9]+ more characters\]$/);
    assert.equal((heard.params?.text?.length ?? 0) + Number(heard.params?.cut), 20_000);
    assert.deepEqual([heard.params?.exitcode, heard.params?.ticket], ["3", "OPS-17"]);
  }
});

for (
  const [transport, signal, count] of [
    ["tcp", "SIGTERM", 3_000],
    ["tls", "SIGTERM", 3_000],
    ["unix", "SIGTERM", 3_000],
    // Less than what is kept until it is known to be read: so not even what it has read and not written is lost.
    ["tcp", "SIGKILL", 600],
    ["tls", "SIGKILL", 600],
  ] as const
) {
  testThatNeeds(
    NEEDS,
    `nothing is lost, or out of order, when rsyslog ends in the middle (${transport}, ${signal})`,
    async () => {
      await using rsyslog = await Rsyslog.start();
      using sink = new SyslogSink(rsyslog.settings(transport), rsyslog.network);
      const news = manyCommands(count);
      const all = (async () => {
        for (const batch of batchesOf(news, 50)) await deliverAtLast(sink, batch);
      })();
      for (const part of [0.1, 0.4, 0.7]) {
        await rsyslog.hears(count * part);
        await rsyslog.end(signal);
        await rsyslog.startAgain();
      }
      await all;
      await deliverAtLast(sink, [makeNews("test")]);
      const heard = await rsyslog.heardAllOf(ids(news));
      assert.deepEqual(withoutSeconds(heard).slice(0, count), ids(news));
    },
  );
}

for (const transport of ["tcp", "tls", "unix"] as const) {
  testThatNeeds(
    NEEDS,
    `a rsyslog that reads nothing holds up nobody, and misses nothing (${transport})`,
    async () => {
      await using rsyslog = await Rsyslog.start();
      using sink = new SyslogSink(rsyslog.settings(transport), rsyslog.network);
      const first = manyCommands(10);
      await deliver(sink, first);
      rsyslog.stop();
      // Of a unix socket not even one counts that the kernel has room for.
      if (transport === "unix") {
        const one = makeNews("note");
        await assert.rejects(deliver(sink, [one], 300), { name: "TimeoutError" });
        first.push(one);
      }
      // More than the kernel keeps for somebody who does not read.
      const batches = batchesOf(manyCommands(9_000), 1_000);
      const signal = AbortSignal.timeout(1_000);
      await assert.rejects(async () => {
        for (const batch of batches) await sink.deliver(batch, NO_MEMORY, signal);
      }, { name: "TimeoutError" });
      rsyslog.goOn();
      for (const batch of batches) await deliverAtLast(sink, batch);
      const news = [...first, ...batches.flat()];
      assert.deepEqual(withoutSeconds(await rsyslog.heardAllOf(ids(news))), ids(news));
    },
  );
}

testThatNeeds(NEEDS, "syslog by TLS trusts the CA of caFile, and nobody who is somebody else", async () => {
  await using rsyslog = await Rsyslog.start();
  const why = async (settings = rsyslog.settings("tls"), network = rsyslog.network) => {
    using sink = new SyslogSink(settings, network);
    return await deliver(sink, [makeNews("note")]).then(({ answer }) => answer, (error) => {
      assert.ok(error instanceof SinkUnavailableError, String(error));
      return error.message;
    });
  };
  const port = rsyslog.tlsPort;
  assert.match(await why(), /^tls:.* has acknowledged it/);
  assert.match(await why(rsyslog.settings("tls", { host: "localhost" })), /^tls:.* has acknowledged it/);
  assert.equal(
    await why(rsyslog.settings("tls"), NETWORK),
    "syslog: its certificate is signed by nobody whom this host trusts: name a file with the CA's certificate in caFile",
  );
  await using other = await Rsyslog.start({ certificate: "of another host" });
  assert.equal(
    await why(other.settings("tls", { host: "localhost" }), other.network),
    "syslog: its certificate is not for localhost, but for other.example: see syslogURL",
  );
  assert.equal((await rsyslog.hears(2)).length, 2);
  assert.equal((await other.heard()).length, 0);
  await rsyslog.end("SIGKILL");
  assert.equal(await why(), `syslog: connection refused by 127.0.0.1:${port}: is it running? See syslogURL`);
});
