/** Whether a file or a folder can be changed, without a change: access(2). */

import { errno } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({ access: { parameters: ["buffer", "i32"], result: "i32" } });

const W_OK = 2;

const REASONS: Readonly<Partial<Record<number, string>>> = {
  1: "it is immutable (chattr +i): chattr -i it, and run this again",
  2: "it is not there",
  13: "only root may, or a security module forbids it",
  30: "its file system is read-only: mount it writable (mount -o remount,rw)",
};

/**
 * @param path of a file or a folder; links are followed
 * @returns why this process cannot change it, or undefined where it can
 *
 * @example
 * ```ts
 * whyUnwritable("/etc/passwd"); // "it is immutable (chattr +i): ..."
 * ```
 */
export function whyUnwritable(path: string): string | undefined {
  if (libc().access(new TextEncoder().encode(`${path}\0`), W_OK) === 0) return undefined;
  const code = errno();
  return REASONS[code] ?? `errno ${code}`;
}
