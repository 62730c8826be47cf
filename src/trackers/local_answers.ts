import { type Answers, SUBJECT_QUESTION, TicketRefusedError } from "./tracker.ts";

/**
 * What a local ticket is made of: a subject, and nothing else.
 *
 * @returns the subject, or undefined where it is still to be asked for
 * @throws {TicketRefusedError} for anything else: it would be lost
 */
export function localSubject(answers: Answers): string | undefined {
  const further = Object.keys(answers).find((name) => name !== SUBJECT_QUESTION.name);
  if (further !== undefined) {
    throw new TicketRefusedError(`local tickets have a subject alone: no ${further.replace(/^field:/, "")}`);
  }
  return answers[SUBJECT_QUESTION.name] || undefined;
}
