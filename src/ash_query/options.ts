/**
 * ash_query's command line: ASH's flags and the filters.
 *
 * Node's own `parseArgs`, which is part of the runtime, reads it as getopt_long does, in about a millisecond; a
 * library that makes help and completions too takes twenty, at every query.
 */

import { parseArgs } from "node:util";

/** The flags that take a value, and those that take none, with their short forms. */
export const OPTIONS = {
  database: { type: "string", short: "d" },
  format: { type: "string", short: "f" },
  limit: { type: "string", short: "l" },
  print_query: { type: "string", short: "p" },
  query: { type: "string", short: "q" },
  list_formats: { type: "boolean", short: "F" },
  hide_headings: { type: "boolean", short: "H" },
  list_queries: { type: "boolean", short: "Q" },
  since: { type: "string" },
  until: { type: "string" },
  cwd: { type: "string" },
  failed: { type: "boolean" },
  ticket: { type: "string" },
  grep: { type: "string" },
  sql: { type: "string" },
  version: { type: "boolean" },
  help: { type: "boolean" },
} as const;

type Table = typeof OPTIONS;

/** What the command line says. */
export type Options = {
  -readonly [Name in keyof Table]?: Table[Name]["type"] extends "string" ? string : true;
};

/** The options of the default listing. */
export const FILTERS = ["since", "until", "cwd", "failed", "ticket", "grep"] as const;

/** The command line cannot be read. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * Reads the command line.
 *
 * @param args what follows the program's name
 * @param ignoresUnknown whether what is not known is passed over (ASH_CFG_IGNORE_UNKNOWN_FLAGS)
 * @returns the options; of one that comes twice, the last
 * @throws {UsageError} at what is not known, lacks its value, or has one too many
 *
 * @example
 * ```ts
 * parseOptions(["-HF", "--limit=3"], false); // { hide_headings: true, list_formats: true, limit: "3" }
 * ```
 */
export function parseOptions(args: readonly string[], ignoresUnknown: boolean): Options {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const strings: Record<string, string> = {};
  const switches: Record<string, true> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (!ignoresUnknown) throw new UsageError(`unexpected argument: ${token.value}`);
      continue;
    }
    if (!isOption(token.name)) {
      if (!ignoresUnknown) throw new UsageError(`unknown flag: ${token.rawName}${suggestion(token.name)}`);
      continue;
    }
    if (OPTIONS[token.name].type === "string") {
      if (token.value === undefined) throw new UsageError(`${token.rawName} needs a value`);
      strings[token.name] = token.value;
    } else {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
      switches[token.name] = true;
    }
  }
  return { ...strings, ...switches };
}

/**
 * @param text what stands behind `-l`
 * @returns how many rows to take; as in ASH, 0 and less mean all
 * @throws {UsageError} if it is no whole number
 */
export function parseLimit(text: string | undefined): number {
  if (text === undefined) return Infinity;
  if (!/^[-+]?[0-9]{1,15}$/.test(text)) {
    throw new UsageError(`--limit: ${JSON.stringify(text)} is no whole number`);
  }
  return Number(text) > 0 ? Number(text) : Infinity;
}

function isOption(name: string): name is keyof Table {
  return Object.hasOwn(OPTIONS, name);
}

function suggestion(name: string): string {
  const plain = name.replaceAll("-", "_");
  const near = plain.length < 2 ? [] : Object.keys(OPTIONS).filter((option) => option.startsWith(plain));
  return near.length === 0 ? "" : ` (did you mean ${near.map((option) => `--${option}`).join(" or ")}?)`;
}
