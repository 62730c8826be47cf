/** What is to be said of a file of lines. */

import { ConfigError } from "./key_values.ts";

/** Messages, each of a line. */
export class Findings {
  readonly #found: { line: number; message: string }[] = [];

  /** @param file the path that every message begins with */
  constructor(readonly file: string) {}

  get isEmpty(): boolean {
    return this.#found.length === 0;
  }

  add(line: number, words: string): void {
    this.#found.push({ line, message: `${this.file}: line ${line}: ${words}` });
  }

  /** A message that names file and line already. */
  addWhole(line: number, error: unknown): void {
    if (!(error instanceof ConfigError)) throw error;
    this.#found.push({ line, message: error.message });
  }

  /** @returns the messages, in the order of the lines */
  inOrder(): string[] {
    return this.#found.toSorted((one, other) => one.line - other.line).map(({ message }) => message);
  }
}
