/** Reads what is new in spool files, before anything of it is put in evidence. */

import type { FollowedFile } from "../evidence/followed.ts";
import { shellOfName } from "../record/host_spool.ts";
import { type Reading, readRecords } from "../record/spool.ts";
import { type FileFacts, FileRefusedError } from "../posix/plain_file.ts";
import { type Followed, PIECE_BYTES } from "./followed.ts";
import { isDue, notice } from "./oddities.ts";
import { type Piece, readPiece } from "./spool_folder.ts";

/** So many bytes of all files together are read for one transaction. */
export const BATCH_BYTES = 1024 * 1024;

/** Bytes among which there is no whole record: so many are taken for noise, and not kept for a rest that may come. */
export const NOISE_BYTES = 8 * 1024 * 1024;

/** More than this is not read of a user's own file at once: no shell writes so much while there is no agent, a hole may. */
export const MOST_OWN_BYTES = 256 * 1024 * 1024;

/** What waits for its rest and is longer than this is not read again for each byte that is added. */
export const LONG_TAIL_BYTES = 64 * 1024;

/** What was read of a file: its records are views of bytes that are written over by the next batch. */
export interface FileReading {
  /** A copy of what is known, which the transaction works on. */
  file: Followed;
  reading: Reading;
  /** Whether the file is there, readable or not. */
  isThere: boolean;
  /** It is another file, or shorter than what is in evidence of it: the reading is of its very beginning. */
  isAnew: boolean;
  /** Whether the file ended with what was read. */
  isLast: boolean;
  /** When it was last written to; the present time for a file that is not there. */
  changedUs: number;
  /** The process was gone before anything was read: these are its last words. */
  isOver: boolean;
}

/** Its mode says so; or its owner holds a lease on it (fcntl(2)): EACCES, EAGAIN. */
const KEPT_FROM_US: readonly number[] = [13, 11];

/** In an inode's place: there is a file that cannot be read. An empty one: it is new, or was not there the last time. */
const REFUSED = "-";

const NOTHING: Reading = { records: [], consumed: 0, damaged: 0, torn: 0 };

/** The bytes of one batch. */
export class BatchBuffer {
  readonly #bytes = new Uint8Array(BATCH_BYTES);
  #used = 0;

  /** How much more may be read into this batch. */
  get room(): number {
    return BATCH_BYTES - this.#used;
  }

  /** What was read into it is no longer needed. */
  clear(): void {
    this.#used = 0;
  }

  /** So many bytes; of their own where there is no room. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const from = this.#used;
    this.#used = Math.min(BATCH_BYTES, from + length);
    return length <= BATCH_BYTES - from ? this.#bytes.subarray(from, from + length) : new Uint8Array(length);
  }
}

/**
 * Reads on in a file and moves its position on.
 *
 * @param file a copy of what is known of it
 * @param isOver whether its process is gone
 * @param nowUs the present time
 * @returns undefined if there is nothing new
 * @throws {FileRefusedError}
 */
export function readOn(
  file: Followed,
  isOver: boolean,
  nowUs: number,
  buffer: BatchBuffer,
): FileReading | undefined {
  let isAnew = false;
  let isNew = true;
  let isCapped = false;
  let piece: Piece | undefined;
  try {
    piece = readPiece(file, (facts) => {
      isAnew = isOtherThan(facts, file.row);
      const from = isAnew ? 0 : file.row.position;
      isCapped = file.folder.owner !== undefined && facts.size - from > MOST_OWN_BYTES;
      if (isCapped) return { from: facts.size, limit: 0 };
      isNew = isOver || isAnew || isDue(file.oddities, nowUs) ||
        (facts.size !== file.seen && !isTiny(file, facts));
      // A record that is longer than all of the batch gets bytes of its own.
      const limit = file.piece > PIECE_BYTES ? file.piece : Math.min(file.piece, buffer.room);
      return { from, limit: isNew ? limit : 0 };
    }, (length) => buffer.take(length));
  } catch (error) {
    // Its owner can add to a file that she has made unreadable.
    if (!(error instanceof FileRefusedError) || !KEPT_FROM_US.includes(error.errno)) throw error;
    return unseen(file, isOver, nowUs, true);
  }
  if (!piece) return unseen(file, isOver, nowUs, false);
  if (!isNew) return undefined;
  const { facts, isLast } = piece;
  if (isAnew) notice(file.oddities, "shrank", `from ${file.row.position} bytes to ${facts.size}`);
  if (isAnew) file.row.position = 0;
  if (isCapped) {
    notice(file.oddities, "capped", "it was passed over");
    file.row.position = facts.size;
  }
  file.row.inode = facts.inode;
  // Whose it was at first: a file that has grown too long is taken from its owner.
  if (file.seen === 0) file.row.uid = facts.uid;
  file.isFresh = true;
  // Who writes to a user's own file it says itself, and what does not say it may have it in its name.
  file.row.pid ??= Number(/^[1-9][0-9]{0,9}(?=-.*\.shell$)/.exec(file.name)?.[0] ?? 0) || null;
  const reading = advance(file, piece, isOver);
  return { file, reading, isThere: true, isAnew, isLast, changedUs: facts.changedUs, isOver };
}

function isOtherThan(facts: FileFacts, { inode, position }: FollowedFile): boolean {
  return facts.size < position || (inode !== "" && inode !== REFUSED && inode !== facts.inode);
}

/** Whether so little was added to a long tail without an end that reading it all again can wait for the next sweep. */
function isTiny({ seen, isFresh, row }: Followed, { size }: FileFacts): boolean {
  const tail = seen - row.position;
  return isFresh && tail >= LONG_TAIL_BYTES && size - seen < tail / 8;
}

/** Finds the records of a piece, and says how far the file is dealt with. */
function advance(file: Followed, { bytes, isLast }: Piece, isOver: boolean): Reading {
  const reading = bytes.length === 0 ? NOTHING : readRecords(bytes);
  let { consumed, damaged } = reading;
  const isStuck = consumed === 0 && bytes.length >= file.piece;
  const isNoise = isStuck && bytes.length >= NOISE_BYTES;
  if ((isOver && isLast || isNoise) && consumed < bytes.length) {
    consumed = bytes.length;
    damaged++;
  }
  file.seen = file.row.position + bytes.length;
  file.row.position += consumed;
  // A record that is longer than a piece needs ever longer ones.
  file.piece = isStuck && !isNoise ? Math.min(NOISE_BYTES, 2 * file.piece) : PIECE_BYTES;
  return { ...reading, consumed, damaged };
}

/** A file that is not there, or cannot be read. That is noticed once: the inode tells it from then on. */
function unseen(file: Followed, isOver: boolean, changedUs: number, isThere: boolean): FileReading {
  const { row } = file;
  if (isThere && row.inode !== REFUSED) notice(file.oddities, "foreign", "it cannot be read");
  if (!isThere && row.inode !== "") notice(file.oddities, "vanished", `after ${row.position} bytes`);
  // The same file may come back.
  row.inode = isThere ? REFUSED : "";
  return { file, reading: NOTHING, isThere, isAnew: false, isLast: true, changedUs, isOver };
}

/**
 * What is known of a file at first: its name, which in the host's spool tells the shell.
 *
 * @param folder as the evidence has it: empty for the host's
 */
export function newRow(folder: string, name: string): FollowedFile {
  const shell = folder === "" ? shellOfName(name) : undefined;
  return {
    folder,
    name,
    inode: "",
    position: 0,
    session: null,
    shell: null,
    uid: 0,
    pid: shell?.pid ?? null,
    startTicks: shell?.startTicks ?? null,
    lastNumber: 0,
    openCommand: null,
    lastUs: 0,
    leaving: false,
    gone: false,
    done: false,
    taken: false,
  };
}
