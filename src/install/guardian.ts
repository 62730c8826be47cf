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
  const command = [`${target.library}/srvaudit`, "put-back"];
  if (target.init === "systemd") {
    if (await succeeds("systemctl", "start", UNIT)) return;
    // It does not know the unit of another PREFIX. It is to be who starts it all the same: for the agent, who may be asking,
    // and for all that it starts itself, /etc can only be read.
    const again = ["Restart=on-failure", "RestartSec=5"].map((property) => `--property=${property}`);
    if (await succeeds("systemd-run", "--quiet", "--collect", `--unit=${UNIT}`, ...again, ...command)) return;
  }
  await startDetached(command);
}

async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" });
  try {
    return (await child.output()).success;
  } catch {
    // There is no such program.
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
