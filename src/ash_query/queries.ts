/** The saved queries: ours, the system's and the user's. */

import type { Paths } from "../config/paths.ts";
import { messageOf } from "../terminal/message_of.ts";
import { parseQueries, type Query } from "./query_file.ts";

/** A query file is there and cannot be read. */
export interface Unreadable {
  file: string;
  reason: string;
}

/**
 * The query files in the order in which they are read.
 *
 * @param systemFile ASH_CFG_SYSTEM_QUERY_FILE
 */
export function queryFiles(paths: Paths, systemFile: string | undefined): string[] {
  return [
    `${paths.program}/queries`,
    paths.systemQueries,
    ...(systemFile ? [systemFile] : []),
    `${paths.user}/queries`,
  ];
}

/**
 * Reads query files. A later definition of a query takes the place of an earlier one.
 *
 * @param files their paths; those that are not there are passed over
 * @param onUnreadable told of each that is there and cannot be read
 * @returns the queries by their names, in the order of the names
 * @throws {QueryFileError} if a file breaks the grammar
 */
export function loadQueries(
  files: readonly string[],
  onUnreadable: (file: Unreadable) => void,
): Map<string, Query> {
  const queries: Query[] = [];
  for (const file of files) {
    let text: string;
    try {
      text = Deno.readTextFileSync(file);
    } catch (error) {
      if (!isMissing(error)) {
        onUnreadable({ file, reason: messageOf(error) });
      }
      continue;
    }
    queries.push(...parseQueries(text, file));
  }
  const byName = new Map(queries.map((query) => [query.name, query]));
  return new Map([...byName].sort(([a], [b]) => a < b ? -1 : 1));
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}
