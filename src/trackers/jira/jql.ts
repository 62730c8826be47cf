/**
 * Questions in JQL. The reference is support.atlassian.com/jira-software-cloud/docs/use-advanced-search-with-jira-query-language-jql
 * and, for what stands in a text, "Search syntax for text fields": within a phrase, only `"` and `\` mean anything.
 */

/** What is looked for. */
export interface Wanted {
  /** All of them must be there. */
  words: readonly string[];
  /** Whose tickets, where there are no words: a user as JQL names her; undefined for the account that asks. */
  assignee: string | undefined;
  /** By key; none: all. */
  projects: readonly string[];
  /** Closed tickets as well. */
  closedToo: boolean;
}

/**
 * Writes a question for tickets, newest first.
 *
 * @example
 * ```ts
 * jqlOf({ words: ["disk"], assignee: undefined, projects: ["OPS"], closedToo: false });
 * // text ~ "disk" AND project in ("OPS") AND statusCategory != Done ORDER BY created DESC, key DESC
 * ```
 */
export function jqlOf({ words, assignee, projects, closedToo }: Wanted): string {
  const conditions = words.map((word) => `text ~ ${literalOf(termOf(word))}`);
  if (conditions.length === 0) {
    conditions.push(`assignee = ${assignee === undefined ? "currentUser()" : literalOf(assignee)}`);
  }
  if (projects.length > 0) conditions.push(`project in (${projects.map(literalOf).join(", ")})`);
  if (!closedToo) conditions.push("statusCategory != Done");
  return `${conditions.join(" AND ")} ORDER BY created DESC, key DESC`;
}

/**
 * The words of a search, each once; what has neither a letter nor a digit in it is in no index.
 *
 * @param words separated by blanks
 */
export function wordsOf(words: string): string[] {
  return [...new Set(words.toWellFormed().split(/[\s\p{C}]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word)))];
}

/**
 * A word of letters and digits is looked for in all its forms. Any other one is a phrase, in which characters and the words
 * AND, OR and NOT mean nothing; a quote or a backslash would, and is in no index.
 */
function termOf(word: string): string {
  const plain = /^[\p{L}\p{M}\p{N}]+$/u.test(word) && !/^(?:AND|OR|NOT|TO)$/.test(word);
  return plain ? word : `"${word.replace(/["\\]+/g, " ").trim()}"`;
}

function literalOf(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
