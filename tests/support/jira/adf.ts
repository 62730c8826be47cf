/**
 * Documents in Atlassian's format, checked against the schema that Atlassian publishes for it:
 * https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/ (npm: @atlaskit/adf-schema).
 */

import schema from "@atlaskit/adf-schema/dist/json-schema/v1/full.json" with { type: "json" };
import { Ajv, type ValidateFunction } from "ajv";

let validate: ValidateFunction | undefined;

/** Whether something is a document that Jira takes. */
export function isDocument(value: unknown): boolean {
  validate ??= compiled();
  return validate(value);
}

/** It takes a fifth of a second, which a test on Server need not pay. */
function compiled(): ValidateFunction {
  // It names draft 4, which this Ajv does not have by name; it uses nothing that has changed since.
  const { $schema: _draft4, ...rest } = schema as Record<string, unknown>;
  return new Ajv({ strict: false }).compile(rest);
}

/** @returns all texts of a document, one after the other */
export function textsOf(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(textsOf);
  if (typeof node !== "object" || node === null) return [];
  const { text, content } = node as { text?: unknown; content?: unknown };
  return [...(typeof text === "string" ? [text] : []), ...textsOf(content)];
}
