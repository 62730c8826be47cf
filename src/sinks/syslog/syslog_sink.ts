/** Syslog: every news one message of RFC 5424. */

import type { SyslogSettings } from "../../config/sink_settings.ts";
import type { NetworkSettings } from "../../config/tracker_settings.ts";
import { systemCertificates } from "../../net/ca_certificates.ts";
import { messageOf } from "../../terminal/message_of.ts";
import type { SinkNews } from "../news.ts";
import type { Limits, Outcome, Sink, SinkMemory } from "../sink.ts";
import type { Channel } from "./channel.ts";
import { syslogMessage, type Writer } from "./message.ts";
import { UdpChannel, UnixChannel } from "./socket_channel.ts";
import { StreamChannel } from "./stream_channel.ts";

/** What rsyslog takes if nobody says otherwise; it makes two messages of a longer one. RFC 5424 and 5425 ask for 2048 at least. */
const USUAL_BYTES = 8_096;
/** RFC 5426, 3.2: a datagram that is not taken apart on its way through nearly any network. */
const DATAGRAM_BYTES = 1_400;
/** The length before a message, with its blank. */
const FRAME_BYTES = 5;
/** What listens there knows what syslog(3) writes, and no RFC 5424: journald, and rsyslog and syslog-ng in its place. */
const LOCAL_LOG = /^\/dev\/log$|^\/run\/systemd\/journal\//;

/**
 * Tells a syslog server, or the host's own log. No proxy is asked for it.
 *
 * @example
 * ```ts
 * const outcome = await new SyslogSink(settings, network).deliver(batch, memory, signal);
 * ```
 */
export class SyslogSink implements Sink {
  readonly name = "syslog";
  readonly limits: Limits = { count: 1_000, bytes: 256 * 1024, lingerMs: 200, paceMs: 0 };
  readonly #settings: SyslogSettings;
  readonly #writer: Writer;
  readonly #channel: Channel;
  /** What was measured is not written again. */
  readonly #messages = new WeakMap<SinkNews, Uint8Array<ArrayBuffer>>();

  /** @throws {Error} for a CA file that cannot be read */
  constructor(settings: SyslogSettings, network: NetworkSettings) {
    this.#settings = settings;
    const { facility, appName, transport, host } = settings;
    this.#writer = {
      facility,
      appName,
      processId: Deno.pid,
      mostBytes: transport === "udp" ? DATAGRAM_BYTES : USUAL_BYTES,
      isLocal: transport === "unix" && LOCAL_LOG.test(host),
    };
    this.#channel = channelTo(settings, network);
  }

  [Symbol.dispose](): void {
    this.#channel[Symbol.dispose]();
  }

  sizeOf(news: SinkNews): number {
    return this.#messageOf(news).length + FRAME_BYTES;
  }

  async deliver(batch: readonly SinkNews[], _memory: SinkMemory, signal: AbortSignal): Promise<Outcome> {
    const messages = batch.map((news) => this.#messageOf(news));
    const tooLong = await this.#channel.send(messages, signal);
    // Somebody waits for the answer: it can be a better one than after any other batch.
    const isTest = batch.some(({ kind }) => kind === "test");
    if (isTest && this.#channel instanceof StreamChannel) await this.#channel.settle(signal);
    const refused = tooLong.flatMap((place) => {
      const id = batch[place]?.id;
      return id === undefined
        ? []
        : [{ id, reason: `the kernel sends no datagram of ${messages[place]?.length} bytes` }];
    });
    return { refused, answer: this.#answer(isTest) };
  }

  #messageOf(news: SinkNews): Uint8Array<ArrayBuffer> {
    const known = this.#messages.get(news);
    if (known) return known;
    const message = syslogMessage(news, this.#writer);
    this.#messages.set(news, message);
    return message;
  }

  #answer(isSettled: boolean): string {
    const { transport, host, port } = this.#settings;
    switch (transport) {
      case "udp":
        return `sent to udp://${host}:${port}: nobody says whether a datagram arrives`;
      case "unix":
        return `${host} has been read`;
      default:
        return `${transport}://${host}:${port} has ${
          isSettled ? "read" : "acknowledged"
        } it: syslog has no other answer`;
    }
  }
}

function channelTo({ transport, host, port }: SyslogSettings, { caFile }: NetworkSettings): Channel {
  switch (transport) {
    case "udp":
      return new UdpChannel(host, port);
    case "unix":
      return new UnixChannel(host);
    case "tcp":
      return new StreamChannel({ host, port, certificates: undefined });
    case "tls":
      return new StreamChannel({ host, port, certificates: certificatesWith(caFile) });
  }
}

function certificatesWith(caFile: string): string[] {
  const certificates = systemCertificates();
  if (caFile === "") return certificates;
  try {
    certificates.push(Deno.readTextFileSync(caFile));
    // Nothing else says at once whether certificates can be used.
    Deno.createHttpClient({ caCerts: certificates }).close();
    return certificates;
  } catch (error) {
    throw new Error(`caFile="${caFile}" cannot be used: ${messageOf(error)}`);
  }
}
