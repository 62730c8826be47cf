/** Makes the sinks that the config names. */

import type { SinkSettings } from "../config/sink_settings.ts";
import type { NetworkSettings } from "../config/tracker_settings.ts";
import type { Sink } from "./sink.ts";

/**
 * @param network how to reach what is not on this host
 * @throws {Error} if there can be no such sink: a CA file that cannot be read
 */
export function openSink(settings: SinkSettings, _network: NetworkSettings): Sink {
  throw new Error(`this version has no ${settings.name}`);
}

/** @throws as `openSink` */
export function openSinks(settings: readonly SinkSettings[], network: NetworkSettings): Sink[] {
  return settings.map((one) => openSink(one, network));
}
