/** Groups of users: getgroups(2), getgrnam(3). */

import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  getgroups: { parameters: ["i32", "buffer"], result: "i32" },
  getegid: { parameters: [], result: "u32" },
  getgrnam: { parameters: ["buffer"], result: "pointer" },
});

/**
 * @param name the group's; whatever NSS asks may know it
 * @returns its number, or undefined if there is no such group
 */
export function groupId(name: string): number | undefined {
  if (name === "" || name.includes("\0")) return undefined;
  const found = libc().getgrnam(new TextEncoder().encode(`${name}\0`));
  // struct group: gr_name, gr_passwd, gr_gid (glibc, 64 bit).
  return found === null ? undefined : new Deno.UnsafePointerView(found).getUint32(16);
}

/** The groups that the kernel counts this process to: its effective one, and the supplementary ones. */
export function ownGroups(): number[] {
  const { getgroups, getegid } = libc();
  const none = new Uint32Array(0);
  const groups = new Uint32Array(Math.max(0, getgroups(0, none)));
  const count = getgroups(groups.length, groups);
  return [getegid(), ...groups.subarray(0, Math.max(0, count))];
}

/**
 * Whether this process is in one of these groups.
 *
 * @example
 * ```ts
 * isInGroup(["wheel", "adm"]);
 * ```
 */
export function isInGroup(names: readonly string[]): boolean {
  // Most hosts name none: then nobody is asked.
  if (names.length === 0) return false;
  const mine = ownGroups();
  return names.some((name) => {
    const id = groupId(name);
    return id !== undefined && mine.includes(id);
  });
}
