/** What a file has besides owner, mode and bytes: xattr(7), and so SELinux' labels, ACLs, and users' own attributes. */

import { errno } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  llistxattr: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  lgetxattr: { parameters: ["buffer", "buffer", "buffer", "usize"], result: "isize" },
  fgetxattr: { parameters: ["i32", "buffer", "buffer", "usize"], result: "isize" },
  fsetxattr: { parameters: ["i32", "buffer", "buffer", "usize", "i32"], result: "i32" },
});

/** linux/limits.h: a list, and a value, have no more bytes than these. */
const XATTR_BYTES = 64 * 1024;
const ENODATA = 61;
const ENOTSUP = 95;
/** Sums of the bytes that the file had: the kernel makes them anew. */
const OF_ITS_BYTES: ReadonlySet<string> = new Set(["security.ima", "security.evm"]);

const encoder = new TextEncoder();

/**
 * Gives an open file the attributes of another, as far as it has not got them already.
 *
 * @param from the other's path, no link
 * @param toFd the file's descriptor, which may write; its owner and mode are set already
 * @throws {Error} that names the attribute that could not be kept
 */
export function copyAttributes(from: string, toFd: number): void {
  for (const attribute of attributesOf(from)) {
    if (OF_ITS_BYTES.has(attribute)) continue;
    const name = cString(attribute);
    const value = valueOf((into) => libc().lgetxattr(cString(from), name, into, BigInt(into.length)));
    // Gone between the list and now.
    if (value === undefined) continue;
    const own = valueOf((into) => libc().fgetxattr(toFd, name, into, BigInt(into.length)));
    if (own !== undefined && isSame(own, value)) continue;
    if (libc().fsetxattr(toFd, name, value, BigInt(value.length), 0) !== 0) {
      throw new Error(`${from}: its attribute ${attribute} cannot be kept: errno ${errno()}`);
    }
  }
}

/** @returns their names: none where the file system has no attributes */
function attributesOf(path: string): string[] {
  const list = new Uint8Array(XATTR_BYTES);
  const length = Number(libc().llistxattr(cString(path), list, BigInt(list.length)));
  if (length < 0) {
    const code = errno();
    if (code === ENOTSUP) return [];
    throw new Error(`${path}: its attributes cannot be listed: errno ${code}`);
  }
  return new TextDecoder().decode(list.subarray(0, length)).split("\0").filter(Boolean);
}

function valueOf(get: (into: Uint8Array<ArrayBuffer>) => bigint): Uint8Array<ArrayBuffer> | undefined {
  const value = new Uint8Array(XATTR_BYTES);
  const length = Number(get(value));
  if (length >= 0) return value.slice(0, length);
  const code = errno();
  if (code === ENODATA || code === ENOTSUP) return undefined;
  throw new Error(`an attribute cannot be read: errno ${code}`);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(`${text}\0`));
}
