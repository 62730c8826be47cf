import { v7, validate, version } from "uuid";

/** Makes a new id for a login session: a UUIDv7 (RFC 9562, 5.7), which sorts by the time of its making. */
export function newSessionId(): string {
  return v7();
}

/** Whether a text has the form of a session id, and so may stand in a file's name. */
export function isSessionId(text: string): boolean {
  return validate(text) && version(text) === 7;
}
