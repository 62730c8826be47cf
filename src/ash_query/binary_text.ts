/**
 * Bytes as text that can be turned back into the very same bytes: a byte that is no UTF-8 becomes one of U+DC80 to
 * U+DCFF, which no UTF-8 text has. What is recorded need not be UTF-8: file names are bytes.
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const STRAY = /[\udc80-\udcff]/u;

/** Turns any bytes into text. */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    // Not UTF-8 as a whole: so character by character.
  }
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    try {
      text += strict.decode(bytes.subarray(at, at + length));
      at += length;
    } catch {
      text += String.fromCharCode(0xdc00 + first);
      at++;
    }
  }
  return text;
}

/** Whether some of the bytes that a text was made of were no UTF-8. */
export function hasStrayBytes(text: string): boolean {
  // Nearly every text is well formed, which takes no time to see.
  return !text.isWellFormed() && STRAY.test(text);
}

/** Turns text of {@linkcode textOfBytes} back into its bytes. */
export function bytesOfText(text: string): Uint8Array {
  if (!hasStrayBytes(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    if (hasStrayBytes(character)) bytes.push(character.charCodeAt(0) - 0xdc00);
    else for (const byte of encoder.encode(character)) bytes.push(byte);
  }
  return new Uint8Array(bytes);
}

/** Makes stray bytes readable: `\xff`. */
export function showStrayBytes(text: string): string {
  if (!hasStrayBytes(text)) return text;
  return text.replace(/[\udc80-\udcff]/gu, (stray) => "\\x" + (stray.charCodeAt(0) - 0xdc00).toString(16));
}
