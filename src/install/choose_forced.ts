/** Whom sshd can start `hello` for without taking more from them, or giving them more, than that. */

import { Buffer } from "node:buffer";
import { localAccounts } from "../posix/accounts.ts";
import { asUser } from "../posix/as_user.ts";
import type { Account } from "../posix/libc.ts";
import { FileRefusedError, PlainFile } from "../posix/plain_file.ts";
import { messageOf } from "../terminal/message_of.ts";
import type { Who } from "./answers.ts";
import { groupIn, groupLines } from "./group_file.ts";
import { findSshd, settingsFor, type SshdSettings } from "./sshd.ts";
import { directiveOf, forcedCommand, matchName } from "./sshd_config.ts";
import type { Target } from "./target.ts";

/** sshd runs a ForceCommand by the user's shell: these run any command. */
const SHELLS = /^(|.*\/(bash|zsh|fish|sh|dash|ash|ksh|ksh93|mksh|tcsh|csh|hello|hello-srvaudit))$/;
/** Whoever has these logs in by no means. */
const NO_SHELLS = /\/(nologin|false|true|sync|halt|shutdown)$/;
/** sshd takes a moment to tell of one user. */
const MOST_ASKED = 500;
/** Larger than any that sshd would like to read. */
const MOST_KEYS_BYTES = 1 << 20;
const EACCES = 13;

/** Who is forced. */
export interface Forced {
  /** For the change `forceCommand`. */
  match: string;
  /** Who is meant, as far as passwd has them; those of a directory (LDAP, SSSD) where they or their group were named. */
  accounts: Account[];
  /** Who would have been meant and is left out, and why. */
  left: { name: string; why: string }[];
}

/**
 * sshd's first ForceCommand counts, and sets aside the `command=` of a key: a key that is for backups alone would open all
 * of the account, and a user who is kept to sftp would get a shell. So such users are left out, or, where they are named, it
 * is refused.
 *
 * @param sick who is left out besides
 * @returns undefined for nobody
 * @throws {Error} that says of whom it cannot be done who was named, and why
 */
export async function chooseForced(
  target: Target,
  who: Who,
  sick: readonly Forced["left"][number][] = [],
): Promise<Forced | undefined> {
  if (who.who === "nobody") return undefined;
  const accounts = who.who === "users"
    ? who.names.map((name) => accountOf(target, name))
    : who.who === "group"
    ? membersOf(target, who.group)
    : everybody(target);
  const hindered = await hindrances(target, accounts);
  const left = [...hindered, ...sick];
  if (who.who === "users") {
    if (hindered.length > 0) {
      throw new Error(
        hindered.map(({ name, why }) => `sshd cannot start hello for ${name}: ${why}`).join("\n"),
      );
    }
    const isWell = ({ name }: Account) => !sick.some((one) => one.name === name);
    // By the names that were given: a directory may have others for the same accounts.
    const names = who.names.filter((_, i) => accounts.slice(i, i + 1).some(isWell));
    if (names.length === 0) return undefined;
    return { match: `User ${names.map(matchName).join(",")}`, accounts: accounts.filter(isWell), left };
  }
  for (const { name, uid } of accounts) {
    if (uid === 0) left.push({ name, why: "she is root by another name" });
  }
  const without = new Set(left.map(({ name }) => name));
  const users = ["*", "root", ...Array.from(without, matchName)].join(",!");
  return {
    match: who.who === "all" ? `User ${users}` : `Group ${matchName(who.group)} User ${users}`,
    accounts: accounts.filter(({ name }) => !without.has(name)),
    left,
  };
}

/** Why sshd should not, or cannot, start `hello` for some of these. */
export async function hindrances(
  target: Target,
  accounts: readonly Account[],
): Promise<{ name: string; why: string }[]> {
  const sshd = target.root === "" ? findSshd() : undefined;
  const ours = forcedCommand(target.hello);
  const isAsked = sshd !== undefined && namesAnother(target, ours);
  if (isAsked && accounts.length > MOST_ASKED) {
    throw new Error(
      `sshd's configuration forces commands, or a chroot, on some, and ${accounts.length} users are too many to ask sshd ` +
        `about: name the users (--users)`,
    );
  }
  const everywhere = sshd === undefined ? undefined : await settingsFor(sshd);
  const found: { name: string; why: string }[] = [];
  for (const account of accounts) {
    const settings = isAsked ? await settingsFor(sshd, account.name) : everywhere;
    const why = hindranceOf(target, account, settings, ours);
    if (why !== undefined) found.push({ name: account.name, why });
  }
  return found;
}

function hindranceOf(
  target: Target,
  account: Account,
  settings: SshdSettings | undefined,
  ours: string,
): string | undefined {
  const { shell } = account;
  if (!SHELLS.test(shell)) return `her shell ${shell} runs no commands of sshd's`;
  const value = (key: string) => settings?.get(key)?.[0] ?? "none";
  const forced = value("forcecommand");
  if (forced !== "none" && forced !== ours) return `sshd's configuration has ForceCommand ${forced} for her`;
  const chroot = value("chrootdirectory");
  if (chroot !== "none") return `sshd keeps her in ${chroot} (ChrootDirectory), where there is no hello`;
  try {
    const file = keysWithCommand(target, account, settings?.get("authorizedkeysfile")?.[0]);
    return file &&
      `${file} has keys with a command=, which sshd would set aside: they would open all of the account`;
  } catch (error) {
    // Of her file: it keeps nobody else from it.
    return messageOf(error);
  }
}

/** @returns the first of a user's files of keys that has one with a command of its own */
function keysWithCommand(target: Target, account: Account, patterns?: string): string | undefined {
  for (const pattern of (patterns ?? ".ssh/authorized_keys .ssh/authorized_keys2").split(" ")) {
    const name = pattern.replace(/%[%huU]/g, (token) => tokenOf(token, account));
    if (name === "none" || name === "") continue;
    const path = target.root + (name.startsWith("/") ? name : `${account.home}/${name}`);
    if (commandIsIn(keysIn(path, account))) return path;
  }
  return undefined;
}

function tokenOf(token: string, { name, uid, home }: Account): string {
  return token === "%h" ? home : token === "%u" ? name : token === "%U" ? String(uid) : "%";
}

/** Options stand before the key's type: sshd(8), AUTHORIZED_KEYS FILE FORMAT. */
function commandIsIn(keys: string): boolean {
  return keys.split("\n").some((line) =>
    !/^\s*(#|ssh-|ecdsa-|sk-)/.test(line) && /(^|[\s,])command\s*=\s*"/i.test(line)
  );
}

/** Opened as the user herself, as sshd does, through links of hers: it lies in her home. What she cannot read sshd cannot. */
function keysIn(path: string, { uid, gid }: Account): string {
  try {
    return asUser({ uid, gid }, () => {
      using file = PlainFile.open(realPathOf(path));
      if (!file) return "";
      if (file.facts.size > MOST_KEYS_BYTES) throw new Error("it is too large");
      const bytes = new Uint8Array(file.facts.size);
      return Buffer.from(bytes.subarray(0, file.read(bytes, 0))).toString("latin1");
    });
  } catch (error) {
    if (error instanceof FileRefusedError && error.errno === EACCES) return "";
    throw new Error(`whether ${path} has keys with a command= cannot be told: ${messageOf(error)}`);
  }
}

function realPathOf(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    // It is not there, or closed to her: opening it tells.
    return path;
  }
}

/** Whether there may be another ForceCommand, or a ChrootDirectory, for anybody: then sshd is asked about each user. */
function namesAnother(target: Target, ours: string): boolean {
  return filesBelow(`${target.root}/etc/ssh`).some((path) =>
    Deno.readTextFileSync(path).split("\n").map(directiveOf).some(({ keyword, words }) =>
      (keyword === "forcecommand" && words.join(" ") !== ours) || keyword === "chrootdirectory" ||
      (keyword === "include" && words.some((word) => word.startsWith("/") && !word.startsWith("/etc/ssh/")))
    )
  );
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory, isFile }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return filesBelow(path);
    return isFile && (name === "sshd_config" || name.endsWith(".conf")) ? [path] : [];
  });
}

/** Whoever passwd has and can log in; root is not meant. */
function everybody(target: Target): Account[] {
  return localAccounts(`${target.root}/etc/passwd`).filter((account) =>
    account.name !== "root" && letsIn(account)
  );
}

/** Whether an account's shell lets anybody in at all. */
export function letsIn({ shell }: Account): boolean {
  return !NO_SHELLS.test(shell);
}

/** @throws {Error} if there is no such group */
function membersOf(target: Target, group: string): Account[] {
  const found = groupLines(target).find(({ name }) => name === group) ??
    (target.root === "" ? groupIn(getentLine("group", group) ?? "") : undefined);
  if (!found) throw new Error(`there is no group ${group}: see getent group`);
  const accounts = everybody(target);
  const named = found.members.filter((name) => name !== "root").flatMap((name) => {
    const local = accounts.find((account) => account.name === name);
    const account = local ?? (target.root === "" ? getent(name) : undefined);
    return account ? [account] : [];
  });
  return [...new Set([...accounts.filter((account) => account.gid === found.gid), ...named])];
}

function accountOf(target: Target, name: string): Account {
  matchName(name);
  const local = localAccounts(`${target.root}/etc/passwd`).find((account) => account.name === name);
  if (local) return local;
  const asked = target.root === "" ? getent(name) : undefined;
  if (asked) return asked;
  throw new Error(`there is no user ${name}: see getent passwd ${name}`);
}

/** A directory's users (LDAP, SSSD) are not in passwd: that is what force-command is for. */
function getent(name: string): Account | undefined {
  const [found = "", , uid = "", gid = "", , home = "", shell = ""] =
    getentLine("passwd", name)?.split(":") ?? [];
  return found === "" ? undefined : { name: found, uid: Number(uid), gid: Number(gid), home, shell };
}

function getentLine(database: "passwd" | "group", name: string): string | undefined {
  const { success, stdout } = new Deno.Command("getent", { args: [database, "--", name], stderr: "null" })
    .outputSync();
  return success ? new TextDecoder().decode(stdout).trimEnd() : undefined;
}
