/** What a story is told from: things that happened, every text in them as it may leave the host. */

/** Something that happened in a session. */
export type Entry = CommandEntry | NoteEntry | LineEntry;

/** A command that was run. */
export interface CommandEntry {
  kind: "command";
  atUs: number;
  directory: string;
  text: string;
  textState: "whole" | "partial" | "missing";
  /** The terminal, where it is another than the session's own. */
  tty: string;
  /** Who it was run as, where that is not the session's user. */
  as: number | undefined;
  /** Whether the session's user, or who it was run as, is root. */
  isRoot: boolean;
  isMasked: boolean;
  /** How it ended; `unknown` where nobody saw that, `running` where it has not yet. */
  end: { endUs: number | null; exitCode: number; pipeStates: readonly number[] } | "unknown" | "running";
}

/** What somebody wrote for the ticket. */
export interface NoteEntry {
  kind: "note";
  atUs: number;
  user: string;
  text: string;
  isMasked: boolean;
}

/** Anything else, in a sentence. */
export interface LineEntry {
  kind: "line";
  atUs: number;
  text: string;
}
