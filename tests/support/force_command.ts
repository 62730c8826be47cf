/**
 * Runs a step of the change `forceCommand` on the machine that it is started on, which must be a copy (machine.sh):
 * force_command.ts STEP JSON-OF-MATCH [JSON-OF-BEFORE], or force_command.ts choose|tried JSON-OF-WHO. Prints JSON.
 */

import { chooseAll } from "../../src/install/choose.ts";
import { chooseForced } from "../../src/install/choose_forced.ts";
import { forceCommand } from "../../src/install/kinds/force_command.ts";
import type { Target } from "../../src/install/target.ts";
import { messageOf } from "../../src/terminal/message_of.ts";

const target: Target = {
  root: "",
  family: "debian",
  // The machine's own service manager is nothing to a copy of it.
  init: "none",
  hasSelinux: false,
  library: "/usr/lib/srvaudit",
  hello: "/usr/bin/hello-srvaudit",
};

async function perform(step = "", argument = "null", before = "null"): Promise<unknown> {
  const args = { match: JSON.parse(argument) };
  switch (step) {
    case "choose":
      return await chooseForced(target, JSON.parse(argument));
    case "tried": {
      const answers = { config: {}, forceCommand: true, testTicket: undefined, hasSafety: true };
      const { users } = await chooseAll(target, { ...answers, who: JSON.parse(argument) });
      return users.map(({ name }) => name);
    }
    case "isDone":
      return await forceCommand.isDone(target, args);
    case "before":
      return await forceCommand.before(target, args);
    case "preview":
      return await forceCommand.preview(target, args);
    case "apply":
      await forceCommand.apply(target, args);
      return null;
    case "undo":
      return await forceCommand.undo(target, args, JSON.parse(before));
  }
  throw new TypeError(`there is no step ${step}`);
}

try {
  console.log(JSON.stringify(await perform(...Deno.args)) ?? "null");
} catch (error) {
  console.error(messageOf(error));
  Deno.exit(1);
}
