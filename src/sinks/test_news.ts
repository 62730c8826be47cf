/** Whether a sink works: one marked news is sent through it, which says that nothing has happened. */

import type { SinkName } from "../config/sink_settings.ts";
import { patiently } from "../net/patience.ts";
import { nowUs } from "../record/clock.ts";
import { messageOf } from "../terminal/message_of.ts";
import type { SinkNews } from "./news.ts";
import { type Sink, SinkUnavailableError } from "./sink.ts";

/** What came back. */
export interface TestAnswer {
  /** Whether it was taken. */
  ok: boolean;
  /** What the receiver said, or what went wrong; no secret is in it. */
  answer: string;
}

/**
 * Sends a marked news, past all that waits.
 *
 * @param host this host's name
 * @param limitMs how long that may take
 * @throws the signal's reason
 *
 * @example
 * ```ts
 * using sink = openSink(settings, network);
 * const { ok, answer } = await sendTest(sink, Deno.hostname(), 10_000);
 * ```
 */
export async function sendTest(
  sink: Sink,
  host: string,
  limitMs: number,
  signal: AbortSignal = new AbortController().signal,
): Promise<TestAnswer> {
  const memory = new Map<string, string | null>();
  const { name } = sink;
  try {
    const { refused, answer } = await patiently(
      limitMs,
      signal,
      () => new SinkUnavailableError(`${name} has not answered in ${limitMs / 1000} s`),
      (end) =>
        sink.deliver(
          [testNews(name, host)],
          { get: (key) => memory.get(key) ?? undefined, set: (key, value) => memory.set(key, value) },
          end,
        ),
    );
    const [no] = refused;
    return no ? { ok: false, answer: no.reason } : { ok: true, answer };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, answer: messageOf(error) };
  }
}

function testNews(name: SinkName, host: string): SinkNews {
  return {
    id: crypto.randomUUID(),
    seq: 0,
    kind: "test",
    atUs: nowUs(),
    host,
    session: null,
    ticket: null,
    ticketUrl: null,
    text: `srvAudit's test of ${name}: nothing has happened`,
  };
}
