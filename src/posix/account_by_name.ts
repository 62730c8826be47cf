/** Accounts by their names, wherever NSS knows them from: getpwnam(3). */

import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({ getpwnam: { parameters: ["buffer"], result: "pointer" } });

/**
 * @param name a user's
 * @returns whether this host knows her: by passwd, LDAP, SSSD or whatever else it asks
 */
export function isKnownUser(name: string): boolean {
  if (name === "" || name.includes("\0")) return false;
  return libc().getpwnam(new TextEncoder().encode(`${name}\0`)) !== null;
}
