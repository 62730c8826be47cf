/** Shows what would be changed: `--dry-run`. */

import { createTwoFilesPatch } from "diff";
import { visible } from "../terminal/visible.ts";
import type { Change, Preview } from "./change.ts";
import type { Target } from "./target.ts";

/**
 * @returns a unified diff for each file that would be changed, and a line for each change that has no text; harmless on a
 * terminal
 */
export async function previewText(target: Target, changes: readonly Change[]): Promise<string> {
  const previews: Preview[] = [];
  for (const { kind, args } of changes) previews.push(...await kind.preview(target, args));
  return previews.map(shownPreview).join("");
}

function shownPreview(preview: Preview): string {
  if ("does" in preview) return `# ${visible(preview.does)}\n`;
  const { path, now, then } = preview;
  const [from, to] = [now === undefined ? "/dev/null" : path, then === undefined ? "/dev/null" : path];
  const patch = createTwoFilesPatch(from, to, now ?? "", then ?? "", undefined, undefined, {
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  });
  return visible(patch, "\n\t");
}
