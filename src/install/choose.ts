/** Who gets `hello` by this run, how, and as whom it is tried out before. */

import type { Answers } from "./answers.ts";
import type { Change } from "./change.ts";
import { chooseForced } from "./choose_forced.ts";
import { forceCommand } from "./kinds/force_command.ts";
import { loginShellsChange } from "./kinds/login_shells.ts";
import { chooseUsers } from "./people.ts";
import type { Target } from "./target.ts";
import type { TriedUser } from "./try_out.ts";

/** So many are tried out at most, unless there are more kinds of shells. */
const TRIED_AT_MOST = 20;

/** What comes of the answers. */
export interface Chosen {
  /** What gives them `hello`; undefined where everybody who was chosen has it, or nobody was. */
  change: Change | undefined;
  /** Everybody who is meant. */
  users: readonly TriedUser[];
  /** Who was asked for, and is left as she is. */
  left: readonly { name: string; why: string }[];
}

/**
 * @param sick who is left out besides: whom the try-out failed for
 * @throws {Error} if somebody was named who cannot get it
 */
export async function chooseAll(
  target: Target,
  { who, forceCommand: isForced }: Answers,
  sick: Chosen["left"] = [],
): Promise<Chosen> {
  if (!isForced) {
    const chosen = chooseUsers(target, who);
    const names = new Set(sick.map(({ name }) => name));
    const users = chosen.users.filter(({ name }) => !names.has(name));
    return { change: loginShellsChange(target, users), users, left: [...chosen.left, ...sick] };
  }
  const forced = await chooseForced(target, who, sick);
  if (!forced) return { change: undefined, users: [], left: [] };
  const { match, accounts, left } = forced;
  const change = { kind: forceCommand, about: match, args: { match } };
  if (who.who !== "all") return { change, users: accounts, left };
  // Services have shells that sshd would use, too: nobody is to log in as one of them to see whether people can.
  const names = new Set(accounts.map(({ name }) => name));
  return { change, users: chooseUsers(target, who).users.filter(({ name }) => names.has(name)), left };
}

/**
 * As whom it is tried out: one at least for each shell.
 *
 * @example
 * ```ts
 * sampleOf([{ name: "ann", shell: "/bin/bash" }, { name: "bob", shell: "/bin/zsh" }]); // both
 * ```
 */
export function sampleOf(users: readonly TriedUser[]): TriedUser[] {
  const first = [...new Map(users.toReversed().map((user) => [user.shell, user])).values()];
  const others = users.filter((user) => !first.includes(user));
  return [...first, ...others.slice(0, Math.max(0, TRIED_AT_MOST - first.length))];
}
