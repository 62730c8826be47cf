/** Removes spool files that both readers have, and keeps the host's spool from filling the disk. */

import type { EvidenceStore } from "../evidence/store.ts";
import { protect } from "../posix/file_flags.ts";
import { nowUs } from "../record/clock.ts";
import type { FollowedSpools } from "./followed_spools.ts";
import { inFolder, kindOf, look, namesIn, pathOf, type SpoolFolder } from "./spool_folder.ts";

/** How much is kept, and for how long. */
export interface SpoolLimits {
  /** For so many days a file is kept for its user's history, which may not have it yet. */
  days: number;
  /** So many bytes the host's spool may have. */
  maxBytes: number;
}

/** What was done. */
export interface Tidied {
  removed: number;
  /** Files that had to go, to make room, before their user's history had them. */
  early: number;
  /** Files that nothing can be added to any more. */
  sealed: string[];
}

/** A single file of a living shell may have this part of what all may have. */
const PART_OF_ALL = 4;
const DAY_US = 24 * 3600 * 1_000_000;

/** However little is in a file, it takes this much of the disk. */
const BLOCK_BYTES = 4096;

/** A file of the host's that is done with. */
interface DoneFile {
  name: string;
  size: number;
  changedUs: number;
  taken: boolean;
}

/** Tidies the spools; it has nothing open. */
export class SpoolTidy {
  /** Those that were sealed since the agent began. */
  readonly #sealed = new Set<string>();

  constructor(readonly store: EvidenceStore, readonly spools: FollowedSpools) {}

  /**
   * The user's history has these files wholly.
   *
   * @param folder the user's own spool
   * @param names as the history knows them, in that folder: plain files, or links to the host's
   * @returns those that evidence has wholly as well: they can go from that folder
   * @throws {EvidenceError}
   */
  taken(folder: SpoolFolder, names: readonly string[]): string[] {
    const gone: string[] = [];
    const hosts: string[] = [];
    for (const [name, target] of this.#linked(folder, names)) {
      if (target === undefined) {
        if (this.spools.isDone({ folder, name })) gone.push(name);
      } else if (this.#isDoneOrGone(target, folder)) {
        gone.push(name);
        hosts.push(target);
      }
    }
    if (hosts.length > 0) this.#markTaken(hosts);
    return gone;
  }

  /** @returns the spool files among names, each with the file of the host's that it is a link to, if it is one */
  #linked(folder: SpoolFolder, names: readonly string[]): [name: string, target: string | undefined][] {
    const start = `${this.spools.host.path}/`;
    const targetOf = (link: string) => {
      try {
        const target = Deno.readLinkSync(link);
        const linked = target.slice(start.length);
        return target.startsWith(start) && kindOf(this.spools.host, linked) ? linked : undefined;
      } catch {
        // No link, or not there at all.
        return undefined;
      }
    };
    const files = names.filter((name) => !name.includes("/") && kindOf(folder, name));
    try {
      return inFolder(folder, (here) => files.map((name) => [name, targetOf(`${here}/${name}`)]));
    } catch {
      // The folder is gone, or is not to be entered: there is no link in it.
      return files.map((name) => [name, undefined]);
    }
  }

  #isDoneOrGone(name: string, { owner }: SpoolFolder): boolean {
    const target = { folder: this.spools.host, name };
    const row = this.store.followedFile("", name);
    if (!row) return look(target) === undefined;
    const session = row.session === null ? undefined : this.store.sessionBySeq(row.session);
    const uid = kindOf(target.folder, name) === "shell" ? row.uid : session?.uid;
    return this.spools.isDone(target) && uid === owner?.uid;
  }

  #markTaken(names: readonly string[]): void {
    this.store.transaction(() => {
      for (const name of names) {
        const row = this.store.followedFile("", name);
        if (row && !row.taken) this.store.saveFollowed({ ...row, taken: true });
      }
    });
  }

  /**
   * Removes what both readers have, or what has waited long enough; then, where the spool is too large, what evidence
   * alone has, the oldest first; and seals the file of a living shell that is too large by itself. To be called each few
   * minutes.
   *
   * @throws {EvidenceError}
   */
  tidy({ days, maxBytes }: SpoolLimits): Tidied {
    const now = nowUs();
    const done = this.#doneFiles().sort((one, other) => one.changedUs - other.changedUs);
    const due = done.filter(({ taken, changedUs }) => taken || now - changedUs > days * DAY_US);
    const rest = done.filter((file) => !due.includes(file));
    const { size, sealed } = this.#weigh(maxBytes);
    let excess = size - maxBytes - due.reduce((sum, file) => sum + file.size, 0);
    const early: DoneFile[] = [];
    for (const file of rest) {
      if (excess <= 0) break;
      early.push(file);
      excess -= file.size;
    }
    this.#remove([...due, ...early], early);
    return { removed: due.length + early.length, early: early.length, sealed };
  }

  #doneFiles(): DoneFile[] {
    return this.store.followed().filter(({ folder, done }) => folder === "" && done).flatMap(
      ({ name, taken }) => {
        const facts = look({ folder: this.spools.host, name });
        if (!facts) return [];
        return [{ name, taken, size: Math.max(BLOCK_BYTES, facts.size), changedUs: facts.changedUs }];
      },
    );
  }

  /** How much the spool has in all. Files of living shells that are too long are sealed on the way. */
  #weigh(maxBytes: number): { size: number; sealed: string[] } {
    const { host } = this.spools;
    const sealed: string[] = [];
    let size = 0;
    for (const name of namesIn(host) ?? []) {
      const target = { folder: host, name };
      const length = look(target)?.size ?? 0;
      size += Math.max(BLOCK_BYTES, length);
      if (length <= maxBytes / PART_OF_ALL || this.spools.isDone(target) || this.#sealed.has(name)) continue;
      if (kindOf(host, name) !== "shell") continue;
      this.#seal(pathOf(target));
      this.#sealed.add(name);
      sealed.push(name);
      this.spools.notice(target, "capped", `at ${length} bytes`);
    }
    return { size, sealed };
  }

  /** Where the file system cannot forbid it, its owner is no longer its owner: the shell says that it records no more. */
  #seal(path: string): void {
    if (protect(path, "immutable")) return;
    Deno.chmodSync(path, 0o400);
    Deno.chownSync(path, 0, 0);
  }

  /** The files first: a row without its file is forgotten when the spool is next looked through. */
  #remove(files: readonly DoneFile[], early: readonly DoneFile[]): void {
    if (files.length === 0) return;
    const { host } = this.spools;
    for (const { name } of files) {
      protect(pathOf({ folder: host, name }), "none");
      try {
        Deno.removeSync(pathOf({ folder: host, name }));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      this.#sealed.delete(name);
    }
    this.store.transaction(() => {
      for (const { name } of files) this.store.forgetFollowed("", name);
      if (early.length > 0) this.#putEarly(early);
    });
    for (const { name } of files) this.spools.forget({ folder: host, name });
  }

  #putEarly(early: readonly DoneFile[]): void {
    const now = nowUs();
    this.store.append({
      kind: "agent",
      atUs: now,
      session: null,
      shell: null,
      uid: null,
      data: {
        what: "spool full",
        words: "spool files were removed before their users' histories had them: the spool is too large",
        files: early.length,
        bytes: early.reduce((sum, { size }) => sum + size, 0),
      },
    }, now);
  }
}
