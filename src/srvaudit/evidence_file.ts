/** Opening the evidence for whoever asks, with words for why it cannot be. */

import { EvidenceReader } from "../evidence/reading.ts";
import { messageOf } from "../terminal/message_of.ts";
import { CannotError } from "./output.ts";

/**
 * @param file the database
 * @throws {CannotError} that says what to do
 */
export function openEvidence(file: string): EvidenceReader {
  try {
    return new EvidenceReader(file);
  } catch (error) {
    throw new CannotError(reasonOf(error, file));
  }
}

/** @returns why the evidence cannot be read, and what to do */
export function reasonOf(error: unknown, file: string): string {
  if (error instanceof Deno.errors.NotFound) {
    return `there is no evidence ${file}: has the agent ever run? (srvaudit doctor)`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `${file}: the evidence is root's alone: ask again with sudo`;
  }
  return messageOf(error);
}
