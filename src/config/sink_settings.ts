/** What the config says of the sinks, as types; `agent_settings.ts` reads it. */

/** Every sink, by its name in the config, in `srvaudit status` and in evidence; in the order in which they are shown. */
export const SINK_NAMES = ["slack", "datadog", "newRelic", "syslog", "otlp", "webhook"] as const;

/** One of them. */
export type SinkName = typeof SINK_NAMES[number];

/** What a sink wants to hear. Empty lists want everything. */
export interface Wants {
  /** Commands too, or only what is said of sessions. Emergencies and tamper are always told. */
  events: "sessions" | "commands";
  /** Globs (`*`, `?`); with `!` before it, one that is not wanted. */
  users: readonly string[];
  hosts: readonly string[];
  tickets: readonly string[];
  /** Of commands: these exit codes alone; `failed` is every one but 0. */
  exitCodes: "all" | "failed" | readonly number[];
}

interface Common {
  wants: Wants;
}

/** A webhook of Slack's, or its API with a bot's token: one message a session, with a thread. */
export interface SlackSettings extends Common {
  name: "slack";
  /** Incoming webhook; empty where there is a token. */
  url: string;
  /** Bot token; empty where there is a webhook. */
  token: string;
  /** `slackApiURL`: a relay to talk to in place of https://slack.com/api, without a slash at its end; empty for none. */
  apiUrl: string;
  channel: string;
  /** Where emergencies go instead; empty for the same. */
  emergencyChannel: string;
  emergencyUrl: string;
}

export interface DatadogSettings extends Common {
  name: "datadog";
  key: string;
  /** As in `datadoghq.eu`. */
  site: string;
  /** `datadogURL`: a relay to talk to in place of the site, without a slash at its end; empty for none. */
  url: string;
  /** `key:value`. */
  tags: readonly string[];
}

export interface NewRelicSettings extends Common {
  name: "newRelic";
  licenseKey: string;
  /** Whose custom events; empty for logs alone. */
  account: string;
  region: "US" | "EU";
  /** `newRelicURL`: a relay to talk to in place of the region's, without a slash at its end; empty for none. */
  url: string;
}

export interface SyslogSettings extends Common {
  name: "syslog";
  transport: "udp" | "tcp" | "tls" | "unix";
  /** Of unix the socket's path. */
  host: string;
  port: number;
  /** 0 to 23. */
  facility: number;
  appName: string;
}

export interface OtlpSettings extends Common {
  name: "otlp";
  /** Without `/v1/logs`. */
  url: string;
  headers: Readonly<Record<string, string>>;
}

export interface WebhookSettings extends Common {
  name: "webhook";
  url: string;
  /** The key of the signature; empty for none. */
  secret: string;
  headers: Readonly<Record<string, string>>;
}

/** One of them. */
export type SinkSettings =
  | SlackSettings
  | DatadogSettings
  | NewRelicSettings
  | SyslogSettings
  | OtlpSettings
  | WebhookSettings;
