/** What `hello` may be told by `/etc/srvaudit/config`. */

import { ConfigError, parseKeyValues, type Setting } from "./key_values.ts";

/** The settings of a login, all with defaults. */
export interface LoginSettings {
  /** Whether the banner is shown before the ticket is asked for. */
  showBanner: boolean;
  /** The real shell of those who have none of their own in the map file: an absolute path. */
  defaultShell: string;
  /** What a login gets when something of ours fails: a shell all the same, or a refusal. */
  onFailure: "allow" | "deny";
}

/** What holds where the config says nothing. */
export const DEFAULTS: Readonly<LoginSettings> = {
  showBanner: true,
  defaultShell: "/bin/bash",
  onFailure: "allow",
};

/**
 * Reads what a login needs to know of the config. Other keys are other programs'.
 *
 * @param file the config's path
 * @returns the settings; the defaults where there is no such file, or this user may not read it
 * @throws {ConfigError} for a line or a value that is none
 */
export function loginSettings(file: string): LoginSettings {
  const text = readIfAllowed(file);
  if (text === undefined) return DEFAULTS;
  const settings = parseKeyValues(text, file);
  return {
    showBanner: yesOrNo(settings.get("showBanner"), "showBanner", file) ?? DEFAULTS.showBanner,
    defaultShell: absolutePath(settings.get("defaultShell"), "defaultShell", file) ?? DEFAULTS.defaultShell,
    onFailure: oneOf(settings.get("onFailure"), "onFailure", ["allow", "deny"], file) ?? DEFAULTS.onFailure,
  };
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
  return absolutePath(parseKeyValues("\n".repeat(index) + line, file).get("shell"), user, file);
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

function yesOrNo(setting: Setting | undefined, key: string, file: string): boolean | undefined {
  const word = oneOf(setting, key, ["yes", "no", "true", "false", "1", "0"], file);
  return word === undefined ? undefined : ["yes", "true", "1"].includes(word);
}

function oneOf<Word extends string>(
  setting: Setting | undefined,
  key: string,
  words: readonly Word[],
  file: string,
): Word | undefined {
  if (setting === undefined) return undefined;
  const found = words.find((word) => word === setting.value);
  if (found === undefined) {
    throw new ConfigError(
      `${file}: line ${setting.line}: ${key}="${setting.value}" is not one of: ${words.join(", ")}`,
    );
  }
  return found;
}

function absolutePath(setting: Setting | undefined, key: string, file: string): string | undefined {
  if (setting === undefined) return undefined;
  if (!setting.value.startsWith("/")) {
    throw new ConfigError(`${file}: line ${setting.line}: ${key}="${setting.value}" is not an absolute path`);
  }
  return setting.value;
}
