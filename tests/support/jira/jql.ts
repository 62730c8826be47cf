/**
 * The part of JQL that a client of tickets uses, read as strictly as Jira reads it:
 * https://support.atlassian.com/jira-software-cloud/docs/use-advanced-search-with-jira-query-language-jql/ and
 * https://confluence.atlassian.com/jirasoftwareserver/advanced-searching-939938733.html
 */

import { Refusal } from "./exchange.ts";

/** A value: a text, or a function that stands for one. */
export type Operand = { text: string } | { call: string };

/** A condition. */
export type Condition =
  | { kind: "and" | "or"; all: Condition[] }
  | { kind: "not"; one: Condition }
  | { kind: "clause"; field: string; operator: string; operands: Operand[] };

/** A query. */
export interface Query {
  where: Condition | undefined;
  orderBy: { field: string; descending: boolean }[];
}

interface Token {
  kind: "word" | "text" | "sign" | "end";
  value: string;
  at: number;
}

// Of the page "JQL reserved words"; those that nobody would search for in an admin's ticket are left out.
const RESERVED = new Set(
  ("abort access add after alias all alter and any as asc audit avg before begin between boolean break by byte catch changed " +
    "char check checkpoint collate collation column commit connect continue count create current date decimal declare " +
    "decrement default defaults define delete delimiter desc difference distinct divide do double drop else empty encoding " +
    "end equals escape exclusive exec execute exists explain false fetch file field first float for from function go goto " +
    "grant greater group having identified if immediate in increment index initial inner inout input insert int integer " +
    "intersect intersection into is isempty isnull join last left less like limit lock long max min minus mode modify modulo " +
    "more multiply next noaudit not notin nowait null number object of on option or order outer output power previous prior " +
    "privileges public raise raw remainder rename resource return returns revoke right row rowid rownum rows select session " +
    "set share size sqrt start strict string subtract sum synonym table then to trans transaction trigger true uid union " +
    "unique update user validate values view was when whenever where while with").split(" "),
);

/** @throws {Refusal} 400, as Jira says it, where it is no query */
export function parseJql(text: string): Query {
  const tokens = tokensOf(text);
  let next = 0;
  const peek = () => tokens[next] as Token; // the end is never taken, so that there always is one
  const isWord = (...words: string[]) => peek().kind === "word" && words.includes(peek().value.toLowerCase());
  const isSign = (...signs: string[]) => peek().kind === "sign" && signs.includes(peek().value);
  const take = () => tokens[next++] as Token;

  function expected(what: string): Refusal {
    const { kind, value, at } = peek();
    if (kind === "end") return broken(`Expecting ${what} before the end of the query.`);
    return broken(`Expecting ${what} but got '${value}'. (line 1, character ${at + 1})`);
  }
  function any(): Condition {
    const all = [every()];
    while (isWord("or") || isSign("|", "||")) {
      take();
      all.push(every());
    }
    return all.length === 1 ? all[0] as Condition : { kind: "or", all };
  }
  function every(): Condition {
    const all = [one()];
    while (isWord("and") || isSign("&", "&&")) {
      take();
      all.push(one());
    }
    return all.length === 1 ? all[0] as Condition : { kind: "and", all };
  }
  function one(): Condition {
    if (isWord("not") || isSign("!")) {
      take();
      return { kind: "not", one: one() };
    }
    if (!isSign("(")) return clause();
    take();
    const inner = any();
    if (!isSign(")")) throw expected("')'");
    take();
    return inner;
  }
  function clause(): Condition {
    if (peek().kind !== "word" && peek().kind !== "text") throw expected("field name");
    const field = plain(take()).toLowerCase();
    const operator = operatorOf();
    if (operator !== "in" && operator !== "not in") {
      return { kind: "clause", field, operator, operands: [operand()] };
    }
    if (!isSign("(")) throw expected("'('");
    take();
    const operands = [operand()];
    while (isSign(",")) {
      take();
      operands.push(operand());
    }
    if (!isSign(")")) throw expected("')'");
    take();
    return { kind: "clause", field, operator, operands };
  }
  function operatorOf(): string {
    if (isSign("=", "!=", "~", "!~", "<", "<=", ">", ">=")) return take().value;
    if (isWord("in")) return take().value.toLowerCase();
    if (isWord("not")) {
      take();
      if (!isWord("in")) throw expected("'IN'");
      take();
      return "not in";
    }
    if (!isWord("is")) throw expected("operator");
    take();
    if (!isWord("not")) return "is";
    take();
    return "is not";
  }
  function operand(): Operand {
    if (isWord("empty", "null")) {
      take();
      return { call: "empty" };
    }
    if (peek().kind !== "word" && peek().kind !== "text") throw expected("either a value, list or function");
    const token = take();
    if (token.kind === "word" && isSign("(")) {
      take();
      if (!isSign(")")) throw expected("')'");
      take();
      return { call: token.value };
    }
    return { text: plain(token) };
  }
  function order(): Query["orderBy"] {
    if (!isWord("order")) return [];
    take();
    if (!isWord("by")) throw expected("'by'");
    const orderBy: Query["orderBy"] = [];
    do {
      take();
      if (peek().kind !== "word" && peek().kind !== "text") throw expected("field name");
      const field = plain(take()).toLowerCase();
      const descending = isWord("desc");
      if (isWord("asc", "desc")) take();
      orderBy.push({ field, descending });
    } while (isSign(","));
    return orderBy;
  }

  const where = peek().kind === "end" || isWord("order") ? undefined : any();
  const orderBy = order();
  if (peek().kind !== "end") throw expected("either 'OR' or 'AND'");
  return { where, orderBy };
}

/** A word that is a value or a name, not one of JQL's own. */
function plain(token: Token): string {
  if (token.kind === "word" && RESERVED.has(token.value.toLowerCase())) {
    throw broken(
      `'${token.value}' is a reserved JQL word. You must surround it in quotation marks to use it in a query. (line 1, character ${
        token.at + 1
      })`,
    );
  }
  return token.value;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const space = /^\s+/.exec(rest)?.[0];
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const quote = text[at];
    if (quote === '"' || quote === "'") {
      const { value, end } = quoted(text, at);
      tokens.push({ kind: "text", value, at });
      at = end;
      continue;
    }
    const sign = /^(?:!=|!~|<=|>=|&&|\|\||[=~<>!&|(),])/.exec(rest)?.[0];
    const word = /^[\p{L}\p{N}_:\-]+/u.exec(rest)?.[0];
    const found = sign ?? word;
    if (found === undefined) {
      throw broken(
        `The character '${quote}' is a reserved JQL character. You must enclose it in a string or use the escape '\\u${
          text.charCodeAt(at).toString(16).padStart(4, "0")
        }' instead. (line 1, character ${at + 1})`,
      );
    }
    tokens.push({ kind: sign === undefined ? "word" : "sign", value: found, at });
    at += found.length;
  }
  return [...tokens, { kind: "end", value: "", at }];
}

const ESCAPES: Record<string, string> = {
  n: "\n",
  r: "\r",
  t: "\t",
  "\\": "\\",
  "'": "'",
  '"': '"',
  " ": " ",
};

/** A text in quotation marks, from the first of them on. */
function quoted(text: string, from: number): { value: string; end: number } {
  const quote = text[from];
  let value = "";
  for (let at = from + 1; at < text.length; at++) {
    const character = text[at] as string; // `at` is inside
    if (character === quote) return { value, end: at + 1 };
    if (character !== "\\") {
      // Lines do not go on inside of quotation marks.
      if (character === "\n" || character === "\r") break;
      value += character;
      continue;
    }
    const escaped = text[at + 1] ?? "";
    const code = /^u([0-9a-fA-F]{4})/.exec(text.slice(at + 1))?.[1];
    const meant = code === undefined ? ESCAPES[escaped] : String.fromCharCode(parseInt(code, 16));
    if (meant === undefined) {
      throw broken(
        `'\\${escaped}' is an illegal JQL escape sequence. The valid escape sequences are \\', \\", \\t, \\n, \\r, \\\\, '\\ ' and \\uXXXX. (line 1, character ${
          at + 1
        })`,
      );
    }
    value += meant;
    at += code === undefined ? 1 : 5;
  }
  throw broken(
    `The quoted string '${text.slice(from + 1)}' has not been completed. (line 1, character ${from + 1})`,
  );
}

function broken(why: string): Refusal {
  return new Refusal(400, [`Error in the JQL Query: ${why}`]);
}
