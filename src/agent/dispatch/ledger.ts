/** Writes what became of batches: of all that come back at about the same time in one transaction, since each costs the disk a turn. */

import { EvidenceError } from "../../evidence/evidence_error.ts";
import type { EvidenceStore } from "../../evidence/store.ts";

/** How long it waits for others' entries to go with one, in milliseconds. */
const GATHERING_MS = 20;

interface Entry {
  write: () => void;
  done: PromiseWithResolvers<void>;
}

/** For all sinks of a host. */
export class Ledger {
  #entries: Entry[] = [];

  constructor(readonly store: EvidenceStore) {}

  /**
   * @param write writes one batch's, all of it or nothing
   * @returns when it is on the disk
   * @throws {EvidenceError} if it cannot be written
   */
  async enter(write: () => void): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#entries.push({ write, done });
    if (this.#entries.length === 1) setTimeout(() => this.#write(), GATHERING_MS);
    await done.promise;
  }

  #write(): void {
    const entries = this.#entries;
    this.#entries = [];
    try {
      this.store.transaction(() => entries.forEach(({ write }) => write()));
      for (const { done } of entries) done.resolve();
    } catch (error) {
      if (error instanceof EvidenceError) return entries.forEach(({ done }) => done.reject(error));
      // One of them is to blame: the others are none the worse for it.
      entries.forEach((entry) => this.#writeOne(entry));
    }
  }

  #writeOne({ write, done }: Entry): void {
    try {
      this.store.transaction(write);
      done.resolve();
    } catch (error) {
      done.reject(error);
    }
  }
}
