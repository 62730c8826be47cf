/** Tells the tracker of each session what was done in it: a comment on its ticket that is kept up to date. */

import type { TrackerSettings } from "../../config/tracker_settings.ts";
import type { Outbox } from "../../evidence/outbox.ts";
import type { EvidenceStore } from "../../evidence/store.ts";
import type { Tracker } from "../../trackers/tracker.ts";

/** Hides secrets in what leaves the host: a `Mask` of `net/mask.ts`. */
export interface Masking {
  apply(text: string): { text: string; masked: readonly string[] };
}

/** Where stories are told, and how. */
export interface Readership {
  /** One without a storybook is told nothing. */
  tracker: Tracker;
  mask: Masking;
  settings: TrackerSettings;
}

/**
 * The stories of a host. Each moment may be the agent's last: everything that it must know is in evidence.
 *
 * @example
 * ```ts
 * using stories = new Stories(store, new Outbox(store));
 * stories.follow({ tracker, mask, settings });
 * setInterval(() => stories.run(), 1000);
 * ```
 */
export class Stories implements Disposable {
  constructor(readonly store: EvidenceStore, readonly outbox: Outbox) {}

  /**
   * Goes on by other settings: to be called at the start, and at each reload, before the tracker of before is disposed.
   *
   * @throws {EvidenceError}
   */
  follow(_readership: Readership): void {}

  /**
   * Takes in what is new, and begins to tell what is due; returns at once. To be called each second. No failure of the
   * tracker's is thrown.
   *
   * @throws {EvidenceError}
   */
  run(): void {}

  /** Gives up what it is telling just now: the next agent finds out how far it came. */
  [Symbol.dispose](): void {}
}
