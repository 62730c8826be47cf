/** All that the agent reads of `/etc/srvaudit/config`: the policy that it publishes, and what it alone must know. */

import { Findings } from "./findings.ts";
import { ConfigError, parseLine, type Setting } from "./key_values.ts";
import { DEFAULT_MASK, type MaskPattern, readMask } from "./mask_patterns.ts";
import { nearestWord } from "./nearest_word.ts";
import { type Policy, POLICY_KEYS, policyOf } from "./policy.ts";
import { SettingReader } from "./setting_reader.ts";
import { readSinks, SINK_KEYS, SINK_SECRET_KEYS } from "./sink_keys.ts";
import type { SinkSettings } from "./sink_settings.ts";
import { ticketPatternFault } from "./ticket_pattern.ts";
import { readNetwork, readTracker, TRACKER_KEYS, TRACKER_SECRET_KEYS } from "./tracker_keys.ts";
import type { NetworkSettings, TrackerSettings } from "./tracker_settings.ts";
import { oneOf, wholeNumber } from "./values.ts";

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
  tracker: TrackerSettings;
  /** How to reach what is not on this host. */
  network: NetworkSettings;
  /** Who hears of what happens: those that are switched on. */
  sinks: readonly SinkSettings[];
  /** What is masked in all that leaves the host. */
  mask: readonly MaskPattern[];
}

/** A file's text, and its path for messages. */
export interface TextFile {
  text: string;
  file: string;
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

/** How the agent's own keys are read, and what holds where nothing is said. */
const OWN_KEYS = {
  retentionDays: { read: wholeNumber(0, MOST_DAYS), otherwise: 365 },
  evidenceMaxMegabytes: { read: wholeNumber(0, MOST_MEGABYTES), otherwise: 0 },
  spoolDays: { read: wholeNumber(1, MOST_DAYS), otherwise: 30 },
  spoolMaxMegabytes: { read: wholeNumber(1, MOST_MEGABYTES), otherwise: 1024 },
} as const;
const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error"];

/** Keys whose values are secrets: whoever has a webhook's URL can use it. */
export const SECRET_KEYS: readonly string[] = [...TRACKER_SECRET_KEYS, ...SINK_SECRET_KEYS];

/** Every key that a config can have. */
export const CONFIG_KEYS: readonly string[] = [
  ...POLICY_KEYS,
  ...Object.keys(OWN_KEYS),
  "logLevel",
  ...TRACKER_KEYS,
  ...SINK_KEYS,
];

/** Whether nobody else is to see this value of a key: in an address what stands before @, or behind ?, may be a secret as well. */
export function isSecret(key: string, value: string): boolean {
  if (key === "proxy") return value.includes("@");
  return value !== "" && (SECRET_KEYS.includes(key) || (key.endsWith("URL") && /[@?#]/.test(value)));
}

/**
 * @param text the config's text
 * @param file its path, for messages
 * @param mask the mask file; where there is none, the defaults hold
 * @throws {ConfigError} with a line for each thing that is wrong
 *
 * @example
 * ```ts
 * agentSettings('retentionDays="90"', "/etc/srvaudit/config").retentionDays; // 90
 * ```
 */
export function agentSettings(text: string, file: string, mask?: TextFile): AgentSettings {
  const { settings, errors } = checkConfig(text, file, mask);
  if (!settings) throw new ConfigError(errors.join("\n"));
  return settings;
}

/**
 * Reads a config file wholly, whatever is wrong with it; and the mask file.
 *
 * @param text the config's text
 * @param file its path, for messages
 * @param mask the mask file; where there is none, the defaults hold
 */
export function checkConfig(text: string, file: string, mask?: TextFile): ConfigReport {
  const errors = new Findings(file);
  const warnings = new Findings(file);
  const settings = readLines(text, file, errors, warnings);
  for (const [key, { line }] of settings) {
    const words = remark(key);
    if (words !== undefined) warnings.add(line, words);
  }
  const reader = new SettingReader(settings, SECRET_KEYS, errors, warnings);
  const maskErrors = new Findings(mask?.file ?? "");
  const policy = readPolicy(settings, file, errors);
  const others = {
    retentionDays: own(reader, "retentionDays"),
    evidenceMaxMegabytes: own(reader, "evidenceMaxMegabytes"),
    spoolDays: own(reader, "spoolDays"),
    spoolMaxMegabytes: own(reader, "spoolMaxMegabytes"),
    logLevel: reader.read("logLevel", oneOf(...LOG_LEVELS), "info"),
    tracker: readTracker(reader),
    network: readNetwork(reader),
    sinks: readSinks(reader),
    mask: mask ? readMask(mask.text, maskErrors) : DEFAULT_MASK,
  };
  return {
    settings: policy && errors.isEmpty && maskErrors.isEmpty ? { policy, ...others } : undefined,
    errors: [...errors.inOrder(), ...maskErrors.inOrder()],
    warnings: warnings.inOrder(),
  };
}

function own(reader: SettingReader, key: keyof typeof OWN_KEYS): number {
  const { read, otherwise } = OWN_KEYS[key];
  return reader.read<number>(key, read, otherwise);
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

/** What a key's name alone gives to say. */
function remark(key: string): string | undefined {
  if (CONFIG_KEYS.includes(key)) return undefined;
  const meant = nearestWord(key, CONFIG_KEYS);
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
  const policy = policyOf(new Map(good), file);
  const fault = ticketPatternFault(policy.ticketPattern);
  const { value = "", line = 0 } = settings.get("ticketPattern") ?? {};
  if (fault !== undefined) errors.add(line, `ticketPattern="${value}" ${fault}`);
  return good.length === given.length && fault === undefined ? policy : undefined;
}
