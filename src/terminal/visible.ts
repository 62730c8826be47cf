/**
 * Makes text from outside (a ticket's subject, a command, a path) harmless on a terminal: every control character,
 * C0, DEL and C1, is shown and no longer acts, and so are the marks that turn the direction of writing around, and
 * Unicode's own ends of lines.
 *
 * @param text any text
 * @param keep control characters that may stay, such as `\n`
 * @returns the text, `^[` for an escape, `\u009b` for a C1 or bidirectional one
 *
 * @example
 * ```ts
 * visible("\x1b[31mred"); // "^[[31mred"
 * ```
 */
export function visible(text: string, keep = ""): string {
  // deno-lint-ignore no-control-regex -- control characters are what this is about
  return text.replace(/[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    if (keep.includes(character)) return character;
    const code = character.charCodeAt(0);
    if (code < 0x20) return "^" + String.fromCharCode(code + 0x40);
    if (code === 0x7f) return "^?";
    return "\\u" + code.toString(16).padStart(4, "0");
  });
}

/**
 * JSON for a terminal: it escapes C0 by itself; what `visible` knows besides stands as an escape, too, and means the same.
 *
 * @param value anything that JSON can say
 */
export function visibleJson(value: unknown): string {
  return harmlessJson(JSON.stringify(value));
}

/** The same, for what is JSON already. */
export function harmlessJson(json: string): string {
  return json.replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}
