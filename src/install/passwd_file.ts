/**
 * passwd(5), read and written byte for byte: whatever odd lines it has stay as they are, but for the shells that are asked
 * for.
 *
 * A byte is a character here (Latin-1), so that bytes that are no UTF-8 come through; names and shells are UTF-8 outside.
 */

import { Buffer } from "node:buffer";

/** A line that is an account's. */
export interface PasswdLine {
  name: string;
  uid: number;
  gid: number;
  shell: string;
}

const FIELDS = 7;

/**
 * @param bytes the file's
 * @returns its accounts; lines of NIS (`+`, `-`), comments and whatever else is no account are left away, and so are those
 *   whose name or shell is no UTF-8
 */
export function passwdLines(bytes: Uint8Array): PasswdLine[] {
  return linesOf(bytes).flatMap((line) => {
    const found = accountIn(line);
    if (!found) return [];
    const [name, shell] = [utf8(found.name), utf8(found.shell)];
    return name === undefined || shell === undefined ? [] : [{ ...found, name, shell }];
  });
}

/**
 * Gives users other shells.
 *
 * @param bytes the file's
 * @param shellFor says which shell a line's user gets, or undefined for the one that she has
 * @returns the file's bytes then
 * @throws {Error} for a shell that cannot stand in passwd
 *
 * @example
 * ```ts
 * withShells(bytes, ({ name }) => name === "alice" ? "/usr/bin/hello-srvaudit" : undefined);
 * ```
 */
export function withShells(
  bytes: Uint8Array,
  shellFor: (line: PasswdLine, nth: number) => string | undefined,
): Uint8Array {
  const seen = new Map<string, number>();
  const lines = linesOf(bytes).map((line) => {
    const found = accountIn(line);
    const [name, shell] = [utf8(found?.name), utf8(found?.shell)];
    if (!found || name === undefined || shell === undefined) return line;
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    const wanted = shellFor({ ...found, name, shell }, nth);
    if (wanted === undefined || wanted === shell) return line;
    if (/[\n\0:]/.test(wanted)) throw new Error(`${wanted} cannot stand in passwd as a shell`);
    return line.slice(0, line.length - found.shell.length) + Buffer.from(wanted).toString("latin1");
  });
  return new Uint8Array(Buffer.from(lines.join("\n"), "latin1"));
}

function linesOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString("latin1").split("\n");
}

/** As glibc reads it: blanks before a name count for nothing, and the shell is all that stands behind the sixth colon. */
function accountIn(line: string): PasswdLine | undefined {
  const fields = line.split(":");
  const [name = "", , uid = "", gid = ""] = fields;
  const isAccount = fields.length === FIELDS && /^[0-9]+$/.test(uid) && /^[0-9]+$/.test(gid);
  if (!isAccount || !/^\s*[^\s#+-]/.test(name)) return undefined;
  return { name: name.trimStart(), uid: Number(uid), gid: Number(gid), shell: fields[FIELDS - 1] ?? "" };
}

function utf8(latin1: string | undefined): string | undefined {
  if (latin1 === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(latin1, "latin1"));
  } catch {
    return undefined;
  }
}
