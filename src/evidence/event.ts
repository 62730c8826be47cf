/** What is in evidence, as types. `schema.ts` has the table, `chain.ts` the bytes that are hashed. */

/** Every kind of event. */
export type EvidenceKind =
  | "session opened"
  | "ticket switched"
  | "note"
  | "status"
  | "session closed"
  | "shell started"
  | "shell ended"
  /** With its end, if that was there when it was taken in. */
  | "command"
  /** The end of a command that had none then. */
  | "command ended"
  /** Something that an honest shell does not do: `data.what` says which. */
  | "tamper"
  /** The agent's own: it started, stopped, took something in late, or removed what was too old or too much. */
  | "agent";

/** What an event of a command knows. */
export interface CommandFacts {
  /** Counts the shell's commands from 1. */
  number: number;
  ticket: string | null;
  tty: string;
  effectiveUid: number;
  shellLevel: number;
  /** Bytes, as in a `start` record. */
  directory: Uint8Array;
  text: Uint8Array;
  textState: "whole" | "partial" | "missing";
}

/** How a command ended. */
export interface CommandEnd {
  /** Null where nobody saw it. */
  endUs: number | null;
  exitCode: number | null;
  pipeStates: number[];
}

/** An event to be put in evidence. */
export interface NewEvent {
  kind: EvidenceKind;
  /** When it happened, as who reports it says: microseconds since 1970. */
  atUs: number;
  /** The `seq` of the opening of the login session that it belongs to; in "session opened" itself the store puts its own. */
  session: number | null;
  /** The `seq` of the start of the shell that it belongs to; in "shell started" itself the store puts its own. */
  shell: number | null;
  /** Whose it is; null for the agent's own. */
  uid: number | null;
  /**
   * Everything that is not of a command, by name. Of a session's events it is what `record/event.ts` says, `kind` and `atUs`
   * aside; of "shell started" the same of a ShellRecord, and `hostAddresses`, `bootId`, `knownBy`; of "shell ended" it is
   * `exitCode`, which is null where the shell said none. The views ask for these names.
   */
  data?: Readonly<Record<string, unknown>>;
  /** Of kind "command". */
  command?: CommandFacts;
  /** Of kind "command ended": the `seq` of the command. */
  commandSeq?: number;
  /** Of kind "command ended", and of "command" if it is known. */
  end?: CommandEnd;
}

/** An event that is in evidence. */
export interface EvidenceEvent extends NewEvent {
  /** Counts the events from 1, without a gap. */
  seq: number;
  /** When it was taken into evidence. */
  takenUs: number;
  /** SHA-256 over the hash of the event before and all of this one: see `chain.ts`. */
  hash: Uint8Array;
}

/** Where a chain stands: the last event's number and hash. */
export interface Head {
  seq: number;
  /** SHA-256, 32 bytes. */
  hash: Uint8Array;
}
