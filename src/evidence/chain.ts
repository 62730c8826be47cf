/**
 * The chain: why no row of the evidence can be changed, removed, added or moved unseen.
 *
 * ```text
 * hash of a row   = SHA-256( hash of the row before (32 bytes) || canonical bytes of the row )
 * before the first row: 32 bytes of 0, or, where retention has removed rows, the hash in `anchor`
 * canonical bytes = UTF-8 of a JSON array: the row's columns in the order of COLUMNS, `seq` first, without `hash`
 * ```
 *
 * In that JSON there is no blank between the parts. A number is its decimal digits, NULL is `null`, a blob is a string
 * of lower-case hexadecimal digits. In strings `"` and `\` have a `\` before them; U+0008, 9, A, C and D are
 * `\b \t \n \f \r`, other characters below U+0020 are `\u00` and two lower-case hexadecimal digits; everything else
 * stands for itself. That is what JavaScript's `JSON.stringify` makes, and Python's
 * `json.dumps(row, separators=(",", ":"), ensure_ascii=False)`:
 *
 * @example
 * ```py
 * import hashlib, json, sqlite3
 * rows = sqlite3.connect("file:evidence.db?mode=ro", uri=True)
 * previous = next((hash for hash, in rows.execute("select hash from anchor")), bytes(32))
 * for *columns, stored in rows.execute("select * from event order by seq"):
 *     row = [c.hex() if isinstance(c, bytes) else c for c in columns]
 *     text = json.dumps(row, separators=(",", ":"), ensure_ascii=False)
 *     previous = hashlib.sha256(previous + text.encode()).digest()
 *     assert previous == stored, f"the chain breaks at {row[0]}"
 * ```
 */

import { createHash } from "node:crypto";

/** What a column may hold besides NULL. */
export type ColumnType = "number" | "text" | "bytes";

/** The columns of `event` that are hashed, in their order, which is the table's. */
export const COLUMNS = {
  seq: "number",
  at_us: "number",
  taken_us: "number",
  kind: "text",
  session: "number",
  shell: "number",
  uid: "number",
  data: "text",
  number: "number",
  ticket: "text",
  tty: "text",
  effective_uid: "number",
  shell_level: "number",
  directory: "text",
  directory_bytes: "bytes",
  text: "text",
  text_bytes: "bytes",
  text_state: "text",
  command: "number",
  end_us: "number",
  exit_code: "number",
  pipe_states: "text",
} as const satisfies Readonly<Record<string, ColumnType>>;

/** The name of one of them. */
export type Column = keyof typeof COLUMNS;

/** The columns' names, in their order. */
export const COLUMN_NAMES = Object.keys(COLUMNS) as readonly Column[];

/** One value of a row. */
export type Cell = number | string | Uint8Array | null;

/** How long a hash is, in bytes. */
const HASH_BYTES = 32;

/** The hash that a chain begins after. */
export const NO_HASH: Readonly<Uint8Array> = new Uint8Array(HASH_BYTES);

/**
 * @param cells a row's columns in their order, without its hash
 * @returns the text whose UTF-8 is hashed
 */
export function canonicalText(cells: readonly Cell[]): string {
  return JSON.stringify(
    cells.some(isBytes) ? cells.map((cell) => isBytes(cell) ? hexOf(cell) : cell) : cells,
  );
}

/**
 * @param previous the hash of the row before
 * @param canonical the row's own canonical text
 * @returns the row's hash
 */
export function chainHash(previous: Readonly<Uint8Array>, canonical: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(previous).update(canonical).digest());
}

/** @returns lower-case hexadecimal digits */
export function hexOf(bytes: Readonly<Uint8Array>): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** @returns whether both are the same bytes */
export function isSameHash(one: Readonly<Uint8Array>, other: Readonly<Uint8Array>): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

function isBytes(cell: Cell): cell is Uint8Array {
  return typeof cell === "object" && cell !== null;
}
