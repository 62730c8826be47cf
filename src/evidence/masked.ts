/** Says in evidence that secrets were masked in what has left the host: once for each event, whoever was told of it first. */

import type { EvidenceStore } from "./store.ts";

/** As SQL; a migration of `schema.ts`. */
export const MASKED_TABLE = `
-- Events of which evidence says that something in them was masked. Rows go with their events.
create table masked (seq integer primary key);
`;

/** What was masked in an event. */
export interface MaskedEvent {
  seq: number;
  session: number | null;
  /** The names of the patterns that hit. */
  patterns: readonly string[];
}

/**
 * Who says it.
 *
 * @example
 * ```ts
 * store.transaction(() => masked.say([{ seq: 17, session: 3, patterns: ["mysql-password"] }], nowUs()));
 * ```
 */
export class MaskedEvents {
  readonly #add;
  readonly #tidy;

  constructor(readonly store: EvidenceStore) {
    this.#add = store.database.prepare("insert or ignore into masked (seq) values (?)");
    this.#tidy = store.database.prepare("delete from masked where seq <= (select seq from anchor)");
  }

  /** Says it of those that it was not said of yet, in one event for each session; within a transaction. */
  say(events: Iterable<MaskedEvent>, nowUs: number): void {
    const sessions = new Map<number | null, { events: number[]; patterns: Map<string, number> }>();
    for (const { seq, session, patterns } of events) {
      if (Number(this.#add.run(seq).changes) === 0) continue;
      const said = sessions.get(session) ?? { events: [], patterns: new Map<string, number>() };
      sessions.set(session, said);
      said.events.push(seq);
      for (const pattern of patterns) said.patterns.set(pattern, (said.patterns.get(pattern) ?? 0) + 1);
    }
    if (sessions.size === 0) return;
    this.#tidy.run();
    for (const [session, said] of sessions) {
      const data = {
        what: "masked",
        words: "secrets were masked in what has left the host",
        events: said.events,
        patterns: Object.fromEntries(said.patterns),
      };
      this.store.append({ kind: "agent", atUs: nowUs, session, shell: null, uid: null, data }, nowUs);
    }
  }
}
