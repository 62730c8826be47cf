/** The config's keys that say who hears of what happens, and of what. */

import { headers, headerValue, hookUrl, httpUrl, isOpenOnItsWay } from "./addresses.ts";
import type { SettingReader } from "./setting_reader.ts";
import {
  type DatadogSettings,
  type NewRelicSettings,
  type OtlpSettings,
  SINK_NAMES,
  type SinkName,
  type SinkSettings,
  type SlackSettings,
  type SyslogSettings,
  type Wants,
  type WebhookSettings,
} from "./sink_settings.ts";
import { readSyslog } from "./syslog_keys.ts";
import { listOf, names, oneOf, trimmed, wholeNumber, yesOrNo } from "./values.ts";

/** All of them. */
export const SINK_KEYS: readonly string[] = [
  "slackEnabled",
  "slackURL",
  "slackChannel",
  "slackToken",
  "slackApiURL",
  "slackEmergencyChannel",
  "slackEmergencyURL",
  "datadogEnabled",
  "datadogKey",
  "datadogSite",
  "datadogURL",
  "datadogTags",
  "newRelicEnabled",
  "newRelicLicenseKey",
  "newRelicAccount",
  "newRelicRegion",
  "newRelicURL",
  "syslogURL",
  "syslogFacility",
  "syslogAppName",
  "otlpURL",
  "otlpHeaders",
  "webhookURL",
  "webhookSecret",
  "webhookHeaders",
  ...SINK_NAMES.flatMap((name) =>
    ["Events", "Users", "Hosts", "Tickets", "ExitCodes"].map((what) => `${name}${what}`)
  ),
];

/** Those whose values are secrets: whoever has a webhook's address can use it. */
export const SINK_SECRET_KEYS: readonly string[] = [
  "slackURL",
  "slackToken",
  "slackEmergencyURL",
  "datadogKey",
  "newRelicLicenseKey",
  "otlpHeaders",
  "webhookURL",
  "webhookSecret",
  "webhookHeaders",
];

/** Datadog, Getting started, Datadog sites. */
const DATADOG_SITES = [
  "datadoghq.com",
  "us3.datadoghq.com",
  "us5.datadoghq.com",
  "datadoghq.eu",
  "ap1.datadoghq.com",
  "ap2.datadoghq.com",
  "uk1.datadoghq.com",
  "ddog-gov.com",
  "us2.ddog-gov.com",
] as const;
const LONGEST_TAG = 200;
/** Shorter keys of a signature can be tried out. */
const SHORTEST_SECRET = 16;

/** Reads which sinks are switched on, and their keys; those of one that is not are not looked at. */
export function readSinks(reader: SettingReader): SinkSettings[] {
  return [
    slack(reader),
    datadog(reader),
    newRelic(reader),
    syslog(reader),
    otlp(reader),
    webhook(reader),
  ].filter((sink) => sink !== undefined);
}

/**
 * What is to be used is there, and nobody has switched it off: who sets an address or a key alone means it.
 *
 * @param needs the keys of which one must be there
 */
function isOn(reader: SettingReader, flag: string, needs: readonly string[]): boolean {
  const isThere = needs.some((key) => reader.isSet(key));
  const isOn = reader.readIfSet(flag, yesOrNo, isThere);
  if (isOn && !isThere) reader.wrong(flag, `needs ${needs.join(", or ")}`);
  return isOn && isThere;
}

function slack(reader: SettingReader): SlackSettings | undefined {
  if (!isOn(reader, "slackEnabled", ["slackURL", "slackToken"])) return undefined;
  const hasToken = reader.isSet("slackToken");
  if (hasToken && !reader.isSet("slackChannel")) {
    reader.wrong("slackToken", 'needs slackChannel, too: set slackChannel="#ops"');
  }
  for (const key of hasToken ? ["slackURL", "slackEmergencyURL"] : []) {
    if (reader.isSet(key)) reader.doubtful(key, "has no effect: there is slackToken");
  }
  if (!hasToken && reader.isSet("slackApiURL")) {
    reader.doubtful("slackApiURL", "has no effect without slackToken: a webhook's address is slackURL");
  }
  const url = hasToken ? "" : slackHook(reader, "slackURL");
  if (url !== "" && isSlacks(new URL(url))) warnOfChannels(reader);
  return {
    name: "slack",
    url,
    token: reader.readIfSet("slackToken", slackToken, ""),
    apiUrl: hasToken ? address(reader, "slackApiURL") : "",
    channel: reader.readIfSet("slackChannel", slackChannel, ""),
    emergencyChannel: reader.readIfSet("slackEmergencyChannel", slackChannel, ""),
    emergencyUrl: hasToken ? "" : slackHook(reader, "slackEmergencyURL"),
    wants: wants(reader, "slack", "sessions"),
  };
}

/** Slack's own; others that take the same, such as Mattermost's, go by the channel. */
function isSlacks({ hostname }: URL): boolean {
  return /(^|\.)slack(-gov)?\.com$/.test(hostname);
}

function warnOfChannels(reader: SettingReader): void {
  const mends = [
    ["slackChannel", "choose the channel where the webhook is made, or use slackToken"],
    ["slackEmergencyChannel", "set slackEmergencyURL to another webhook, or use slackToken"],
  ] as const;
  for (const [key, mend] of mends) {
    if (!reader.isSet(key)) continue;
    reader.doubtful(key, `counts for old webhooks alone (an app's has a channel of its own): ${mend}`);
  }
}

function slackHook(reader: SettingReader, key: string): string {
  const address = reader.readIfSet(key, slackHookUrl, "");
  warnOfOpen(reader, key, address);
  return address;
}

function slackHookUrl(value: string): string {
  const address = hookUrl(value);
  const found = new URL(address);
  const isWhole = isSlacks(found)
    ? /^\/services(\/[A-Za-z0-9]+){3}$/.test(found.pathname)
    : found.pathname !== "/";
  if (isWhole) return address;
  throw new Error(
    "is no address of an incoming webhook: such are https://hooks.slack.com/services/T.../B.../...",
  );
}

function slackToken(value: string): string {
  if (/^xox[a-z]-[\x21-\x7e]+$/.test(value)) return value;
  throw new Error("is no token of a Slack app: a bot's begins with xoxb-");
}

function slackChannel(value: string): string {
  const name = value.trim();
  if (/^[#@]?[^\s#@,]{1,80}$/.test(name)) return name;
  throw new Error("is no channel: write #ops, or a channel's ID, such as C0123456789");
}

function datadog(reader: SettingReader): DatadogSettings | undefined {
  if (!isOn(reader, "datadogEnabled", ["datadogKey"])) return undefined;
  return {
    name: "datadog",
    key: reader.readIfSet("datadogKey", headerValue, ""),
    site: reader.readIfSet("datadogSite", oneOf(...DATADOG_SITES), "datadoghq.com"),
    url: address(reader, "datadogURL"),
    tags: reader.readIfSet("datadogTags", (value) => names(value).map(datadogTag), []),
    wants: wants(reader, "datadog", "commands"),
  };
}

/** Datadog, Getting started, Tags: what it would change, or cut, is better not sent. */
function datadogTag(tag: string): string {
  if (tag.length <= LONGEST_TAG && /^\p{L}[\p{L}\p{N}_./-]*:[\p{L}\p{N}_.:/-]*[\p{L}\p{N}_./-]$/u.test(tag)) {
    return tag;
  }
  throw new Error(
    `has "${tag}" in it, which is no tag: write key:value, letters, digits and _-./ alone, a letter first`,
  );
}

function newRelic(reader: SettingReader): NewRelicSettings | undefined {
  if (!isOn(reader, "newRelicEnabled", ["newRelicLicenseKey"])) return undefined;
  const licenseKey = reader.readIfSet("newRelicLicenseKey", headerValue, "");
  // A key of any other region says which it is: eu01xx...
  const ofKey = licenseKey.startsWith("eu") ? "EU" : "US";
  const region = reader.readIfSet("newRelicRegion", oneOf("US", "EU"), ofKey);
  if (region !== ofKey) {
    reader.doubtful("newRelicRegion", `is not the region of newRelicLicenseKey: ${ofKey}`);
  }
  return {
    name: "newRelic",
    licenseKey,
    account: reader.readIfSet("newRelicAccount", account, ""),
    region,
    url: address(reader, "newRelicURL"),
    wants: wants(reader, "newRelic", "commands"),
  };
}

function account(value: string): string {
  if (/^[1-9][0-9]{0,15}$/.test(value)) return value;
  throw new Error("is no account's number: it stands in New Relic's address, as in /accounts/1234567");
}

function syslog(reader: SettingReader): SyslogSettings | undefined {
  const settings = reader.isSet("syslogURL") ? readSyslog(reader) : undefined;
  return settings && { ...settings, wants: wants(reader, "syslog", "commands") };
}

function otlp(reader: SettingReader): OtlpSettings | undefined {
  if (!reader.isSet("otlpURL")) return undefined;
  return {
    name: "otlp",
    url: address(reader, "otlpURL").replace(/\/v1\/logs$/, ""),
    headers: reader.readIfSet("otlpHeaders", headers, {}),
    wants: wants(reader, "otlp", "commands"),
  };
}

function webhook(reader: SettingReader): WebhookSettings | undefined {
  if (!reader.isSet("webhookURL")) return undefined;
  const url = reader.readIfSet("webhookURL", hookUrl, "");
  warnOfOpen(reader, "webhookURL", url);
  const secret = reader.settings.get("webhookSecret")?.value ?? "";
  if (secret !== "" && secret.length < SHORTEST_SECRET) {
    reader.doubtful("webhookSecret", `is short: openssl rand -hex 32 makes one that nobody finds out`);
  }
  return {
    name: "webhook",
    url,
    secret,
    headers: reader.readIfSet("webhookHeaders", headers, {}),
    wants: wants(reader, "webhook", "commands"),
  };
}

/** A service's address that is no secret; of one on the Internet, what stands before it here and talks as it does. */
function address(reader: SettingReader, key: string): string {
  const found = reader.readIfSet(key, httpUrl, "");
  warnOfOpen(reader, key, found);
  return found;
}

function warnOfOpen(reader: SettingReader, key: string, address: string): void {
  if (address === "" || !isOpenOnItsWay(address)) return;
  reader.doubtful(key, "is plain http: all texts can be read on their way; https is better");
}

function wants(reader: SettingReader, name: SinkName, otherwise: Wants["events"]): Wants {
  const events = reader.readIfSet(`${name}Events`, oneOf("sessions", "commands"), otherwise);
  if (events === "sessions" && reader.isSet(`${name}ExitCodes`)) {
    reader.doubtful(`${name}ExitCodes`, `has no effect: ${name} is told of sessions alone`);
  }
  const globs = (what: string) => reader.readIfSet(name + what, (value) => names(value).map(glob), []);
  return {
    events,
    users: globs("Users"),
    hosts: globs("Hosts"),
    tickets: globs("Tickets"),
    exitCodes: reader.readIfSet(`${name}ExitCodes`, exitCodes, "all"),
  };
}

function glob(name: string): string {
  if (name !== "!") return name;
  throw new Error("has a ! in it that stands for itself: write it before a name, as in !root");
}

function exitCodes(value: string): Wants["exitCodes"] {
  const word = trimmed(value);
  return word === "failed" || word === "all" ? word : listOf(exitCode)(value);
}

function exitCode(value: string): number {
  try {
    return wholeNumber(0, 255)(value);
  } catch {
    throw new Error('is not "failed", "all", or exit codes, such as "1,2,127"');
  }
}
