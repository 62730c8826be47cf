/** `/etc/srvaudit/shells`, where `hello` finds users' real shells: lines `name="/path"`, ours beside an admin's. */

import { Buffer } from "node:buffer";
import { parseLine } from "../config/key_values.ts";
import { quoted } from "./config_text.ts";
import type { Target } from "./target.ts";

const NEWLINE = 0x0a;

/** Where it is. */
export function shellMapOf(target: Pick<Target, "root">): string {
  return `${target.root}/etc/srvaudit/shells`;
}

/**
 * @param name a user's
 * @param shell as passwd has it: none is `/bin/sh`, as it is for login(1)
 * @returns her line, or undefined if what reads the file could not read it
 *
 * @example
 * ```ts
 * mapLine("alice", "/bin/zsh"); // 'alice="/bin/zsh"'
 * ```
 */
export function mapLine(name: string, shell: string): string | undefined {
  const path = shell || "/bin/sh";
  const isName = name !== "" && name.trim() === name && !/[=\n]/.test(name);
  if (!isName || !path.startsWith("/") || path.includes("\n")) return undefined;
  try {
    const value = quoted(path);
    return parseLine(`shell=${value}`, 1, "")?.value === path ? `${name}=${value}` : undefined;
  } catch {
    // Something in it that quotes cannot hold.
    return undefined;
  }
}

/** @returns the file's bytes, or undefined if there is none */
export function readShellMap(target: Pick<Target, "root">): Uint8Array | undefined {
  try {
    return Deno.readFileSync(shellMapOf(target));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * All of it at once, each line as `hello` reads it: a mistake in one is nobody else's.
 *
 * @returns the shells by name; of a name that is there twice, what the last line says
 */
export function mappedShells(bytes: Uint8Array): Map<string, string> {
  const shells = new Map<string, string>();
  for (const [name, rest] of entriesIn(bytes)) {
    try {
      const path = parseLine(`shell${rest}`, 1, "")?.value ?? "";
      if (!path.startsWith("/")) throw new Error("no path");
      shells.set(name, path);
    } catch {
      shells.delete(name);
    }
  }
  return shells;
}

/** @returns who has a line there, an admin's or ours, right or wrong */
export function mappedNames(bytes: Uint8Array): Set<string> {
  return new Set(entriesIn(bytes).map(([name]) => name));
}

/** @returns what stands before a line's `=`, and the rest with it */
function entriesIn(bytes: Uint8Array): [name: string, rest: string][] {
  return new TextDecoder().decode(bytes).split("\n").flatMap((raw) => {
    const line = raw.trim();
    const end = line.indexOf("=");
    return end < 1 ? [] : [[line.slice(0, end), line.slice(end)]];
  });
}

/** @returns the bytes with these lines at their end, which begins on a line of its own */
export function withLines(bytes: Uint8Array, lines: readonly string[]): Uint8Array {
  if (lines.length === 0) return bytes;
  const start = endsInside(bytes) ? "\n" : "";
  return new Uint8Array(
    Buffer.concat([bytes, Buffer.from(start + lines.map((line) => `${line}\n`).join(""))]),
  );
}

/** @returns the bytes without these lines, wherever they stand */
export function withoutLines(bytes: Uint8Array, lines: readonly string[]): Uint8Array {
  const gone = new Set(lines.map((line) => Buffer.from(line).toString("latin1")));
  const kept = Buffer.from(bytes).toString("latin1").split("\n").filter((line) => !gone.has(line));
  return new Uint8Array(Buffer.from(kept.join("\n"), "latin1"));
}

/** Whether a last line has no end. */
export function endsInside(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.at(-1) !== NEWLINE;
}
