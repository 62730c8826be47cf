/** Who has lost `hello` as her login shell, and by whom: what passwd says, against what is known. */

import type { KnownShell } from "../evidence/login_shell_rows.ts";
import { isClosedShell } from "../posix/accounts.ts";
import type { GivenShells } from "../record/given_shells.ts";

/** A user of passwd. */
export interface PasswdShell {
  name: string;
  uid: number;
  /** None is `/bin/sh`, as it is for login(1). */
  shell: string;
}

/** A user who has `hello` no more. */
export interface LostShell extends PasswdShell {
  /** What she had. */
  from: string;
  /** Which program of srvAudit's gave her this one; undefined where none did. */
  by: string | undefined;
}

/** What is known besides of what passwd says. */
export interface ShellKnowledge {
  /** What was last seen of those who have, or have had, `hello`. */
  known: ReadonlyMap<string, KnownShell>;
  /** Whom `srvaudit install` gave it: which path, by name. It counts where nothing was seen of her yet. */
  installed: ReadonlyMap<string, string>;
  /** Whom srvAudit itself gave a plain shell again. */
  given: readonly GivenShells[];
  isHello(shell: string): boolean;
  /** The time before passwd was read. */
  nowUs: number;
}

/** What is new. */
export interface ShellNews {
  /** What is known now, of those of whom something else was known. */
  known: KnownShell[];
  /** Who has it no more. */
  lost: LostShell[];
}

/**
 * Compares. Who is in passwd no more, or cannot log in, stays as she was known.
 *
 * @param passwd its users; of several by one name the first counts, as it does for who logs in
 */
export function compareShells(passwd: Iterable<PasswdShell>, knowledge: ShellKnowledge): ShellNews {
  const { known, installed, given, isHello, nowUs } = knowledge;
  const news: ShellNews = { known: [], lost: [] };
  const seen = new Set<string>();
  for (const { name, uid, shell } of passwd) {
    if (seen.has(name)) continue;
    seen.add(name);
    const row = known.get(name);
    if (isHello(shell)) {
      const sinceUs = row?.isHello ? row.sinceUs : nowUs;
      if (row?.shell !== shell) news.known.push({ name, shell, isHello: true, sinceUs });
      continue;
    }
    const was = row ?? knownBy(installed, name);
    // Her account is closed. If it is opened again with another shell, that is said then.
    if (!was?.isHello || isClosedShell(shell)) continue;
    news.known.push({ name, shell, isHello: false, sinceUs: nowUs });
    const last = given.findLast(({ atUs, shells }) => atUs >= was.sinceUs && Object.hasOwn(shells, name));
    const by = last?.shells[name] === shell ? last.by : undefined;
    news.lost.push({ name, uid, shell, from: was.shell, by });
  }
  return news;
}

function knownBy(installed: ReadonlyMap<string, string>, name: string): KnownShell | undefined {
  const shell = installed.get(name);
  return shell === undefined ? undefined : { name, shell, isHello: true, sinceUs: 0 };
}
