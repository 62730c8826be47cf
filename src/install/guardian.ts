/** Starts who waits until it is time to put everything back: whatever ends the installer, or the admin's login, ends it not. */

import { messageOf } from "../terminal/message_of.ts";
import type { Target } from "./target.ts";

/** The unit that install_files.sh places; systemd starts it after a restart of the machine too, and again where it is killed. */
const UNIT = "srvaudit-put-back.service";

/** What `srvaudit put-back` says as soon as it waits. */
export const WAITING = "waiting";

/** How long its start may take, in milliseconds. */
const START_MS = 20_000;

/**
 * Starts `srvaudit put-back`: by systemd where that runs, else in a session of its own.
 *
 * @returns when it waits
 * @throws {Error} that says why it cannot be started
 */
export async function startGuardian(target: Target): Promise<void> {
  // Where systemd does not know the unit (another PREFIX), the other way is as good until the machine is started again.
  if (target.init === "systemd" && await isStartedBySystemd()) return;
  await startDetached([`${target.library}/srvaudit`, "put-back"]);
}

async function isStartedBySystemd(): Promise<boolean> {
  const start = new Deno.Command("systemctl", {
    args: ["start", UNIT],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  try {
    return (await start.output()).success;
  } catch {
    // No systemctl.
    return false;
  }
}

async function startDetached(command: readonly string[]): Promise<void> {
  const child = new Deno.Command("sh", {
    // The shell ends at once: it is nobody's child that waits.
    args: ["-c", 'setsid "$@" < /dev/null 2> /dev/null &', "sh", ...command],
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
    cwd: "/",
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const said = firstPiece(child.stdout);
  const timer = setTimeout(() => child.stdout.cancel().catch(() => {}), START_MS);
  try {
    const text = await said;
    if (!text.startsWith(WAITING)) throw new Error(`${command.join(" ")} does not start`);
  } catch (error) {
    throw new Error(messageOf(error), { cause: error });
  } finally {
    clearTimeout(timer);
    await child.status;
  }
}

async function firstPiece(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader();
  try {
    return new TextDecoder().decode((await reader.read()).value);
  } finally {
    // Nobody reads on: whoever waits there has said what it had to say.
    await reader.cancel();
  }
}
