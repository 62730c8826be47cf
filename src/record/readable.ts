/**
 * Bytes as text for a TEXT column.
 *
 * A command and a path are bytes; a TEXT column holds UTF-8, and SQLite's own tools stop at a NUL. What is UTF-8 and
 * has no NUL is kept as it is. Anything else is kept twice: readable in ASH's column, where each byte that is not
 * UTF-8 is four characters, `\xff`, as a shell's `$'...'` has it; and byte for byte beside it.
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What stands in that column for a text that the shell does not give away, in the history and in evidence. */
export const MISSING_TEXT = "[text not given by the shell]";

/** Text for a TEXT column, and whether it is all that the bytes were. */
export interface Readable {
  text: string;
  exact: boolean;
}

/**
 * @param bytes a command's text or a path
 * @returns the text; `exact` is false if the bytes must be kept beside it
 *
 * @example
 * ```ts
 * readable(new Uint8Array([0x61, 0xff])); // { text: "a\\xff", exact: false }
 * ```
 */
export function readable(bytes: Uint8Array): Readable {
  if (!bytes.includes(0)) {
    try {
      return { text: strict.decode(bytes), exact: true };
    } catch {
      // Not UTF-8: escaped below.
    }
  }
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) text += `\\x${(bytes[at] ?? 0).toString(16).padStart(2, "0")}`;
    else text += strict.decode(bytes.subarray(at, at + length));
    at += length || 1;
  }
  return { text, exact: false };
}

/** How many bytes the UTF-8 character at `at` has; 0 if there is none, or a NUL. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first === 0) return 0;
  const length = first < 0x80
    ? 1
    : first < 0xc0
    ? 0
    : first < 0xe0
    ? 2
    : first < 0xf0
    ? 3
    : first < 0xf8
    ? 4
    : 0;
  if (length <= 1) return length;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
