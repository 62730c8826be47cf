/**
 * `srvaudit rescue`: the day when nobody can log in, or nothing works. Each thing is done by itself, whatever became of the
 * others, by what is there: no agent, no config, no journal is needed.
 */

import { Buffer } from "node:buffer";
import { nowUs } from "../record/clock.ts";
import { addGivenShells } from "../record/given_shells.ts";
import { messageOf } from "../terminal/message_of.ts";
import { say } from "../terminal/speak.ts";
import { FIRST, withoutBlock } from "./blocks.ts";
import { detectTarget } from "./detect.ts";
import { giveShellsBack } from "./give_shells_back.ts";
import { PROFILE } from "./manifest.ts";
import { stateFolder } from "./journal.ts";
import { passwdLines } from "./passwd_file.ts";
import type { RescueRequest } from "./request.ts";
import { findSshd, reloadSshd } from "./sshd.ts";
import { SNIPPET, SSHD_CONFIG, withoutForce } from "./sshd_config.ts";
import { readBelow, writeSomehow } from "./write_somehow.ts";

/** The startup files of all distributions. */
const STARTUP_FILES = [
  "/etc/bash.bashrc",
  "/etc/bashrc",
  "/etc/zsh/zshrc",
  "/etc/zsh/zshenv",
  "/etc/zshrc",
  "/etc/zshenv",
  "/etc/fish/config.fish",
];
const NAMES_SHOWN = 50;
/** A line of sshd's configuration that starts hello, whoever wrote it. */
const FORCED = /^[ \t]*ForceCommand[ \t=].*(hello-srvaudit|srvaudit\/hello|audit\/hello)/im;

/** @returns the exit code: 1 if something could not be done; what and why is said */
export async function rescueCommand(request: RescueRequest): Promise<number> {
  const root = (request.root ?? "").replace(/\/+$/, "");
  if (root === "" && Deno.uid() !== 0) {
    say("only root can give users their shells: log in as root, or use sudo");
    return 1;
  }
  const steps = [
    () => shells(root, request.users),
    // Who is named gets a shell; what holds for others stays.
    ...(request.users.length === 0 ? [() => forcedHello(root)] : []),
    ...(request.hooks ? [() => hooks(root)] : []),
  ];
  let code = 0;
  for (const step of steps) {
    try {
      if (!await step()) code = 1;
    } catch (error) {
      say(messageOf(error));
      code = 1;
    }
  }
  return code;
}

function shells(root: string, users: readonly string[]): boolean {
  const { given, notes } = giveShellsBack({ root }, users.length === 0 ? undefined : new Set(users));
  notes.forEach(say);
  for (const [shell, each] of Map.groupBy(given, ({ shell }) => shell)) {
    say(
      `${shell || "no shell, which is /bin/sh,"} is the shell again of ${
        listed(each.map(({ name }) => name))
      }`,
    );
  }
  if (users.length === 0 && given.length === 0) say(`nobody in ${root}/etc/passwd has hello as a shell`);
  const lines = passwdLines(readBelow(root, "/etc/passwd") ?? new Uint8Array());
  let isClean = true;
  for (const user of users.filter((user) => !given.some(({ name }) => name === user))) {
    const line = lines.find(({ name }) => name === user);
    say(
      line
        ? `${user} has ${line.shell || "/bin/sh"}, not hello: it stays`
        : `${root}/etc/passwd has no user ${user}`,
    );
    if (!line) isClean = false;
    // Whoever took hello from her: now she is to be without it.
    else {addGivenShells(stateFolder({ root }), {
        atUs: nowUs(),
        by: `rescue ${user}`,
        shells: { [user]: line.shell },
      });}
  }
  return isClean;
}

/** On a console of 25 lines the rest of what is said must be seen, too. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(", ");
  return names.length > NAMES_SHOWN ? `${shown}, and ${names.length - NAMES_SHOWN} others` : shown;
}

async function forcedHello(root: string): Promise<boolean> {
  let isChanged = false;
  let isClean = true;
  for (const name of [SNIPPET, SSHD_CONFIG]) {
    const path = root + name;
    const bytes = readBelow(root, name);
    if (bytes === undefined) continue;
    const rest = changed(bytes, (text) => withoutForce(text, true));
    if (rest !== undefined) {
      isChanged = true;
      if (rest.length === 0 && name === SNIPPET) Deno.removeSync(path);
      else writeSomehow(path, bytes, rest, root).forEach(say);
      say(`sshd forces hello on nobody any more by ${path}`);
    }
    if (FORCED.test(latin1(rest ?? bytes))) {
      say(
        `${path} has a ForceCommand that starts hello, outside of our marks: take it away, and reload sshd`,
      );
      isClean = false;
    }
  }
  if (isChanged && root === "") await reload();
  return isClean;
}

async function reload(): Promise<void> {
  const sshd = findSshd();
  if (sshd === undefined) return;
  try {
    await reloadSshd(detectTarget(), sshd);
    say("sshd was reloaded, if it runs");
  } catch (error) {
    throw new Error(`${messageOf(error)}\nsshd still has the old configuration: mend that, and restart it`);
  }
}

function hooks(root: string): boolean {
  let isClean = true;
  for (const name of STARTUP_FILES) {
    const path = root + name;
    const bytes = readBelow(root, name);
    if (bytes === undefined) continue;
    const rest = changed(bytes, (text) => withoutBlock(text, true));
    if (rest !== undefined) {
      writeSomehow(path, bytes, rest, root).forEach(say);
      say(`the hooks are gone from ${path}`);
    }
    if (latin1(rest ?? bytes).includes(FIRST)) {
      say(`${path} has our first mark, and no last one: take our lines away with an editor`);
      isClean = false;
    }
  }
  if (readBelow(root, PROFILE) !== undefined) {
    Deno.removeSync(root + PROFILE);
    say(`${root}${PROFILE} is gone`);
  }
  return isClean;
}

/** @returns what is left when all blocks are out; undefined where there was none */
function changed(bytes: Uint8Array, without: (text: string) => string): Uint8Array | undefined {
  const text = latin1(bytes);
  let rest = text;
  for (let last = ""; last !== rest;) {
    last = rest;
    rest = without(rest);
  }
  return rest === text ? undefined : new Uint8Array(Buffer.from(rest, "latin1"));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
