/**
 * `srvaudit attach PID`: what a shell's hook asks, once, as the shell starts: where am I to write?
 *
 * The answer is a line with the path of the file that the agent has made for that shell. Where there is no agent, or it will
 * not, there is no answer: the hook then makes a file of its own. Nothing is ever said on stderr, and the exit code is 0:
 * a shell is about to be used.
 */

import { paths } from "../config/paths.ts";
import { askAgent } from "../desk/agent_client.ts";
import { linkSpool } from "../record/spool_links.ts";

/** How long the shell's start may be held up, in milliseconds: hello has waited for twice that already. */
const TIMEOUT_MS = 1000;

/** @param args the shell's pid, which must be an ancestor of this process and of the same user */
export async function attach(args: string[]): Promise<void> {
  if (args.length !== 1 || !/^[1-9][0-9]{0,9}$/.test(args[0] ?? "")) return;
  let spool: string;
  try {
    const places = paths();
    const files = await askAgent(places.socket, "shell.attach", { pid: Number(args[0]) }, TIMEOUT_MS);
    linkSpool(places.spool, files);
    ({ spool } = files);
  } catch {
    // No agent, or it knows no such shell, or this user has no home: the hook goes on without.
    return;
  }
  Deno.stdout.writeSync(new TextEncoder().encode(`${spool}\n`));
}
