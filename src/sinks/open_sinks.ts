/** Makes a sink that the config names. */

import type { SinkSettings } from "../config/sink_settings.ts";
import type { NetworkSettings } from "../config/tracker_settings.ts";
import { DatadogSink } from "./datadog/datadog_sink.ts";
import { NewRelicSink } from "./new_relic/new_relic_sink.ts";
import { OtlpSink } from "./otlp/otlp_sink.ts";
import type { Sink } from "./sink.ts";
import { SlackSink } from "./slack/slack_sink.ts";
import { SyslogSink } from "./syslog/syslog_sink.ts";
import { WebhookSink } from "./webhook/webhook_sink.ts";

/**
 * @param network how to reach what is not on this host
 * @throws {Error} if there can be no such sink: a CA file that cannot be read
 */
export function openSink(settings: SinkSettings, network: NetworkSettings): Sink {
  switch (settings.name) {
    case "slack":
      return new SlackSink(settings, network);
    case "datadog":
      return new DatadogSink(settings, network);
    case "newRelic":
      return new NewRelicSink(settings, network);
    case "syslog":
      return new SyslogSink(settings, network);
    case "otlp":
      return new OtlpSink(settings, network);
    case "webhook":
      return new WebhookSink(settings, network);
  }
}
