/**
 * What `~` looks for: words, "phrases", word*, -word; other signs have to have a backslash before them.
 * https://support.atlassian.com/jira-software-cloud/docs/search-for-issues-using-the-text-field/
 */

import { Refusal } from "./exchange.ts";

/** @returns whether a text has what is looked for @throws {Refusal} 400, where Jira cannot read it */
export function textMatcher(field: string, wanted: string): (text: string) => boolean {
  const terms = termsOf(field, wanted);
  return (text) => {
    const words = wordsOf(text);
    return terms.every(({ not, has }) => has(words) !== not);
  };
}

interface Term {
  not: boolean;
  has: (words: string[]) => boolean;
}

function termsOf(field: string, wanted: string): Term[] {
  const terms: Term[] = [];
  const unreadable = () => new Refusal(400, [`Unable to parse the text '${wanted}' for field '${field}'.`]);
  // A term: a sign or none, then a phrase, or a word whose odd signs have a backslash before them.
  const term =
    /([+\-!]?)(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"\\+\-!()[\]{}^~:/&|]|\\.|(?<=\S)[-+!]|&(?!&)|\|(?!\|))+))/suy;
  let at = 0;
  while (at < wanted.length) {
    if (/\s/.test(wanted[at] as string)) {
      at++;
      continue;
    }
    term.lastIndex = at;
    const [whole, sign, phrase, word] = term.exec(wanted) ?? [];
    if (whole === undefined) throw unreadable();
    at += whole.length;
    if (phrase !== undefined) {
      terms.push({ not: sign === "-" || sign === "!", has: hasPhrase(wordsOf(bare(phrase))) });
      continue;
    }
    if (word === undefined || ["AND", "OR", "NOT"].includes(word)) throw unreadable();
    if (/^[*?]/.test(word)) {
      throw new Refusal(400, [
        `The text query '${wanted}' for field '${field}' is not allowed to start with character '${
          word[0]
        }'.`,
      ]);
    }
    terms.push({ not: sign === "-" || sign === "!", has: hasWord(word) });
  }
  if (terms.length === 0) {
    throw new Refusal(400, [`The field '${field}' does not support searching for an empty string.`]);
  }
  return terms;
}

function hasWord(word: string): Term["has"] {
  if (/(?<!\\)\*$/.test(word)) {
    const start = wordsOf(bare(word.slice(0, -1)));
    return (words) => start.every((one) => words.some((other) => other.startsWith(one)));
  }
  return hasPhrase(wordsOf(bare(word)));
}

function hasPhrase(phrase: string[]): Term["has"] {
  return (words) => words.some((_, at) => phrase.every((one, offset) => words[at + offset] === one));
}

function bare(text: string): string {
  return text.replace(/\\(.)/gsu, "$1");
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
}
