/** The question before anything is changed. */

import { say } from "../terminal/speak.ts";
import { Interview } from "./interview.ts";

/**
 * @param preset what Enter means
 * @returns whether it may be done; where not, she was told that nothing was changed
 * @throws {NothingChangedError} if she ends it
 */
export async function isAgreed(question: string, preset: boolean): Promise<boolean> {
  using interview = await Interview.begin();
  const isYes = await interview.confirm(question, preset);
  if (!isYes) say("nothing was changed");
  return isYes;
}
