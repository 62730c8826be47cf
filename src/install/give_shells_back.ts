/** Plain shells for users who have `hello`, whatever else is broken on this host. */

import { NoAccountsLockError, withAccountsLocked } from "../posix/account_lock.ts";
import { messageOf } from "../terminal/message_of.ts";
import { giveOnRecord } from "./give_on_record.ts";
import { tellCaches } from "./name_caches.ts";
import { helloOn, oldShells, programsOn } from "./old_shells.ts";
import { withShells } from "./passwd_file.ts";
import type { Target } from "./target.ts";
import { readBelow, writeSomehow } from "./write_somehow.ts";

/** What was done. */
export interface GivenBack {
  /** Who has which shell now: none, too. */
  given: { name: string; shell: string }[];
  /** What went otherwise than it should, and was done all the same. */
  notes: string[];
}

/**
 * Gives users the shell back that they had: by the journal, else by `hello`'s own map, else bash, else sh; one that is there.
 *
 * @param names whose; everybody's without this. Who is named and has a shell that is not there gets one, too
 * @throws {Error} that says why passwd stays as it is, and what to do
 */
export function giveShellsBack(target: Pick<Target, "root">, names?: ReadonlySet<string>): GivenBack {
  const notes: string[] = [];
  let given: GivenBack["given"];
  try {
    given = withAccountsLocked(() => rewrite(target, names, notes), target.root);
  } catch (error) {
    if (!(error instanceof NoAccountsLockError)) throw error;
    // Who waits for a shell does not wait for an editor that somebody has left open.
    notes.push(`${messageOf(error)}; passwd was written all the same: whoever else writes it may undo that`);
    given = rewrite(target, names, notes);
  }
  if (given.length > 0) tellCaches(target);
  return { given, notes };
}

function rewrite(
  target: Pick<Target, "root">,
  names: ReadonlySet<string> | undefined,
  notes: string[],
): GivenBack["given"] {
  const path = `${target.root}/etc/passwd`;
  const now = readBelow(target.root, "/etc/passwd");
  if (now === undefined) {
    throw new Error(`there is no ${path}: is the host's disk mounted at ${target.root}?`);
  }
  const isHello = helloOn(target);
  const isProgram = programsOn(target);
  const plain = plainShells(target);
  const given: GivenBack["given"] = [];
  const then = withShells(now, ({ name, shell }) => {
    const isMeant = names ? names.has(name) && !isProgram(shell || "/bin/sh") : false;
    if (!isMeant && !(isHello(shell) && (names?.has(name) ?? true))) return undefined;
    given.push({ name, shell: plain(name) });
    return plain(name);
  });
  if (given.length > 0) {
    notes.push(...giveOnRecord(target, now, then, () => writeSomehow(path, now, then, target.root), names));
  }
  return given;
}

/** @returns what gives a user's shell */
function plainShells(target: Pick<Target, "root">): (name: string) => string {
  const old = oldShells(target);
  const isHello = helloOn(target);
  const isProgram = programsOn(target);
  return (name) =>
    [old(name), "/bin/bash"].find((shell) => !isHello(shell) && isProgram(shell || "/bin/sh")) ?? "/bin/sh";
}
