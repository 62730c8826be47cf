/** Asks for answers below a root, as the installer does: `ask_answers.ts ROOT GIVEN`; what came of it is JSON in the file ROOT/answers. */

import type { GivenAnswers } from "../../src/install/answers.ts";
import { askAnswers } from "../../src/install/ask_answers.ts";
import { messageOf } from "../../src/terminal/message_of.ts";
import { targetBelow } from "./config_host.ts";

const [root = "", given = "{}"] = Deno.args;
const nothing: GivenAnswers = {
  config: {},
  who: undefined,
  forceCommand: undefined,
  testTicket: undefined,
  hasSafety: undefined,
};
try {
  const answers = await askAnswers({ ...nothing, ...JSON.parse(given) }, targetBelow(root));
  Deno.writeTextFileSync(`${root}/answers`, JSON.stringify(answers));
} catch (error) {
  console.error(`ERROR ${messageOf(error)}`);
  Deno.exit(1);
}
