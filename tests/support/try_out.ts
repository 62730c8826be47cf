/**
 * Tries `hello` out as a user, as the installer does: the tests run it in a copy of the machine.
 *
 *     deno run -A tests/support/try_out.ts '{"name":"alice","shell":"/bin/bash"}' '{"hasAgent":false}' '{}'
 *
 * The last word is what of the target is otherwise.
 */

import { detectTarget } from "../../src/install/detect.ts";
import { tryOut, TryOutError } from "../../src/install/try_out.ts";

const [user = "", options = "", otherwise = ""] = Deno.args;
const target = { ...detectTarget("", "/usr/lib/srvaudit/srvaudit"), ...JSON.parse(otherwise) };
let outcome: { step: string; message: string } | { step: null } = { step: null };
try {
  await tryOut(target, JSON.parse(user), JSON.parse(options));
} catch (error) {
  if (!(error instanceof TryOutError)) throw error;
  outcome = { step: error.step, message: error.message };
}
console.log(JSON.stringify(outcome));
