/**
 * The form of srvAudit's config files: lines `key="value"`, as a shell would read them, blank lines, and `#` comments.
 *
 * Our own, since what npm has (dotenv and its kin) drops a line that it cannot read without a word; a login must not
 * hang on a guess.
 */

/** A config file that cannot be read as one. The message names file and line, and says what belongs there. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/** A value, and the line that it stands in, for messages. */
export interface Setting {
  value: string;
  line: number;
}

/**
 * @param text the file's text
 * @param file its path, for messages
 * @returns the settings; of a key that is there twice, the last
 * @throws {ConfigError} for a line that is none
 *
 * @example
 * ```ts
 * parseKeyValues('showBanner="no" # quiet', "/etc/srvaudit/config").get("showBanner")?.value; // "no"
 * ```
 */
export function parseKeyValues(text: string, file: string): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  text.split("\n").forEach((raw, index) => {
    const found = parseLine(raw, index + 1, file);
    if (found) settings.set(found.key, found);
  });
  return settings;
}

/**
 * Reads one line of such a file.
 *
 * @param line its number, for messages
 * @returns what it sets, or undefined for a blank line or a comment
 * @throws {ConfigError} for a line that is neither
 */
export function parseLine(raw: string, line: number, file: string): Setting & { key: string } | undefined {
  const content = raw.trim();
  if (content === "" || content.startsWith("#")) return undefined;
  const parts = /^([A-Za-z][A-Za-z0-9_.-]*)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"'#]*))\s*(?:#.*)?$/.exec(
    content,
  );
  if (!parts) {
    // The name alone: what follows it may be a secret, and messages go to logs.
    const name = /^([A-Za-z][A-Za-z0-9_.-]*)\s*=/.exec(content)?.[1];
    const found = name === undefined ? "no key and no =" : `${name}=...`;
    throw new ConfigError(`${file}: line ${line}: expected key="value", found ${found}`);
  }
  const [, key = "", double, single, bare] = parts;
  // In double quotes a shell lets a backslash quote these.
  const value = double?.replace(/\\(["\\$`])/g, "$1") ?? single ?? bare ?? "";
  return { key, value, line };
}
