/** Whom sshd starts `hello` for, as its configuration says. */

import { localAccounts } from "../posix/accounts.ts";
import type { Account } from "../posix/libc.ts";
import { type GroupLine, groupLines } from "./group_file.ts";
import { readHostText } from "./host_file.ts";
import { directiveOf, SNIPPET, SSHD_CONFIG } from "./sshd_config.ts";
import type { Target } from "./target.ts";

/** Where it is so, and for whom. */
export interface ForcedUsers {
  /** The words behind `Match`, a line each. */
  criteria: string[];
  /** Those of passwd(5) who are meant. */
  accounts: Account[];
}

const FORCES_HELLO = /^exec \S+ --forced$/;

/** @returns undefined where sshd starts it for nobody */
export function forcedUsers(target: Target): ForcedUsers | undefined {
  const criteria = [SNIPPET, SSHD_CONFIG].flatMap((path) => criteriaIn(readHostText(target, path) ?? ""));
  if (criteria.length === 0) return undefined;
  const groups = groupLines(target);
  const accounts = localAccounts(`${target.root}/etc/passwd`).filter((account) =>
    criteria.some((each) => isMeant(each.split(" "), account, groups))
  );
  return { criteria, accounts };
}

function criteriaIn(text: string): string[] {
  let match = "";
  return text.split("\n").flatMap((line) => {
    const { keyword, words } = directiveOf(line);
    if (keyword === "match") match = words.join(" ");
    return keyword === "forcecommand" && FORCES_HELLO.test(words.join(" ")) ? [match] : [];
  });
}

/** As far as such criteria go that `criteriaOf` writes: names, and everybody but some. */
function isMeant(words: readonly string[], { name, gid }: Account, groups: readonly GroupLine[]): boolean {
  const names = (key: string) => {
    const at = words.findIndex((word) => word.toLowerCase() === key);
    return at < 0 ? undefined : words[at + 1]?.split(",") ?? [];
  };
  const users = names("user");
  const ofGroups = names("group");
  if (users && (users.includes(`!${name}`) || !(users.includes("*") || users.includes(name)))) return false;
  return !ofGroups ||
    groups.some((group) =>
      ofGroups.includes(group.name) && (group.gid === gid || group.members.includes(name))
    );
}
