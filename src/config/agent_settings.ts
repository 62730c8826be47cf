/** All that the agent reads of `/etc/srvaudit/config`: the policy that it publishes, and what it alone must know. */

import * as z from "zod/mini";
import { ConfigError, parseLine, type Setting } from "./key_values.ts";
import { nearestWord } from "./nearest_word.ts";
import { type Policy, POLICY_KEYS, policyOf } from "./policy.ts";

/** How much the agent's log tells. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** What the agent works by. */
export interface AgentSettings {
  /** What logins are told. */
  policy: Policy;
  /** For how many days evidence is kept at least; 0 keeps it for ever. */
  retentionDays: number;
  /** How large evidence.db may become, in megabytes (of 1,000,000 bytes); 0 for no limit. */
  evidenceMaxMegabytes: number;
  /** After how many days a spool file that is in evidence goes, though its user's history has not taken it in. */
  spoolDays: number;
  /** How much all spool files together may be, in megabytes. */
  spoolMaxMegabytes: number;
  logLevel: LogLevel;
}

/** What is to be said of a config file. */
export interface ConfigReport {
  /** Undefined where there are errors. */
  settings: AgentSettings | undefined;
  /** For each a message that names file, line and key, in the order of the file. */
  errors: string[];
  /** The same, for what does no harm and may yet not be what was meant. */
  warnings: string[];
}

/** A megabyte is a million bytes. */
const MOST_MEGABYTES = 100_000_000;
const MOST_DAYS = 36_500;

const AGENT_KEYS = z.object({
  retentionDays: wholeNumber(0, MOST_DAYS, 365),
  evidenceMaxMegabytes: wholeNumber(0, MOST_MEGABYTES, 0),
  spoolDays: wholeNumber(1, MOST_DAYS, 30),
  spoolMaxMegabytes: wholeNumber(1, MOST_MEGABYTES, 1024),
  logLevel: z._default(
    z.enum(["debug", "info", "warning", "error"], "is not one of: debug, info, warning, error"),
    "info",
  ),
});

/** Keys of the integrations, which are to come. */
const UNUSED_KEYS: readonly string[] = [
  "pms",
  "jiraURL",
  "jiraProjectKey",
  "redmineURL",
  "redmineKey",
  "slackEnabled",
  "slackURL",
  "slackChannel",
  "newRelicEnabled",
  "newRelicLicenseKey",
];
/** Keys whose values are secrets: whoever has a webhook's URL can use it. */
export const SECRET_KEYS: readonly string[] = ["redmineKey", "slackURL", "newRelicLicenseKey"];
const ASKS_FOR_NOTHING: readonly string[] = ["", "0", "no", "false"];

const KNOWN_KEYS: readonly string[] = [...POLICY_KEYS, ...Object.keys(AGENT_KEYS.shape), ...UNUSED_KEYS];

/**
 * @param text the config's text
 * @param file its path, for messages
 * @throws {ConfigError} with a line for each thing that is wrong
 *
 * @example
 * ```ts
 * agentSettings('retentionDays="90"', "/etc/srvaudit/config").retentionDays; // 90
 * ```
 */
export function agentSettings(text: string, file: string): AgentSettings {
  const { settings, errors } = checkConfig(text, file);
  if (!settings) throw new ConfigError(errors.join("\n"));
  return settings;
}

/**
 * Reads a config file wholly, whatever is wrong with it.
 *
 * @param text the config's text
 * @param file its path, for messages
 */
export function checkConfig(text: string, file: string): ConfigReport {
  const errors = new Findings(file);
  const warnings = new Findings(file);
  const settings = readLines(text, file, errors, warnings);
  for (const [key, setting] of settings) {
    const words = remark(key, setting.value);
    if (words !== undefined) warnings.add(setting.line, words);
  }
  const policy = readPolicy(settings, file, errors);
  const own = readOwn(settings, errors);
  return {
    settings: policy && own && errors.isEmpty ? { policy, ...own } : undefined,
    errors: errors.inOrder(),
    warnings: warnings.inOrder(),
  };
}

/** Messages, each of a line. */
class Findings {
  readonly #found: { line: number; message: string }[] = [];

  constructor(readonly file: string) {}

  get isEmpty(): boolean {
    return this.#found.length === 0;
  }

  add(line: number, words: string): void {
    this.#found.push({ line, message: `${this.file}: line ${line}: ${words}` });
  }

  /** A message that names file and line already. */
  addWhole(line: number, error: unknown): void {
    if (!(error instanceof ConfigError)) throw error;
    this.#found.push({ line, message: error.message });
  }

  inOrder(): string[] {
    return this.#found.toSorted((one, other) => one.line - other.line).map(({ message }) => message);
  }
}

function readLines(text: string, file: string, errors: Findings, warnings: Findings): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  text.split("\n").forEach((raw, index) => {
    const line = index + 1;
    try {
      const found = parseLine(raw, line, file);
      if (!found) return;
      const earlier = settings.get(found.key);
      if (earlier) warnings.add(line, `${found.key} stands in line ${earlier.line} already: this one counts`);
      settings.set(found.key, { value: found.value, line });
    } catch (error) {
      errors.addWhole(line, error);
    }
  });
  return settings;
}

/** What a key's name alone gives to say. No value: it may be a secret. */
function remark(key: string, value: string): string | undefined {
  if (UNUSED_KEYS.includes(key)) {
    return ASKS_FOR_NOTHING.includes(value)
      ? undefined
      : `${key} is not used by this version: it has no effect`;
  }
  if (KNOWN_KEYS.includes(key)) return undefined;
  const meant = nearestWord(key, KNOWN_KEYS);
  return `there is no key ${key}: it has no effect${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

/** Key by key, so that each error is found. */
function readPolicy(settings: Map<string, Setting>, file: string, errors: Findings): Policy | undefined {
  const given = [...settings].filter(([key]) => POLICY_KEYS.includes(key));
  const good = given.filter((entry) => {
    try {
      policyOf(new Map([entry]), file);
      return true;
    } catch (error) {
      errors.addWhole(entry[1].line, error);
      return false;
    }
  });
  return good.length === given.length ? policyOf(new Map(good), file) : undefined;
}

function readOwn(
  settings: Map<string, Setting>,
  errors: Findings,
): Omit<AgentSettings, "policy"> | undefined {
  const values = Object.fromEntries([...settings].map(([key, { value }]) => [key, value]));
  const read = AGENT_KEYS.safeParse(values);
  for (const { path, message } of read.error?.issues ?? []) {
    const key = String(path[0]);
    const { line, value } = settings.get(key) ?? { line: 0, value: "" };
    errors.add(line, `${key}="${value}" ${message}`);
  }
  return read.data;
}

function wholeNumber(least: number, most: number, otherwise: number) {
  const text = z.string().check(
    z.refine(
      (text) => /^[0-9]{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most,
      `is not a whole number from ${least} to ${most}`,
    ),
  );
  return z._default(z.pipe(text, z.transform(Number)), otherwise);
}
