/** Who is to have `hello` as her login shell, as the agent has last seen it: so that it says once who has it no more. */

import { number, text } from "./cells.ts";
import { withEvidenceErrors } from "./evidence_error.ts";
import type { EvidenceStore } from "./store.ts";

/** As SQL; a migration of `schema.ts`. */
export const LOGIN_SHELL_TABLE = `
-- Who has had hello in passwd, or was given it: the shell that the agent has last seen there, whether that is hello, and since
-- when it has seen her to have it, or not to.
create table login_shell (
  name text primary key,
  shell text not null,
  is_hello integer not null,
  since_us integer not null
);
`;

/** A user who has, or has had, `hello`. */
export interface KnownShell {
  name: string;
  /** As passwd has it. */
  shell: string;
  isHello: boolean;
  /** Since when she is known to have `hello`, or not to have it any more. */
  sinceUs: number;
}

/** The statements for them; for one open store. */
export class LoginShellRows {
  readonly #all;
  readonly #save;

  constructor(readonly store: EvidenceStore) {
    const { database } = store;
    this.#all = database.prepare("select name, shell, is_hello, since_us from login_shell");
    this.#save = database.prepare(
      "insert or replace into login_shell (name, shell, is_hello, since_us) values (?, ?, ?, ?)",
    );
  }

  /**
   * @returns them by name
   * @throws {EvidenceError}
   */
  all(): Map<string, KnownShell> {
    const rows = withEvidenceErrors(this.store.file, () => this.#all.all());
    return new Map(
      rows.map((row) => [text(row.name), {
        name: text(row.name),
        shell: text(row.shell),
        isHello: row.is_hello === 1,
        sinceUs: number(row.since_us),
      }]),
    );
  }

  /** Within the transaction of the event that says so. */
  save({ name, shell, isHello, sinceUs }: KnownShell): void {
    this.#save.run(name, shell, Number(isHello), sinceUs);
  }
}
