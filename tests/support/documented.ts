/**
 * Follows a page of docs/ to the letter: runs what stands in its fenced blocks, and compares what a `console` block shows with
 * what comes, numbers and sums aside. A line `...` stands for any lines.
 */

import assert from "node:assert/strict";
import type { DebianRoot } from "./debian_root.ts";
import { start } from "./pty.ts";

/** The languages of blocks that are run. */
const RUN: readonly string[] = ["sh", "console"];

/** A fenced block: `sh`, which is run as a whole, or `console`, commands behind `# ` with what they print. */
export interface Block {
  language: string;
  lines: readonly string[];
  /** The page, and the number of its line with the first of these. */
  place: string;
}

/** Where a page is followed. */
export interface Follower {
  host: Pick<DebianRoot, "run" | "inside">;
  /** The folder in which its reader is. */
  folder: string;
  /** What its reader puts in the place of the page's examples: addresses, keys. */
  instead?: Readonly<Record<string, string>>;
}

/**
 * @param from a heading, with its `#`; the part that it begins is meant
 * @param to the heading that ends it
 * @returns the headings that have blocks of commands below them
 */
export function headingsIn(page: string, from: string, to: string): string[] {
  const lines = linesOf(page);
  return lines.slice(lines.indexOf(from), lines.indexOf(to)).filter((line, index, part) =>
    isHeading(line, index, part) && blocksBelow(page, line).some(({ language }) => RUN.includes(language))
  );
}

/**
 * @param heading as it stands in the page, with its `#`
 * @returns the blocks below it, up to the next heading
 * @throws {Error} if there is no such heading
 */
export function blocksBelow(page: string, heading: string): Block[] {
  const lines = linesOf(page);
  const first = lines.indexOf(heading);
  assert.notEqual(first, -1, `docs/${page} has no heading ${heading}`);
  const blocks: Block[] = [];
  for (let at = first + 1; at < lines.length && !/^#+ /.test(lines[at] ?? ""); at++) {
    const [, language] = /^```(\w+)$/.exec(lines[at] ?? "") ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf("```", at);
    blocks.push({ language, lines: lines.slice(at + 1, end), place: `docs/${page}:${at + 2}` });
    at = end;
  }
  return blocks;
}

/** Runs one block. @throws {Error} if it fails, or prints something else than the page says */
export async function follow(reader: Follower, { language, lines, place }: Block): Promise<void> {
  if (language === "sh") {
    const { code, output } = await run(reader, `set -e\n${lines.join("\n")}`);
    assert.ok(code === 0, `${place}: exit code ${code}:\n${output}`);
    return;
  }
  assert.equal(language, "console", place);
  const isAsked = lines.some((line) => line.includes("[Y/n]"));
  for (const { command, shown } of commandsIn(lines)) {
    const { code, output } = isAsked ? await answer(reader, command, shown) : await run(reader, command);
    assert.ok(code === 0, `${place}: ${command}: exit code ${code}:\n${output}`);
    const isShown = patternOf(shown).test(comparable(output));
    assert.ok(
      isShown,
      `${place}: ${command}: printed\n\n${output}\nwhere the page has\n\n${shown.join("\n")}`,
    );
  }
}

function linesOf(page: string): string[] {
  return Deno.readTextFileSync(new URL(`../../docs/${page}`, import.meta.url)).split("\n");
}

/** Whether a line is one, and no comment in a block. */
function isHeading(line: string, index: number, lines: readonly string[]): boolean {
  const fences = lines.slice(0, index).filter((each) => each.startsWith("```")).length;
  return /^#+ /.test(line) && fences % 2 === 0;
}

/** A command, and what the page shows of its output. */
function commandsIn(lines: readonly string[]): { command: string; shown: string[] }[] {
  const commands: { command: string; shown: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith("# ")) commands.push({ command: line.slice(2), shown: [] });
    else commands.at(-1)?.shown.push(line);
  }
  return commands;
}

async function run(reader: Follower, command: string): Promise<{ code: number; output: string }> {
  const { code, text } = await reader.host.run(["bash", "-c", `exec 2>&1\n${placed(reader, command)}`], {
    env: { HOME: "/root" },
  });
  return { code, output: asDocumented(reader, text) };
}

/** Runs it on a terminal, and types what the page shows behind each prompt. */
async function answer(reader: Follower, command: string, shown: readonly string[]) {
  const [program = "", ...args] = reader.host.inside;
  // A terminal of this machine's would have no name there.
  const words = ["script", "--quiet", "--return", "--command", placed(reader, command), "/dev/null"];
  const environment = { HOME: "/root", TERM: "dumb", LANG: "C.UTF-8", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  await using terminal = start(program, [...args, ...words], environment, {
    columns: 100,
    patienceMs: 60_000,
  });
  for (const line of shown) {
    const [, prompt, typed = ""] = /^(.*(?:\(.*\):|\[Y\/n\]:?))(?: (.*))?$/.exec(line) ?? [];
    if (prompt === undefined) continue;
    await terminal.expect(new RegExp(`${escaped(prompt).replace(/\d+/g, "\\d+")} $`));
    await terminal.send(`${typed}\r`);
  }
  const code = await terminal.close();
  return { code, output: asDocumented(reader, terminal.transcript().replaceAll("\r", "")) };
}

function placed({ folder, instead = {} }: Follower, command: string): string {
  return `cd ${folder}\n${
    Object.entries(instead).reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), command)
  }`;
}

function asDocumented({ instead = {} }: Follower, output: string): string {
  return Object.entries(instead).reduce((text, [theirs, ours]) => text.replaceAll(ours, theirs), output);
}

function patternOf(shown: readonly string[]): RegExp {
  const lines = comparable(shown.join("\n")).trimEnd().split("\n").map((line) =>
    line === "..." ? "(?:.*\n)*" : `${escaped(line)}\n`
  );
  return new RegExp(`^${lines.join("")}$`);
}

/** Without what differs from time to time, and with an end to its last line. */
function comparable(text: string): string {
  const lines = text.replaceAll("\r", "").trimEnd().split("\n").map((line) => line.trimEnd());
  return `${lines.join("\n")}\n`.replace(/\b[0-9a-f]{40,}\b/g, "HASH").replace(/\d+/g, "N");
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
