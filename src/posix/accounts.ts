/** Accounts, without holding up whoever else is served: NSS may have to ask a server that does not answer. */

import { fromLibc } from "./from_libc.ts";
import type { Account } from "./libc.ts";

const libc = fromLibc({
  getpwuid_r: {
    parameters: ["u32", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
    nonblocking: true,
  },
});

/** struct passwd: pw_name, pw_passwd, pw_uid, pw_gid, pw_gecos, pw_dir, pw_shell (glibc, 64 bit). */
const PASSWD_BYTES = 48;
/** More than any account's texts come to. */
const TEXT_BYTES = 16 * 1024;
/** How long an answer is taken for true. */
const FRESH_MS = 60_000;

/**
 * Looks users up in threads of their own: getpwuid_r(3).
 *
 * @example
 * ```ts
 * const accounts = new Accounts();
 * (await accounts.byUid(0))?.name; // "root"
 * ```
 */
export class Accounts {
  readonly #known = new Map<number, { account: Promise<Account | undefined>; atMs: number }>();

  /** @returns the account, or undefined if there is none by that number */
  byUid(uid: number): Promise<Account | undefined> {
    const known = this.#known.get(uid);
    if (known && performance.now() - known.atMs < FRESH_MS) return known.account;
    const account = this.#ask(uid);
    this.#known.set(uid, { account, atMs: performance.now() });
    // A server that does not answer just now must not keep anybody out for a minute.
    account.then((found) => found ?? this.#known.delete(uid));
    return account;
  }

  async #ask(uid: number): Promise<Account | undefined> {
    const passwd = new Uint8Array(PASSWD_BYTES);
    const texts = new Uint8Array(TEXT_BYTES);
    const found = new BigUint64Array(1);
    const code = await libc().getpwuid_r(uid, passwd, texts, BigInt(TEXT_BYTES), found);
    if (code !== 0 || found[0] === 0n) return undefined;
    const view = new DataView(passwd.buffer);
    const base = Deno.UnsafePointer.value(Deno.UnsafePointer.of(texts));
    const text = (offset: number) => {
      // The pointers point into `texts`.
      const from = Number(view.getBigUint64(offset, true) - base);
      if (from < 0 || from >= TEXT_BYTES) return "";
      return new TextDecoder().decode(texts.subarray(from, texts.indexOf(0, from)));
    };
    return {
      name: text(0),
      uid: view.getUint32(16, true),
      gid: view.getUint32(20, true),
      home: text(32),
      shell: text(40),
    };
  }
}

/**
 * The accounts in passwd(5). A directory's (LDAP, SSSD) are not there: to ask for all of those may take for ever.
 *
 * @param file where they are
 * @throws {Error} if it cannot be read
 */
export function localAccounts(file: string): Account[] {
  return Deno.readTextFileSync(file).split("\n").flatMap((line) => {
    const [name = "", , uid = "", gid = "", , home = "", shell = ""] = line.split(":");
    // NIS leaves lines such as `+::::::` there.
    const isOne = /^[0-9]+$/.test(uid) && /^[0-9]+$/.test(gid) && home.startsWith("/");
    return isOne ? [{ name, uid: Number(uid), gid: Number(gid), home, shell }] : [];
  });
}

/** @returns whether nobody logs in by such a shell, of passwd's: the account is closed */
export function isClosedShell(shell: string): boolean {
  return /\/(nologin|false)$/.test(shell);
}
