/** Examples in a command's help: a line each. */

import { lineBreak, type Message } from "@optique/core/message";

/** @param lines as they are typed, with what each is for behind it */
export function examples(...lines: string[]): Message {
  return lines.flatMap((text, i) => [...(i > 0 ? [lineBreak()] : []), { type: "text", text } as const]);
}
