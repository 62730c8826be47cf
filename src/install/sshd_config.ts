/** The text of sshd's configuration: where a Match block of ours can stand in it, and what it says. */

import { withoutBlock } from "./blocks.ts";

/** sshd's own configuration. */
export const SSHD_CONFIG = "/etc/ssh/sshd_config";
/** Where ours stands, if sshd_config includes that folder. */
export const SNIPPET = "/etc/ssh/sshd_config.d/srvaudit.conf";

/** What stands in a Match block of ours, wherever somebody has moved it to. */
const FORCED_LINE = /^[ \t]*ForceCommand[ \t]+exec[ \t]+\S+[ \t]+--forced[ \t]*\r?(\n|$)/gim;
/** Older sshds cut lines off at 1024 bytes. */
const NAMES_A_LINE = 20;

/** A name that neither a list of sshd's patterns nor its words' rules take for anything but itself. */
const PLAIN_NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.@+-]*\$?$/u;

/**
 * @returns the name, if it can stand in a Match line
 * @throws {Error} if sshd would read more into it than a name
 */
export function matchName(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  throw new Error(
    `${
      JSON.stringify(name)
    } cannot stand in sshd_config as a name: sshd's patterns take some of its characters for more; ` +
      `give that user hello in passwd (without --force-command)`,
  );
}

/**
 * The criteria of the Match lines for a `match`: `User alice,bob`, `User *,!root`, `Group ops`, `Group ops User *,!root,!git`.
 * Root is in no group that is meant.
 *
 * @throws {Error} if it is of another form
 */
export function criteriaOf(match: string): string[] {
  const [whole, group, users] = /^(?:Group (\S+))?(?:(?:^| )User (\S+))?$/.exec(match) ?? [];
  const left = users === undefined && group !== undefined ? "" : /^\*((?:,![^,]+)*)$/.exec(users ?? "")?.[1];
  if (left !== undefined) {
    const everybody = `User ${everybodyBut(left)}`;
    return [group === undefined ? everybody : `Group ${matchName(group)} ${everybody}`];
  }
  if (!whole || users === undefined || group !== undefined) {
    throw new Error(`sshd cannot match by ${JSON.stringify(match)}`);
  }
  const names = users.split(",").map(matchName);
  return Array.from(
    { length: Math.ceil(names.length / NAMES_A_LINE) },
    (_, i) => `User ${names.slice(i * NAMES_A_LINE, (i + 1) * NAMES_A_LINE).join(",")}`,
  );
}

/** @param left names as `,!git,!backup` */
function everybodyBut(left: string): string {
  const names = left.split(",!").slice(1).map(matchName);
  return ["*", ...new Set(["root", ...names])].join(",!");
}

/**
 * @param match as for `criteriaOf`
 * @param hello the path of `hello`
 * @returns the lines that are to stand in sshd's configuration
 */
export function matchLines(match: string, hello: string): string {
  return [
    "# By srvaudit install --force-command; srvaudit uninstall takes it away. Add nothing between these marks.",
    ...criteriaOf(match).flatMap((criteria) => [
      `Match ${criteria}`,
      `    ForceCommand ${forcedCommand(hello)}`,
    ]),
    // What an admin may write below is for everybody again.
    "Match all",
    "",
  ].join("\n");
}

/** What sshd has the user's shell run: `exec`, so that no shell of hers stays before `hello`. */
export function forcedCommand(hello: string): string {
  return `exec ${hello} --forced`;
}

/**
 * Takes out what is ours: hello goes, and whoever was still forced to it could not log in any more.
 *
 * @param wasWhole whether the text's last line had an end before ours were added
 */
export function withoutForce(text: string, wasWhole: boolean): string {
  return withoutBlock(text, wasWhole).replace(FORCED_LINE, "");
}

/** @returns our lines, as they stand between their marks; undefined where there are none */
export function ownLines(text: string): string | undefined {
  return /^# >>> srvaudit >>>\r?\n([^]*?)^# <<< srvaudit <<<\r?$/m.exec(text)?.[1];
}

/**
 * Where sshd_config includes a file for everybody: before its first Match line. Below that an Include holds for some alone.
 *
 * @param text sshd_config
 * @param path the file's, absolute
 * @returns the number of that line, from 0; undefined where there is none
 */
export function includeOf(text: string, path: string): number | undefined {
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    const { keyword, words } = directiveOf(line);
    if (keyword === "match") return undefined;
    if (keyword !== "include") continue;
    if (words.some((pattern) => isGlobOf(pattern.startsWith("/") ? pattern : `/etc/ssh/${pattern}`, path))) {
      return index;
    }
  }
  return undefined;
}

/** @returns a line's keyword, lower case, and its words, without quotes; an empty one for comments */
export function directiveOf(line: string): { keyword: string; words: string[] } {
  const [, keyword = "", rest = ""] = /^\s*([A-Za-z]\w*)(?:\s*=\s*|\s+|$)(.*)$/.exec(line) ?? [];
  const words: string[] = [];
  for (const [, quoted, plain] of rest.matchAll(/"([^"]*)"|([^\s"]+)/g)) {
    if (plain?.startsWith("#")) break;
    words.push(quoted ?? plain ?? "");
  }
  return { keyword: keyword.toLowerCase(), words };
}

/** glob(7), as far as file names go. */
function isGlobOf(pattern: string, path: string): boolean {
  const source = pattern.replace(/\[!/g, "[^").replace(/[.+$(){}|\\]/g, "\\$&")
    .replaceAll("*", "[^/]*").replaceAll("?", "[^/]");
  try {
    return new RegExp(`^${source}$`).test(path);
  } catch {
    // A bracket that nothing closes: no pattern.
    return pattern === path;
  }
}
