/**
 * Changes a config's text and leaves what people have written around it: comments, order, blanks, line ends. Pure functions on
 * the text.
 */

import { isSecret } from "../config/agent_settings.ts";
import { parseLine } from "../config/key_values.ts";

/** A line that sets a key, in its parts: what stands before the value, the value as it is written, and all behind it. */
const SETTING = /^(\s*([A-Za-z][A-Za-z0-9_.-]*)=)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'#]*)(\s*(?:#.*)?\s*)$/;
/** A setting that somebody has switched off by a `#` before it. */
const COMMENTED = /^\s*#[#\s]*([A-Za-z][A-Za-z0-9_.-]*)=/;
/** What a value cannot be: a line break would begin another key. */
// deno-lint-ignore no-control-regex -- control characters are what this is about
const UNWRITABLE = /[\x00-\x08\x0a-\x1f\x7f]/;

/**
 * A value as a config has it.
 *
 * @throws {Error} for one that no line can hold
 *
 * @example
 * ```ts
 * quoted('say "hi"'); // '"say \\"hi\\""'
 * ```
 */
export function quoted(value: string): string {
  if (UNWRITABLE.test(value)) throw new Error("has a line break or a control character in it");
  return `"${value.replace(/["\\$`]/g, "\\$&")}"`;
}

/**
 * Sets keys in place: of one that stands there twice the line that counts, the last. One that is only there commented out is
 * set behind that comment, any other at the end.
 *
 * @param values by key
 * @returns the text, byte for byte the same but for those values
 * @throws {Error} that names the key whose value no line can hold
 *
 * @example
 * ```ts
 * withValues('pms="0"  # later\n', { pms: "Redmine" }); // 'pms="Redmine"  # later\n'
 * ```
 */
export function withValues(text: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce((changed, [key, value]) => withValue(changed, key, value), text);
}

function withValue(text: string, key: string, value: string): string {
  const written = writtenAs(key, value);
  const lines = text.split("\n");
  const at = lines.findLastIndex((line) => settingIn(line)?.key === key);
  const found = settingIn(lines[at] ?? "");
  if (found) {
    if (found.value === value) return text;
    lines[at] = found.start + written + found.end;
    return lines.join("\n");
  }
  const line = `${key}=${written}`;
  const comment = lines.findLastIndex((one) => COMMENTED.exec(one)?.[1] === key);
  if (comment < 0 || comment === lines.length - 1) return withLines(text, [line]);
  lines.splice(comment + 1, 0, line + (lines[comment]?.endsWith("\r") ? "\r" : ""));
  return lines.join("\n");
}

function writtenAs(key: string, value: string): string {
  try {
    return quoted(value);
  } catch (error) {
    throw new Error(`${key} ${error instanceof Error ? error.message : ""}`, { cause: error });
  }
}

/**
 * Adds the keys that the shipped config has and this one lacks, each with the comment that stands above it there. One that is
 * commented out is not lacking: somebody has decided so.
 *
 * @param shipped the config as it comes with this version
 * @returns the text, with what is new at its end
 */
export function withNewKeys(text: string, shipped: string): string {
  const there = new Set(text.split("\n").map((line) => settingIn(line)?.key ?? COMMENTED.exec(line)?.[1]));
  return shipped.split(/\n(?:[ \t]*\n)+/).reduce((grown, paragraph) => {
    const lines = paragraph.split("\n").filter((line) => line.trim() !== "");
    const lacking = lines.filter((line) => {
      const key = settingIn(line)?.key;
      return key !== undefined && !there.has(key);
    });
    if (lacking.length === 0) return grown;
    const comment = lines.filter((line) => line.trimStart().startsWith("#"));
    return withLines(grown, [...(grown === "" ? [] : [""]), ...comment, ...lacking]);
  }, text);
}

/** The text with further lines at its end, in its own way of ending lines. */
function withLines(text: string, lines: readonly string[]): string {
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  const start = text === "" || text.endsWith("\n") ? "" : end;
  return text + start + lines.map((line) => line + end).join("");
}

/**
 * What stands in place of a secret where people see a config. That two texts have another secret in the same line can be seen;
 * what it is cannot.
 *
 * @param other the text that it is compared with
 *
 * @example
 * ```ts
 * withoutSecrets('redmineKey="0ld"', 'redmineKey="n3w"'); // 'redmineKey="***** (another one)"'
 * ```
 */
export function withoutSecrets(text: string, other: string | undefined): string {
  const known = new Set(other?.split("\n"));
  return text.split("\n").map((line) => {
    const found = settingIn(line);
    if (found) {
      if (!isSecret(found.key, found.value)) return line;
      const isNew = other !== undefined && !known.has(line);
      return `${found.start}"*****${isNew ? " (another one)" : ""}"${found.end}`;
    }
    // Of what cannot be read, or is commented out, all behind the = may be one.
    const start = /^\s*(?:#[#\s]*)?([A-Za-z][A-Za-z0-9_.-]*)\s*=/.exec(line);
    const rest = line.slice(start?.[0].length).trim();
    return start && isSecret(start[1] ?? "", rest) && rest !== '""' ? `${start[0]}*****` : line;
  }).join("\n");
}

interface Found {
  key: string;
  value: string;
  /** All before the value, and all behind it. */
  start: string;
  end: string;
}

/** @returns undefined for a line that sets nothing, or that cannot be read */
function settingIn(line: string): Found | undefined {
  const [, start = "", key = "", written = "", end = ""] = SETTING.exec(line) ?? [];
  if (key === "") return undefined;
  const value = parseLine(`${key}=${written}`, 1, "")?.value ?? "";
  return { key, value, start, end };
}
