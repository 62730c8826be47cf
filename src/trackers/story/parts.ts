/** Puts pieces together to comments that stay below the tracker's limit. */

import type { Block, Markup } from "../markup/markup.ts";
import type { Piece } from "./pieces.ts";

/**
 * A part is full here, whatever the tracker takes: each update writes its part anew, and nobody reads more on one page.
 * As `Markup.sizeOf` measures.
 */
const FULL = 30_000;

/** How much of a comment is taken up. */
export interface Filling {
  size: number;
  /** The day that lines can be added to at its end, or ''. */
  day: string;
}

/** Measures comments of one markup. */
export class Measure {
  readonly #lines: number;
  readonly #line: number;
  /** How large a part may become. */
  readonly most: number;

  constructor(readonly markup: Markup) {
    this.#line = this.#sizeOf([{ kind: "code", lines: ["x"] }]);
    this.#lines = this.#sizeOf([{ kind: "code", lines: ["x", "x"] }]);
    this.most = Math.min(FULL, markup.limit);
  }

  /** How much a comment with only these blocks takes up. */
  frame(blocks: readonly Block[]): Filling {
    return { size: blocks.reduce((size, block) => size + this.#sizeOf([block]), 0), day: "" };
  }

  /** @returns how much it takes up, at most, with one piece more */
  with({ size, day }: Filling, piece: Piece): Filling {
    if (piece.kind !== "code") return { size: size + this.#sizeOf([blockOf(piece)]), day: "" };
    const line = this.#sizeOf([{ kind: "code", lines: ["x", piece.line, "x"] }]) - this.#lines;
    if (piece.day === day) return { size: size + line, day };
    const date = this.#line + this.#sizeOf([{ kind: "code", lines: ["x", piece.day] }]);
    return { size: size + date + line, day: piece.day };
  }

  #sizeOf(blocks: readonly Block[]): number {
    return this.markup.sizeOf(this.markup.render(blocks));
  }
}

/** Writes pieces down: lines of a day under its date. */
export function blocksOf(pieces: readonly Piece[]): Block[] {
  const blocks: Block[] = [];
  let code: { lines: string[]; day: string } | undefined;
  for (const piece of pieces) {
    if (piece.kind !== "code") {
      code = undefined;
      blocks.push(blockOf(piece));
      continue;
    }
    if (!code) {
      code = { lines: [], day: "" };
      blocks.push({ kind: "code", lines: code.lines });
    }
    if (code.day !== piece.day) code.lines.push(piece.day);
    code.day = piece.day;
    code.lines.push(piece.line);
  }
  return blocks;
}

function blockOf(piece: Exclude<Piece, { kind: "code" }>): Block {
  return piece.kind === "text"
    ? { kind: "text", text: piece.text }
    : { kind: "quote", by: piece.by, text: piece.text };
}
