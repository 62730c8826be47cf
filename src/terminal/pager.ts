/** Shows output on the terminal, through a pager where it is longer than the screen. */

import { tell } from "./ask.ts";
import { messageOf } from "./message_of.ts";
import { visible } from "./visible.ts";

/**
 * Writes to standard output. On a terminal, what is longer than the screen goes through `$PAGER` (or `less`, where it
 * is installed); an empty `$PAGER` or `cat` turns that off.
 *
 * @param chunks the output, in whole lines
 * @throws {Deno.errors.BrokenPipe} when nobody reads it any more; a pager that is left early is no error
 * @throws {Error} when it cannot be written
 */
export async function show(chunks: Iterable<Uint8Array>): Promise<void> {
  const iterator = chunks[Symbol.iterator]();
  const held: Uint8Array[] = [];
  if (Deno.stdout.isTerminal()) {
    const screen = screenSize();
    let lines = 0;
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      held.push(next.value);
      lines += countLines(next.value, screen.columns);
      // The prompt that follows takes a line too.
      if (lines < screen.rows) continue;
      const rest = chain(held, iterator);
      const pager = startPager();
      return pager ? await feed(pager, rest) : writeAll(rest);
    }
  }
  writeAll(chain(held, iterator));
}

function* chain(first: Iterable<Uint8Array>, rest: Iterator<Uint8Array>): Generator<Uint8Array> {
  try {
    yield* first;
    for (let next = rest.next(); !next.done; next = rest.next()) yield next.value;
  } finally {
    rest.return?.();
  }
}

function writeAll(chunks: Iterable<Uint8Array>): void {
  for (let bytes of chunks) {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
  }
}

function screenSize(): { rows: number; columns: number } {
  try {
    const { rows, columns } = Deno.consoleSize();
    // A terminal that does not know its size says 0.
    if (rows > 0 && columns > 0) return { rows, columns };
  } catch {
    // No size to be had: the size that terminals always had.
  }
  return { rows: 24, columns: 80 };
}

/** Counts a line that is wrapped as the lines that it takes; bytes stand for cells, which is near enough. */
function countLines(bytes: Uint8Array, columns: number): number {
  let lines = 0;
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0x0a, start);
    const length = (end < 0 ? bytes.length : end) - start;
    lines += Math.max(1, Math.ceil(length / columns));
    start += length + 1;
  }
  return lines;
}

/** @returns the running pager, or undefined where none is wanted or none is there */
function startPager(): Deno.ChildProcess | undefined {
  const wanted = Deno.env.get("PAGER");
  const [program, ...args] = (wanted ?? "less -FRX").split(/\s+/).filter((word) => word !== "");
  if (program === undefined || program === "cat") return undefined;
  // As git does: a less that the user chose without options shows colours and leaves short output alone.
  const env = Deno.env.has("LESS") ? {} : { LESS: "FRX" };
  try {
    return new Deno.Command(program, { args, env, stdin: "piped", stdout: "inherit", stderr: "inherit" })
      .spawn();
  } catch (error) {
    if (wanted !== undefined) {
      tell(`cannot start the pager ${visible(wanted)} (see $PAGER): ${visible(messageOf(error))}\n`);
    }
    return undefined;
  }
}

async function feed(pager: Deno.ChildProcess, chunks: Iterable<Uint8Array>): Promise<void> {
  // Ctrl-C is the pager's while it runs: it stops a search there.
  const ignore = () => {};
  Deno.addSignalListener("SIGINT", ignore);
  const writer = pager.stdin.getWriter();
  try {
    for (const chunk of chunks) await writer.write(chunk);
    await writer.close();
  } catch (error) {
    // The reader has seen enough and left.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  } finally {
    await pager.status;
    Deno.removeSignalListener("SIGINT", ignore);
  }
}
