/** Whether a database still shows what is in it. */

import { DatabaseSync } from "node:sqlite";
import { schemaVersion } from "../sqlite/database.ts";
import { MIGRATIONS } from "./schema.ts";

const OBJECTS = "select type, name, sql from sqlite_master where name not like 'sqlite_%' order by name";

/**
 * Compares the schema with the one that srvAudit makes: who is root might let a view leave something out.
 *
 * @param database of the present version, or an earlier one
 * @returns the names of tables, views, indexes and triggers that are missing or different, and of views and triggers
 * that are not ours
 */
export function alteredObjects(database: DatabaseSync): string[] {
  const found = objectsOf(database);
  const expected = expectedObjects(schemaVersion(database));
  const altered = [...expected.keys()].filter((name) => found.get(name)?.sql !== expected.get(name)?.sql);
  const foreign = [...found].filter(([name, { type }]) =>
    !expected.has(name) && (type === "view" || type === "trigger")
  );
  return [...altered, ...foreign.map(([name]) => name)].sort();
}

function expectedObjects(version: number) {
  const fresh = new DatabaseSync(":memory:");
  try {
    for (const script of MIGRATIONS.slice(0, version)) fresh.exec(script);
    return objectsOf(fresh);
  } finally {
    fresh.close();
  }
}

function objectsOf(database: DatabaseSync): Map<string, { type: string; sql: string }> {
  return new Map(
    database.prepare(OBJECTS).all().map(({ type, name, sql }) => [
      String(name),
      { type: String(type), sql: String(sql) },
    ]),
  );
}
