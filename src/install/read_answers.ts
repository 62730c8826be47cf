/** What an admin gives before she is asked: flags, and a file of answers. */

import { Buffer } from "node:buffer";
import { CONFIG_KEYS, isSecret } from "../config/agent_settings.ts";
import { ConfigError, parseLine } from "../config/key_values.ts";
import { nearestWord } from "../config/nearest_word.ts";
import { names, yesOrNo } from "../config/values.ts";
import { messageOf } from "../terminal/message_of.ts";
import type { Answers, GivenAnswers, InstallFlags, Who } from "./answers.ts";
import { quoted } from "./config_text.ts";

/** What was given cannot be used. It says what, and what to do; no secret is in it. */
export class AnswersError extends Error {
  override name = "AnswersError";
}

/** What an answers file may say besides the config's keys, and the flag that says the same. */
const OWN_KEYS: Readonly<Record<string, string>> = {
  users: "--users",
  group: "--group",
  all: "--all",
  forceCommand: "--force-command",
  testTicket: "--test-ticket",
  safety: "--no-safety",
};
/** Of a file's mode: what lets others than its owner read it. */
const OTHERS_READ = 0o044;

/**
 * @throws {AnswersError}
 *
 * @example
 * ```ts
 * readAnswers({ ...noFlags, set: ["pms=Redmine"], setFrom: ["redmineKey=/root/key"], users: "ann,bob" });
 * ```
 */
export function readAnswers(flags: InstallFlags): GivenAnswers {
  const fromFile = flags.answers === undefined ? NOTHING : answersIn(flags.answers);
  const who = whoOf(flags, "only one of --users, --group, --all and --nobody can be given") ?? fromFile.who;
  const forceCommand = flags.forceCommand || fromFile.forceCommand;
  if (forceCommand && who?.who === "nobody") {
    throw new AnswersError("--force-command needs somebody: --users, --group or --all");
  }
  return {
    config: { ...fromFile.config, ...configOf(flags) },
    who,
    forceCommand,
    testTicket: flags.testTicket === undefined ? fromFile.testTicket : ticketKey(flags.testTicket),
    hasSafety: flags.noSafety ? false : fromFile.hasSafety,
  };
}

/**
 * What holds where nobody is asked: who has said nothing wants nothing changed.
 *
 * @throws {AnswersError}
 */
export function withoutAsking(given: GivenAnswers): Answers {
  const { config, testTicket, who = { who: "nobody" }, forceCommand = false, hasSafety = true } = given;
  if (forceCommand && who.who === "nobody") {
    throw new AnswersError("--force-command needs somebody: --users, --group or --all");
  }
  return { config, who, forceCommand, testTicket, hasSafety };
}

const NOTHING: GivenAnswers = {
  config: {},
  who: undefined,
  forceCommand: undefined,
  testTicket: undefined,
  hasSafety: undefined,
};

function configOf({ set, setFrom }: InstallFlags): Record<string, string> {
  const config: Record<string, string> = {};
  const add = (flag: string, given: string, valueOf: (key: string, text: string) => string) => {
    const at = given.indexOf("=");
    // The whole is not shown: what was meant for a value may be a secret.
    if (at < 0) throw new AnswersError(`${flag} needs KEY=${flag === "--set" ? "VALUE" : "FILE"}`);
    const key = given.slice(0, at);
    const fault = faultOfKey(key, CONFIG_KEYS);
    if (fault !== undefined) throw new AnswersError(`${flag} ${fault}`);
    if (Object.hasOwn(config, key)) throw new AnswersError(`${flag} ${key}: it is given twice`);
    const value = valueOf(key, given.slice(at + 1));
    config[key] = writable(value, `${flag} ${key}`);
  };
  for (const given of set) add("--set", given, (key, value) => noSecret(key, value));
  for (const given of setFrom) add("--set-from", given, (key, file) => valueIn(key, file));
  return config;
}

function noSecret(key: string, value: string): string {
  if (!isSecret(key, value)) return value;
  throw new AnswersError(
    `--set ${key} is refused: everybody on this host can read a command line, and it is a secret. Put it into a file ` +
      `that only root can read, and say --set-from ${key}=FILE; or put ${key}="..." into one for --answers`,
  );
}

function valueIn(key: string, file: string): string {
  const { text, isOpen } = textOf(file, `--set-from ${key}`);
  const value = text.replace(/\r?\n$/, "");
  if (isOpen && isSecret(key, value)) throw openToOthers(file);
  return value;
}

function writable(value: string, where: string): string {
  try {
    quoted(value);
    return value;
  } catch (error) {
    throw new AnswersError(`${where} ${messageOf(error)}`, { cause: error });
  }
}

/** What `--answers FILE` says. */
function answersIn(file: string): GivenAnswers {
  const { text, isOpen } = textOf(file, "--answers");
  const config: Record<string, string> = {};
  const own = new Map<string, { value: string; where: string }>();
  text.split("\n").forEach((raw, index) => {
    const where = `${file}: line ${index + 1}:`;
    const found = lineOf(raw, index + 1, file);
    if (!found) return;
    const { key, value } = found;
    const fault = faultOfKey(key, [...CONFIG_KEYS, ...Object.keys(OWN_KEYS)]);
    if (fault !== undefined) throw new AnswersError(`${where} ${fault}`);
    if (Object.hasOwn(config, key) || own.has(key)) {
      throw new AnswersError(`${where} ${key} stands there already`);
    }
    if (isOpen && isSecret(key, value)) throw openToOthers(file);
    if (Object.hasOwn(OWN_KEYS, key)) own.set(key, { value, where: `${where} ${key}` });
    else config[key] = writable(value, `${where} ${key}`);
  });
  const read = <Value>(key: string, as: (value: string) => Value): Value | undefined => {
    const given = own.get(key);
    if (!given || given.value === "") return undefined;
    try {
      return as(given.value);
    } catch (error) {
      throw new AnswersError(`${given.where}="${given.value}" ${messageOf(error)}`, { cause: error });
    }
  };
  const people = {
    users: read("users", String),
    group: read("group", String),
    all: read("all", yesOrNo) ?? false,
    nobody: false,
  };
  return {
    config,
    who: whoOf(people, `${file}: only one of users, group and all can be given`),
    forceCommand: read("forceCommand", yesOrNo),
    testTicket: read("testTicket", ticketKey),
    hasSafety: read("safety", yesOrNo),
  };
}

function lineOf(raw: string, line: number, file: string) {
  try {
    return parseLine(raw, line, file);
  } catch (error) {
    if (error instanceof ConfigError) throw new AnswersError(error.message, { cause: error });
    throw error;
  }
}

/** @returns undefined where nothing is said */
function whoOf(
  { users, group, all, nobody }: Pick<InstallFlags, "users" | "group" | "all" | "nobody">,
  tooMany: string,
): Who | undefined {
  const said: Who[] = [];
  if (users !== undefined) said.push({ who: "users", names: usersIn(users) });
  if (group !== undefined) said.push({ who: "group", group: groupIn(group) });
  if (all) said.push({ who: "all" });
  if (nobody) said.push({ who: "nobody" });
  if (said.length > 1) throw new AnswersError(tooMany);
  return said[0];
}

/**
 * @param text names, parted by blanks or commas
 * @throws {AnswersError}
 */
export function usersIn(text: string): string[] {
  const found = [...new Set(names(text))];
  if (found.length === 0) throw new AnswersError("users: nobody is named");
  for (const name of found) named(name, "a user");
  return found;
}

/** @throws {AnswersError} */
export function groupIn(text: string): string {
  return named(text.trim(), "a group");
}

/** Passwd and group have lines of fields: what would end one is in nobody's name. */
function named(name: string, what: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what this is about
  if (/^[^\s:,/\x00-\x1f\x7f-][^\s:,/\x00-\x1f\x7f]*$/.test(name)) return name;
  throw new AnswersError(`"${name}" is no name of ${what}`);
}

function ticketKey(value: string): string {
  const key = value.trim();
  // deno-lint-ignore no-control-regex -- control characters are what this is about
  if (/^[^\s\x00-\x1f\x7f]{1,100}$/.test(key)) return key;
  throw new AnswersError("the test ticket's key is to be as it is typed at a login: 17, or OPS-17");
}

function faultOfKey(key: string, known: readonly string[]): string | undefined {
  if (known.includes(key)) return undefined;
  const flag = Object.hasOwn(OWN_KEYS, key) ? OWN_KEYS[key] : undefined;
  if (flag !== undefined) return `${key}: that is said by ${flag}`;
  const meant = nearestWord(key, known);
  return `${key}: there is no such key${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

/** @returns the file's text, and whether others can read it */
function textOf(file: string, flag: string): { text: string; isOpen: boolean } {
  try {
    using opened = Deno.openSync(file);
    const { mode } = opened.statSync();
    const bytes = readAll(opened);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { text, isOpen: ((mode ?? 0) & OTHERS_READ) !== 0 };
  } catch (error) {
    const why = error instanceof TypeError ? "it is no UTF-8 text" : messageOf(error);
    throw new AnswersError(`${flag}: ${file} cannot be read: ${why}`, { cause: error });
  }
}

/** Also of a pipe, whose size nobody knows. */
function readAll(file: Deno.FsFile): Uint8Array {
  const pieces: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
    pieces.push(buffer.slice(0, count));
  }
  return Buffer.concat(pieces);
}

function openToOthers(file: string): AnswersError {
  return new AnswersError(
    `${file} has a secret in it and others can read it: chmod 600 ${file}, and change that secret if they may have`,
  );
}
