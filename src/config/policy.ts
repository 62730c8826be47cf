/**
 * What a login is told of the config: `policy.json`, which the agent publishes, or the config itself where there is no
 * agent and this user may read it. There is no secret in it.
 */

import { messageOf } from "../terminal/message_of.ts";
import { ConfigError, parseKeyValues, type Setting } from "./key_values.ts";
import type { HostPaths } from "./paths.ts";
import { absolutePath, names, oneOf, wholeNumber, yesOrNo } from "./values.ts";

/** What may be done where something is missing: go on all the same, or refuse. */
export type Leave = "allow" | "deny";

/** How a login is dealt with; all with defaults. */
export interface Policy {
  /** Whether the banner is shown before the ticket is asked for. */
  showBanner: boolean;
  /** The real shell of those who have none of their own in the map file: an absolute path. */
  defaultShell: string;
  /** What a login gets when something of ours fails: a shell all the same, or a refusal. */
  onFailure: Leave;
  /** The same, when the host's agent does not answer. */
  onAgentDown: Leave;
  /** The same, when the tracker does not. */
  onTrackerOutage: Leave;
  /** What becomes of a command that nobody types: on record alone, only with a ticket in SRVAUDIT_TICKET, or refused. */
  nonInteractive: "record" | "require" | "deny";
  /** Who needs no ticket. All that they do is on record like anybody's. */
  exemptUsers: string[];
  exemptGroups: string[];
  /** Whose members may type `emergency` in place of a ticket; empty for nobody. */
  breakGlassGroup: string;
  /** What a ticket's key looks like, as a regular expression for the whole of it; empty for `17` and `OPS-17`. */
  ticketPattern: string;
  /** After how many seconds of silence at its terminal a session is ended; 0 for never. */
  idleTimeoutS: number;
  /** How many seconds a person waits for the tracker. */
  trackerTimeoutS: number;
}

/** What holds where nothing else is said. */
export const DEFAULT_POLICY: Readonly<Policy> = {
  showBanner: true,
  defaultShell: "/bin/bash",
  onFailure: "allow",
  onAgentDown: "allow",
  onTrackerOutage: "allow",
  nonInteractive: "record",
  exemptUsers: [],
  exemptGroups: [],
  breakGlassGroup: "",
  ticketPattern: "",
  idleTimeoutS: 0,
  trackerTimeoutS: 3,
};

/** How each key of the config becomes a part of the policy. */
const READERS: { [Key in keyof Policy]: [key: string, read: (value: string) => Policy[Key]] } = {
  showBanner: ["showBanner", yesOrNo],
  defaultShell: ["defaultShell", absolutePath],
  onFailure: ["onFailure", oneOf("allow", "deny")],
  onAgentDown: ["onAgentDown", oneOf("allow", "deny")],
  onTrackerOutage: ["onTrackerOutage", oneOf("allow", "deny")],
  nonInteractive: ["nonInteractive", oneOf("record", "require", "deny")],
  exemptUsers: ["exemptUsers", names],
  exemptGroups: ["exemptGroups", names],
  breakGlassGroup: ["breakGlassGroup", (value) => value],
  ticketPattern: ["ticketPattern", pattern],
  idleTimeoutS: ["idleTimeout", duration],
  trackerTimeoutS: ["trackerTimeout", wholeNumber(1, 60)],
};

/** The config's keys that make up the policy. */
export const POLICY_KEYS: readonly string[] = Object.values(READERS).map(([key]) => key);

/**
 * @param settings the config's, as `parseKeyValues` gives them
 * @param file its path, for messages
 * @throws {ConfigError} for a value that is none
 */
export function policyOf(settings: ReadonlyMap<string, Setting>, file: string): Policy {
  const policy: Policy = { ...DEFAULT_POLICY };
  const take = <Key extends keyof Policy>(part: Key) => {
    const [key, read] = READERS[part];
    const setting = settings.get(key);
    if (setting === undefined) return;
    policy[part] = inLine(file, key, setting, read);
  };
  (Object.keys(READERS) as (keyof Policy)[]).forEach(take);
  return policy;
}

/**
 * Reads a setting's value.
 *
 * @param read throws an Error that says what the value is not
 * @throws {ConfigError} that names file and line
 */
function inLine<Value>(
  file: string,
  key: string,
  setting: Setting,
  read: (value: string) => Value,
): Value {
  try {
    return read(setting.value);
  } catch (error) {
    const reason = messageOf(error);
    throw new ConfigError(`${file}: line ${setting.line}: ${key}="${setting.value}" ${reason}`);
  }
}

/** Where a login's policy came from. */
export interface LoginPolicy {
  policy: Policy;
  /** Whether this host has an agent, answering or not. */
  hasAgent: boolean;
}

/** What tells of an agent: the policy that it publishes and the spool that it keeps. */
export type AgentPlaces = Pick<HostPaths, "policy" | "hostSpool">;

/** Whether this host has an agent, answering or not. While the machine starts `/run` is empty: its spool is still there. */
export function hasAgent({ policy, hostSpool }: AgentPlaces): boolean {
  return [policy, hostSpool].some((path) => {
    try {
      Deno.statSync(path);
      return true;
    } catch {
      // Not there, or not to be seen: it tells of nothing.
      return false;
    }
  });
}

/**
 * The policy for a login: what the agent has published; else the config, where this user may read it; else the defaults.
 *
 * @param places those of `hostPaths`
 * @throws {ConfigError} for a config, or a published policy, that cannot be read as one
 */
export function loginPolicy(places: AgentPlaces & Pick<HostPaths, "config">): LoginPolicy {
  const published = readIfAllowed(places.policy);
  if (published !== undefined) return { policy: publishedPolicy(published, places.policy), hasAgent: true };
  const text = readIfAllowed(places.config);
  const policy = text === undefined
    ? { ...DEFAULT_POLICY }
    : policyOf(parseKeyValues(text, places.config), places.config);
  return { policy, hasAgent: hasAgent(places) };
}

/** Each part must be of the kind that its default is of; what is missing, as from an older agent, is the default. */
function publishedPolicy(text: string, file: string): Policy {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    found = undefined;
  }
  if (typeof found !== "object" || found === null) {
    throw new ConfigError(`${file}: this is no policy: restart the agent`);
  }
  const parts: Partial<Record<string, unknown>> = { ...found };
  for (const [part, value] of Object.entries(DEFAULT_POLICY)) {
    const given = parts[part];
    if (
      given !== undefined && (typeof given !== typeof value || Array.isArray(given) !== Array.isArray(value))
    ) {
      throw new ConfigError(`${file}: ${part} is no ${typeof value}: restart the agent`);
    }
  }
  return { ...DEFAULT_POLICY, ...found };
}

/**
 * The real shell of a user, from the map file: lines `user="/path/of/shell"`. Her own line alone is read, so that nobody
 * else's mistake is hers, and whatever characters a directory service lets stand in names.
 *
 * @returns its path, or undefined if the file, or the user in it, is not there
 * @throws {ConfigError} for a line or a value of hers that is none
 */
export function mappedShell(file: string, user: string): string | undefined {
  const lines = readIfAllowed(file)?.split("\n").map((line) => line.trim()) ?? [];
  const index = lines.findLastIndex((line) => line.startsWith(`${user}=`));
  if (index < 0) return undefined;
  const line = `shell${lines[index]?.slice(user.length)}`;
  const setting = parseKeyValues("\n".repeat(index) + line, file).get("shell");
  return setting && inLine(file, user, setting, absolutePath);
}

function readIfAllowed(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    const expected = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotADirectory;
    if (expected) return undefined;
    throw error;
  }
}

function pattern(value: string): string {
  if (value === "") return value;
  try {
    new RegExp(`^(?:${value})$`, "u");
    return value;
  } catch {
    throw new Error("is not a regular expression, such as OPS-[0-9]+");
  }
}

/** `90s`, `30m`, `2h`; `0` or nothing for never. */
function duration(value: string): number {
  if (value === "" || value === "0") return 0;
  const parts = /^([1-9][0-9]{0,6})([smh])$/.exec(value);
  if (!parts) throw new Error("is no length of time: write 90s, 30m or 2h, or 0 for never");
  return Number(parts[1]) * { s: 1, m: 60, h: 3600 }[parts[2] as "s" | "m" | "h"];
}
