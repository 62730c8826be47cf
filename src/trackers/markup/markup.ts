/**
 * What a comment consists of, and who writes it down for a tracker: `textile.ts`, `markdown.ts`, `wiki.ts`, `adf.ts`.
 *
 * Every text in a block is plain: whatever characters it has, it is read as these very characters. No text ends its block, and
 * none is taken for markup.
 */

/** A part of a comment. */
export type Block =
  /** A short line above the rest. */
  | { kind: "heading"; text: string }
  /** A list of names and values. */
  | { kind: "facts"; facts: readonly (readonly [name: string, value: string])[] }
  /** Lines of text that a person wrote. */
  | { kind: "text"; text: string }
  /** What somebody said: a line of who and when, and the lines that she wrote, set apart. */
  | { kind: "quote"; by: string; text: string }
  /** Lines of a fixed width. No line has a line break in it. */
  | { kind: "code"; lines: readonly string[] };

/** A tracker's way to write comments. */
export interface Markup {
  /** The longest body that the tracker takes, as `sizeOf` measures. */
  readonly limit: number;
  /** How much of the limit a body takes up. */
  sizeOf(body: string): number;
  /**
   * Writes a comment. The body of several blocks is at most as long as those of each of them together.
   *
   * @returns the body; for Atlassian's document format its JSON
   */
  render(blocks: readonly Block[]): string;
}
