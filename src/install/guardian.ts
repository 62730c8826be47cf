/** Starts who waits until it is time to put everything back: whatever ends the installer, or the admin's login, ends it not. */

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
  const reader = child.stdout.getReader();
  // Who reads no more gets nothing: the end of the stream.
  const timer = setTimeout(() => reader.cancel(), START_MS);
  try {
    const said = new TextDecoder().decode((await reader.read()).value);
    if (!said.startsWith(WAITING)) throw new Error(`${command.join(" ")} does not start`);
  } finally {
    clearTimeout(timer);
    await reader.cancel();
    await child.status;
  }
}
