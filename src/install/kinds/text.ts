/** Our own lines are added to a file of others: a block in a shell's startup file, a line in /etc/shells. */

import { hasBlock, hasLine, withBlock, withLine, withoutBlock, withoutLine } from "../blocks.ts";
import type { ChangeKind, Json, Left } from "../change.ts";
import { readHostText, removePath, shown, sweepBeside, writeHostText } from "../host_file.ts";
import type { Target } from "../target.ts";

/** A block between marks. */
export type BlockArgs = { path: string; lines: string };
/** A line by itself. */
export type LineArgs = { path: string; line: string };
/** Whether the file was there, and whether its last line had an end. */
export type TextBefore = { isThere: boolean; isWhole: boolean };

interface Edit<Args> {
  isIn(text: string, args: Args): boolean;
  into(text: string, args: Args): string;
  outOf(text: string, args: Args, wasWhole: boolean): string;
}

/** What is made anew where a startup file is not there. */
const NEW_FILE = { mode: 0o644, uid: 0, gid: 0 };

/** Our block in a startup file. */
export const block: ChangeKind<BlockArgs, TextBefore> = textKind("block", {
  isIn: (text, { lines }) => hasBlock(text, lines),
  into: (text, { lines }) => withBlock(text, lines),
  outOf: (text, _, wasWhole) => withoutBlock(text, wasWhole),
});

/** Our line in a list. One that is there already is somebody else's, and stays. */
export const line: ChangeKind<LineArgs, TextBefore> = textKind("line", {
  isIn: (text, { line }) => hasLine(text, line),
  into: (text, { line }) => withLine(text, line),
  outOf: (text, { line }, wasWhole) => withoutLine(text, line, wasWhole),
});

function textKind<Args extends { path: string } & Readonly<Record<string, Json>>>(
  kind: string,
  edit: Edit<Args>,
): ChangeKind<Args, TextBefore> {
  const read = (target: Target, { path }: Args) => readHostText(target, path);
  return {
    kind,
    isDone: (target, args) => edit.isIn(read(target, args) ?? "", args),
    preview(target, args) {
      const now = read(target, args);
      return [{ path: target.root + args.path, now: shown(now), then: shown(edit.into(now ?? "", args)) }];
    },
    writes: (_, { path }) => [path],
    before(target, args) {
      const text = read(target, args);
      return {
        isThere: text !== undefined,
        isWhole: text === undefined || text === "" || text.endsWith("\n"),
      };
    },
    apply(target, args) {
      writeHostText(target, args.path, edit.into(read(target, args) ?? "", args), NEW_FILE);
    },
    undo(target, args, before): Left[] {
      sweepBeside(target, args.path);
      const text = read(target, args);
      if (text === undefined) return [];
      const rest = edit.outOf(text, args, before.isWhole);
      if (rest === "" && !before.isThere) removePath(target, args.path);
      else if (rest !== text) writeHostText(target, args.path, rest);
      return [];
    },
  };
}
