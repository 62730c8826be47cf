/** What Jira demands of texts. */

import { isDocument, textsOf } from "./adf.ts";
import { type Call, isRecord, Refusal } from "./exchange.ts";

/** The longest text that comments and descriptions take: `jira.text.field.character.limit` and its counterpart in Cloud. */
export const TEXT_LIMIT = 32767;

// What XML 1.0 cannot have, https://www.w3.org/TR/xml/#charsets: Jira keeps its backups in it.
// deno-lint-ignore no-control-regex
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** @returns why Jira does not take this line of text, if so */
export function faultOfText(text: string, limit: number): string | undefined {
  if (NOT_XML.test(text) || !text.isWellFormed()) {
    return "The entered text contains characters that are not allowed.";
  }
  if (text.length > limit) {
    return `The entered text is too long. It exceeds the allowed limit of ${
      limit.toLocaleString("en")
    } characters.`;
  }
}

/**
 * A body of a comment, worklog or description: a document on Cloud, wiki markup on Server.
 *
 * Cloud counts the characters of the document as JSON, as those say who have met its limit; its reference is silent on that.
 *
 * @throws {Refusal} 400
 */
export function checkRichText(call: Call, field: "comment" | "description", value: unknown): void {
  const fault = call.edition === "cloud" ? faultOfDocument(field, value) : faultOfMarkup(field, value);
  if (fault !== undefined) throw new Refusal(400, [], { [field]: fault });
}

function faultOfMarkup(field: "comment" | "description", value: unknown): string | undefined {
  if (typeof value !== "string") {
    return field === "comment" ? "Comment body is not valid!" : "Operation value must be a string";
  }
  if (field === "comment" && value.trim() === "") return "Comment body can not be empty!";
  return faultOfText(value, TEXT_LIMIT);
}

function faultOfDocument(field: "comment" | "description", value: unknown): string | undefined {
  if (!isRecord(value)) {
    return field === "comment"
      ? "Comment body is not valid!"
      : "Operation value must be an Atlassian Document (see the Atlassian Document Format)";
  }
  if (!isDocument(value)) throw new Refusal(400, ["INVALID_INPUT"]);
  if (JSON.stringify(value).length > TEXT_LIMIT) throw new Refusal(400, ["CONTENT_LIMIT_EXCEEDED"]);
  const texts = textsOf(value);
  if (field === "comment" && texts.join("").trim() === "") return "Comment body can not be empty!";
  return texts.map((text) => faultOfText(text, TEXT_LIMIT)).find((fault) => fault !== undefined);
}
