/** The config's keys that say which tracker this host works with, and how it is reached. */

import { messageOf } from "../terminal/message_of.ts";
import { headerValue, httpUrl, isOpenOnItsWay } from "./addresses.ts";
import type { SettingReader } from "./setting_reader.ts";
import type { JiraSettings, NetworkSettings, RedmineSettings, TrackerSettings } from "./tracker_settings.ts";
import { absolutePath, listOf, names, oneOf, trimmed, wholeNumber, yesOrNo } from "./values.ts";

/** All of them. */
export const TRACKER_KEYS: readonly string[] = [
  "pms",
  "redmineURL",
  "redmineKey",
  "redmineProject",
  "redmineTracker",
  "redmineFields",
  "redmineFormat",
  "redmineActivity",
  "jiraURL",
  "jiraProjectKey",
  "jiraMail",
  "jiraToken",
  "jiraEdition",
  "jiraIssueType",
  "jiraFields",
  "trackerUsers",
  "trackerMailDomain",
  "trackerUnknownUsers",
  "logTime",
  "storySeconds",
  "proxy",
  "noProxy",
  "caFile",
];

/** Those whose values are secrets. */
export const TRACKER_SECRET_KEYS: readonly string[] = ["redmineKey", "jiraToken", "proxy"];

/** Reads which tracker is chosen, and its keys; those of one that is not chosen are not looked at. */
export function readTracker(reader: SettingReader): TrackerSettings {
  switch (reader.readIfSet("pms", chosen, "local")) {
    case "Redmine":
      return redmine(reader);
    case "Jira":
      return jira(reader);
    case "local":
      return { kind: "local" };
  }
}

/** Reads how what is not on this host is reached. */
export function readNetwork(reader: SettingReader): NetworkSettings {
  return {
    proxy: reader.readIfSet("proxy", proxy, ""),
    noProxy: reader.readIfSet("noProxy", hosts, []),
    caFile: reader.readIfSet("caFile", certificates, ""),
  };
}

function redmine(reader: SettingReader): RedmineSettings {
  return {
    kind: "Redmine",
    url: url(reader, "redmineURL"),
    key: secret(reader, "redmineKey"),
    ...common(reader),
    projects: reader.readIfSet("redmineProject", listOf(redmineProject), []),
    newTicketType: reader.readIfSet("redmineTracker", trimmed, ""),
    fields: reader.readIfSet("redmineFields", (value) => pairs(value, ";"), pairs("", ";")),
    format: reader.readIfSet("redmineFormat", oneOf("textile", "markdown", "common_mark"), "textile"),
    activity: reader.readIfSet("redmineActivity", trimmed, ""),
  };
}

function jira(reader: SettingReader): JiraSettings {
  const edition = reader.readIfSet("jiraEdition", oneOf("cloud", "server"), "ask");
  if (edition === "cloud" && !reader.isSet("jiraMail")) {
    reader.wrong("jiraEdition", "needs jiraMail, too: the e-mail address that jiraToken belongs to");
  }
  return {
    kind: "Jira",
    url: url(reader, "jiraURL"),
    token: secret(reader, "jiraToken"),
    mail: reader.readIfSet("jiraMail", mail, ""),
    edition,
    ...common(reader),
    projects: reader.readIfSet("jiraProjectKey", listOf(jiraProject), []),
    newTicketType: reader.readIfSet("jiraIssueType", trimmed, ""),
    fields: reader.readIfSet("jiraFields", (value) => pairs(value, ";"), pairs("", ";")),
  };
}

function common(reader: SettingReader) {
  return {
    users: reader.readIfSet("trackerUsers", (value) => pairs(value, ","), pairs("", ",")),
    mailDomain: reader.readIfSet("trackerMailDomain", domain, ""),
    unknownUsers: reader.readIfSet("trackerUnknownUsers", oneOf("allow", "deny"), "allow"),
    logsTime: reader.readIfSet("logTime", yesOrNo, false),
    storySeconds: reader.readIfSet("storySeconds", wholeNumber(1, 3600), 30),
  };
}

/** A key that the chosen tracker cannot do without. */
function needed(
  reader: SettingReader,
  key: string,
  example: string,
  read: (value: string) => string,
): string {
  if (!reader.isSet(key)) reader.wrong("pms", `needs ${key}: set ${key}="${example}"`);
  return reader.readIfSet(key, read, "");
}

function url(reader: SettingReader, key: "redmineURL" | "jiraURL"): string {
  const address = needed(reader, key, `https://${key.slice(0, -3)}.example.com`, httpUrl);
  if (address !== "" && isOpenOnItsWay(address)) {
    reader.doubtful(key, "is plain http: the key and all texts can be read on their way; https is better");
  }
  return address;
}

function secret(reader: SettingReader, key: "redmineKey" | "jiraToken"): string {
  return needed(reader, key, "...", headerValue);
}

function chosen(value: string): TrackerSettings["kind"] {
  switch (value.toLowerCase()) {
    case "0":
      return "local";
    case "redmine":
      return "Redmine";
    case "jira":
      return "Jira";
    default:
      throw new Error("is not one of: jira, Redmine, 0 (the agent keeps the tickets itself)");
  }
}

/** Goes before a colon. */
function mail(value: string): string {
  if (!/^[^\s:@]+@[^\s:@]+$/.test(value)) throw new Error("is no e-mail address");
  return value;
}

function domain(value: string): string {
  const name = value.replace(/^@/, "");
  if (!/^[^\s@,]+$/.test(name)) throw new Error("is no domain, such as corp.example");
  return name;
}

function redmineProject(name: string): string {
  if (/^[a-z0-9_-]+$/.test(name)) return name;
  throw new Error(
    `has "${name}" in it, which is no project's identifier: it stands in the project's address, as in /projects/web-servers`,
  );
}

function jiraProject(name: string): string {
  const key = name.toUpperCase();
  if (/^[A-Z][A-Z0-9_]*$/.test(key)) return key;
  throw new Error(`has "${name}" in it, which is no project's key: OPS is the one of OPS-17`);
}

/** `name=value`, several of them. Without a prototype: a user may be called `constructor`. */
function pairs(value: string, separator: "," | ";"): Record<string, string> {
  const found: Record<string, string> = Object.create(null);
  for (const pair of value.split(separator).map(trimmed)) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(at, 0)).trim();
    if (name === "") throw new Error(`has "${pair}" in it, which is no name=value`);
    found[name] = pair.slice(at + 1).trim();
  }
  return found;
}

function proxy(value: string): string {
  const found = URL.parse(value);
  if (!found || found.protocol !== "http:" || found.pathname + found.search + found.hash !== "/") {
    throw new Error(
      'is no address of a proxy: write proxy="http://host:port", or "http://user:password@host:port"',
    );
  }
  try {
    decodeURIComponent(found.username + found.password);
  } catch {
    throw new Error("has a % in its user or password that begins no code: write %25 for it");
  }
  return found.href.replace(/\/$/, "");
}

/** Names of hosts, with all below them: a `*.` or a dot in front says the same. */
function hosts(value: string): string[] {
  return names(value).map((name) => name.toLowerCase().replace(/^\*?\./, ""));
}

/** A file that is there, with certificates. */
function certificates(value: string): string {
  const path = absolutePath(value);
  if (!readText(path).includes("-----BEGIN CERTIFICATE-----")) {
    throw new Error("has no certificate in it (PEM)");
  }
  return path;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new Error(`cannot be read: ${messageOf(error)}`);
  }
}
