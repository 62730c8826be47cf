/**
 * The files of `/etc/srvaudit` that are shipped and that an admin changes. What she wrote outlives an uninstallation: a copy of
 * it is kept in `/var/lib/srvaudit`, and a later installation begins with that.
 */

import { replaceFile } from "../../posix/replace_file.ts";
import { removeIfThere, sweepBeside } from "../host_file.ts";
import { stateFolder } from "../journal.ts";
import { packageOf } from "../manifest.ts";
import type { Target } from "../target.ts";
import { closedGroupId } from "./group.ts";

/** Which of them. */
export type EtcName = "config" | "mask";

/** What was there before the first installation; its text is beside the journal, since it may hold secrets. */
export type EtcBefore = null | { mode: number; uid: number; gid: number };

const GROUP = "srvaudit";
const MODE = 0o640;
const PRIVATE = { mode: 0o600, uid: 0, gid: 0 };

/** `/etc/srvaudit/config`, as the host itself calls it. */
export function pathOf(name: EtcName): string {
  return `/etc/srvaudit/${name}`;
}

/** @returns the file's text, or undefined where there is none @throws {Error} if it is no text */
export function presentText(target: Target, name: EtcName): string | undefined {
  return textOf(target.root + pathOf(name));
}

/** What an installation begins with: the file that is there, the one that an earlier uninstallation has kept, or the shipped one. */
export function firstText(target: Target, name: EtcName): string {
  return presentText(target, name) ?? textOf(keptPath(target, name)) ?? shippedText(target, name);
}

/**
 * The file as it comes with this version.
 *
 * @throws {Error} if it is missing
 */
export function shippedText(target: Target, name: EtcName): string {
  const executable = Deno.execPath();
  const own = `${executable.slice(0, executable.lastIndexOf("/"))}/defaults/${name}`;
  const installed = `${target.root}${target.library}/defaults/${name}`;
  const text = textOf(own) ?? textOf(installed);
  if (text === undefined) throw new Error(`${installed} is missing: install srvAudit's files again`);
  return text;
}

/** Whether it is root's, and open to the group alone. */
export function isClosed(target: Target, name: EtcName): boolean {
  const facts = factsOf(target, name);
  return facts !== undefined && facts.mode === MODE && facts.uid === 0 &&
    facts.gid === closedGroupId(target, GROUP);
}

/** Remembers what is there, before it is changed for the first time. */
export function rememberBefore(target: Target, name: EtcName): EtcBefore {
  const facts = factsOf(target, name);
  const text = presentText(target, name);
  if (!facts || text === undefined) return null;
  keep(target, beforePath(target, name), text);
  return facts;
}

/** Writes it, and closes it to all but root and the group: first, where it is open. @throws {Error} */
export function writeText(target: Target, name: EtcName, text: string): void {
  const path = target.root + pathOf(name);
  const gid = closedGroupId(target, GROUP);
  if (gid === undefined) throw new Error(`${path} cannot be written: there is no group ${GROUP}`);
  const isThere = factsOf(target, name) !== undefined;
  if (isThere) setFacts(path, { mode: MODE, uid: 0, gid });
  if (!isThere || textOf(path) !== text) {
    replaceFile(path, encode(text), { mode: MODE, uid: 0, gid }, target.root);
  }
  removeIfThere(keptPath(target, name));
}

/**
 * Puts back what was there before, and keeps what is there now. A package's file stays: dpkg and rpm look after it, and keep
 * what an admin wrote until she purges it.
 */
export function putBack(target: Target, name: EtcName, before: EtcBefore): void {
  const path = target.root + pathOf(name);
  // What a killed run has left beside it.
  sweepBeside(target, pathOf(name));
  const old = textOf(beforePath(target, name));
  // A copy that is gone was put back already, when this was killed.
  if (before && old === undefined) return;
  const present = textOf(path);
  const stays = before !== null && packageOf(target) !== undefined;
  if (present !== undefined && !stays && present !== old && present !== textOf(shippedPath(target, name))) {
    keep(target, keptPath(target, name), present);
  }
  if (before === null) removeIfThere(path);
  else {
    if (old !== undefined && !stays) replaceFile(path, encode(old), before, target.root);
    if (factsOf(target, name)) setFacts(path, before);
  }
  removeIfThere(shippedPath(target, name));
  removeIfThere(beforePath(target, name));
}

/** @returns what the last installation had to ship, if it has remembered that */
export function shippedEarlier(target: Target, name: EtcName): string | undefined {
  return textOf(shippedPath(target, name));
}

/** Remembers what was shipped: whoever leaves it as it is gets the next version's. */
export function rememberShipped(target: Target, name: EtcName, text: string): void {
  keep(target, shippedPath(target, name), text);
}

function keptPath(target: Target, name: EtcName): string {
  return `${stateFolder(target)}/${name}`;
}

function beforePath(target: Target, name: EtcName): string {
  return `${keptPath(target, name)}.before`;
}

function shippedPath(target: Target, name: EtcName): string {
  return `${keptPath(target, name)}.shipped`;
}

function keep(target: Target, path: string, text: string): void {
  Deno.mkdirSync(stateFolder(target), { recursive: true, mode: 0o700 });
  replaceFile(path, encode(text), PRIVATE, target.root);
}

function factsOf(target: Target, name: EtcName): NonNullable<EtcBefore> | undefined {
  const path = target.root + pathOf(name);
  try {
    if (target.root !== "" && Deno.lstatSync(path).isSymlink) {
      throw new Error(`${path} is a link, which may lead out of ${target.root}`);
    }
    const { mode, uid, gid } = Deno.statSync(path);
    return { mode: (mode ?? 0) & 0o7777, uid: uid ?? 0, gid: gid ?? 0 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function setFacts(path: string, { mode, uid, gid }: NonNullable<EtcBefore>): void {
  // Whoever may read it then is to be its new owner's choice, not the old one's.
  Deno.chmodSync(path, mode & 0o600);
  Deno.chownSync(path, uid, gid);
  Deno.chmodSync(path, mode);
}

function textOf(path: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    if (error instanceof TypeError) throw new Error(`${path} is not UTF-8: write it anew as plain text`);
    throw error;
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
