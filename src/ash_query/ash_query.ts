/**
 * `ash_query`: asks the history, as Advanced Shell History's program of that name does, and without SQL as well.
 *
 * Everything that not every query needs is loaded where it is needed: most of the time of a query is its start.
 */

import { paths } from "../config/paths.ts";
import { tell } from "../terminal/ask.ts";
import { messageOf } from "../terminal/message_of.ts";
import { show } from "../terminal/pager.ts";
import { visible } from "../terminal/visible.ts";
import { DatabaseError, HistoryDatabase, type Result } from "./database.ts";
import { listing } from "./filters.ts";
import { chunksOf, type Format, FORMATS, type Page } from "./formats.ts";
import { bringUpToDate, historyFile } from "./history_file.ts";
import { FILTERS, type Options, parseLimit, parseOptions, UsageError } from "./options.ts";
import { expandParameters } from "./parameters.ts";
import { loadQueries, queryFiles } from "./queries.ts";
import type { Query } from "./query_file.ts";
import { variables, workingDirectory } from "./variables.ts";

/** What a shell says of a program that SIGPIPE has ended. */
const EXIT_SIGPIPE = 128 + 13;

/** Runs `ash_query` with its arguments; the exit code is 0, or 1 where anything went wrong. */
export async function main(args: string[]): Promise<void> {
  try {
    Deno.exitCode = await run(args);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(EXIT_SIGPIPE);
    say(messageOf(error));
    if (error instanceof UsageError) tell("See ash_query --help.\n");
    Deno.exitCode = 1;
  }
}

async function run(args: string[]): Promise<number> {
  const defaultQuery = Deno.env.get("ASH_CFG_DEFAULT_QUERY");
  if (args.length === 0 && !defaultQuery) {
    if (Deno.env.get("ASH_CFG_HIDE_USAGE_FOR_NO_ARGS") !== "true") tell(await help());
    return 1;
  }
  const options = parseOptions(args, Deno.env.get("ASH_CFG_IGNORE_UNKNOWN_FLAGS") === "true");
  if (options.help) return await print([await help()]);
  if (options.version) {
    const { VERSION } = await import("../config/version.ts");
    return await print([`${VERSION}\n`]);
  }
  if (options.list_queries) return await list("Query", savedQueries(), options);
  if (options.list_formats) return await list("Format", FORMATS, options);
  if (options.print_query !== undefined) return await printQuery(options.print_query, options);
  return await ask(options, defaultQuery);
}

async function ask(options: Options, defaultQuery: string | undefined): Promise<number> {
  const format = formatOf(options.format ?? Deno.env.get("ASH_CFG_DEFAULT_FORMAT") ?? "aligned");
  const limit = parseLimit(options.limit);
  const filter = FILTERS.find((name) => options[name] !== undefined);
  const name = options.query ??
    (options.sql === undefined && filter === undefined ? defaultQuery : undefined);
  if (options.sql !== undefined && options.query !== undefined) {
    throw new UsageError("--query and --sql are two questions: ask one at a time");
  }
  if (filter !== undefined && (name ?? options.sql) !== undefined) {
    throw new UsageError(
      `--${filter} filters the listing of commands: it goes with neither --query nor --sql, ` +
        "which have conditions of their own",
    );
  }
  const query = name ? queryOf(name) : undefined;

  const file = historyFile(options.database);
  await bringUpToDate(file, say);
  using database = new HistoryDatabase(file);
  if (query) {
    const sql = expandParameters(query.sql, variables(() => database.shellRow()));
    return await write(database.query(sql, limit), format, options);
  }
  if (options.sql !== undefined) return await write(database.query(options.sql, limit), format, options);
  const sql = listing(options, limit, {
    now: new Date(),
    directory: workingDirectory(),
    hasTickets: database.has("srvaudit_commands"),
  });
  return await write(database.query(sql), format, options);
}

async function printQuery(name: string, options: Options): Promise<number> {
  const query = queryOf(name);
  const file = historyFile(options.database);
  // Only what asks for the shell's row needs a database.
  if (query.sql.includes("ASH_SESSION_ID")) await bringUpToDate(file, say);
  const sql = expandParameters(query.sql, variables(() => shellRowIn(file)));
  const template = query.sql === sql ? "" : `Template Form:\n${query.sql}\nActual SQL:\n`;
  const text = `Query: ${name}\n${template}${sql}\n`;
  return await print([Deno.stdout.isTerminal() ? visible(text, "\n\t") : text]);
}

function shellRowIn(file: string): number | undefined {
  try {
    using database = new HistoryDatabase(file);
    return database.shellRow();
  } catch (error) {
    // No history, no row: the query's own default shows.
    if (error instanceof DatabaseError) return undefined;
    throw error;
  }
}

function queryOf(name: string): Query {
  const queries = savedQueries();
  const query = queries.get(name);
  if (!query) {
    throw new Error(`Query not found: ${name}\nAvailable:\n${[...described("Query", queries)].join("")}`);
  }
  return query;
}

function savedQueries(): Map<string, Query> {
  return loadQueries(
    queryFiles(paths(), Deno.env.get("ASH_CFG_SYSTEM_QUERY_FILE")),
    ({ file, reason }) => say(`the query file ${file} is passed over: ${reason}`),
  );
}

function formatOf(name: string): Format {
  const format = FORMATS.get(name);
  if (!format) throw new Error(`Unknown format: '${name}'\n${[...described("Format", FORMATS)].join("")}`);
  return format;
}

type Described = ReadonlyMap<string, { description: string }>;

/** Lists names and descriptions: as ASH does, or in a format that was asked for, which is what programs can read. */
async function list(title: string, things: Described, options: Options): Promise<number> {
  if (options.format !== undefined) {
    const rows = [...things].map(([name, { description }]) => [name, description]);
    return await write(
      { columns: [title, "Description"], rows: () => rows },
      formatOf(options.format),
      options,
    );
  }
  return await print(described(title, things, !options.hide_headings));
}

/** Makes ASH's own list: both columns are filled up with blanks. */
function* described(title: string, things: Described, hasHeadings = true): Generator<string> {
  const rows = [...things].map(([name, { description }]) => [name, visible(description)]);
  const all = [[title, "Description"], ...rows];
  const widths = [0, 1].map((i) => Math.max(...all.map((row) => row[i]?.length ?? 0)) + 4);
  for (const row of hasHeadings ? all : rows) {
    yield row.map((text, i) => text.padEnd(widths[i] ?? 0)).join("") + "\n";
  }
}

async function write(result: Result, format: Format, options: Options): Promise<number> {
  const isTerminal = Deno.stdout.isTerminal();
  const page: Page = {
    hasHeadings: !options.hide_headings,
    isTerminal,
    isColoured: isTerminal && !Deno.env.get("NO_COLOR") && Deno.env.get("TERM") !== "dumb",
  };
  return await print(await format.lines(result, page));
}

async function print(lines: Iterable<string>): Promise<number> {
  await show(chunksOf(lines));
  return 0;
}

async function help(): Promise<string> {
  return (await import("./help.ts")).HELP;
}

function say(message: string): void {
  tell(`ash_query: ${visible(message, "\n")}\n`);
}
