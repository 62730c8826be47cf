/** What an admin has said an installation shall be. */

/** Whose login shell becomes `hello`. */
export type Who =
  | { who: "nobody" }
  /** By name: root too, if it is named. */
  | { who: "users"; names: readonly string[] }
  /** The members of a group, root never. */
  | { who: "group"; group: string }
  /** Everybody whose shell is bash or zsh and whose uid is a person's. */
  | { who: "all" };

/** All of it; every question has its answer. */
export interface Answers {
  /** What is to stand in `/etc/srvaudit/config`, by key; what is not here stays, or is as it is shipped. */
  config: Readonly<Record<string, string>>;
  who: Who;
  /** sshd forces `hello` on them (a Match block); passwd stays as it is. */
  forceCommand: boolean;
  /** A ticket that the try-out may use; undefined: it makes one. */
  testTicket: string | undefined;
  /** Whether all is put back unless the admin confirms. */
  hasSafety: boolean;
}

/** What the command line says, word for word: `readAnswers` makes sense of it. */
export interface InstallFlags {
  /** `--answers FILE`. */
  answers: string | undefined;
  /** `--set KEY=VALUE`, each. */
  set: readonly string[];
  /** `--set-from KEY=FILE`, each: the file's text is the value. */
  setFrom: readonly string[];
  /** `--users A,B`. */
  users: string | undefined;
  /** `--group G`. */
  group: string | undefined;
  all: boolean;
  nobody: boolean;
  forceCommand: boolean;
  /** `--test-ticket KEY`. */
  testTicket: string | undefined;
  noSafety: boolean;
}

/** What an admin has said before she is asked; undefined where she has not. */
export interface GivenAnswers {
  config: Readonly<Record<string, string>>;
  who: Who | undefined;
  forceCommand: boolean | undefined;
  testTicket: string | undefined;
  hasSafety: boolean | undefined;
}
