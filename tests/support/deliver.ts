/** What a test of a sink needs beside its receiver. */

import type { Wants } from "../../src/config/sink_settings.ts";
import type { NetworkSettings } from "../../src/config/tracker_settings.ts";
import type { SinkNews } from "../../src/sinks/news.ts";
import type { Outcome, Sink } from "../../src/sinks/sink.ts";

/** No proxy, and no CA of its own. */
export const NETWORK: NetworkSettings = { proxy: "", noProxy: [], caFile: "" };

/** Everything, commands too. */
export const ALL: Wants = { events: "commands", users: [], hosts: [], tickets: [], exitCodes: "all" };

/** Tells a sink that has nothing to remember. */
export function deliver(
  sink: Sink,
  batch: readonly SinkNews[],
  signal: AbortSignal = new AbortController().signal,
): Promise<Outcome> {
  return sink.deliver(batch, { get: () => undefined, set: () => {} }, signal);
}
