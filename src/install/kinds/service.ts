/** The agent is made a service of the host's, and runs as the executable that is installed. */

import type { ChangeKind, Left, Preview } from "../change.ts";
import { lstat } from "../host_file.ts";
import { stateFolder } from "../journal.ts";
import type { Target } from "../target.ts";

/** By what it is started. */
export type ServiceArgs = { init: "systemd" | "sysv" };

const SCRIPT = "/etc/init.d/srvaudit";
/** How long the agent may take to end, in milliseconds. */
const END_MS = 10_000;

/** The agent's service: enabled, and running. */
export const service: ChangeKind<ServiceArgs, null> = {
  kind: "service",
  async isDone(target, { init }) {
    if (!isRunningInstalled(target)) return false;
    if (init === "sysv") return hasStartLinks(target) ?? true;
    const isEnabled = (await run("systemctl", "is-enabled", "--quiet", "srvaudit")).success;
    const { said } = await run("systemctl", "show", "--property=NeedDaemonReload", "srvaudit");
    return isEnabled && !said.includes("=yes");
  },
  preview: (_, { init }): Preview[] =>
    (init === "systemd"
      ? ["systemctl daemon-reload", "systemctl enable srvaudit", "systemctl restart srvaudit"]
      : ["update-rc.d srvaudit defaults", `${SCRIPT} restart`]).map((does) => ({ does })),
  before: () => null,
  async apply(target, { init }) {
    if (init === "systemd") {
      await must("systemctl", "daemon-reload");
      await must("systemctl", "enable", "--quiet", unitOf(target));
      await must("systemctl", "restart", "srvaudit");
      return;
    }
    if (hasStartLinks(target) === false) await must(...enabler("defaults", "--add"));
    await must(SCRIPT, "restart");
  },
  async undo(target, { init }): Promise<Left[]> {
    if (init === "systemd") await run("systemctl", "disable", "--now", "--quiet", "srvaudit");
    else if (lstat(SCRIPT)) {
      await run(SCRIPT, "stop");
      if (hasStartLinks(target)) await run(...enabler("remove", "--del"));
    }
    await endAgent();
    // From now on the host has no agent: logins must not wait for one.
    for (const path of ["/run/srvaudit", `${stateFolder(target)}/policy.json`]) {
      if (lstat(path)) await Deno.remove(path, { recursive: true });
    }
    return [];
  },
};

/** systemd looks for units below /usr alone: one that lies elsewhere is enabled by its path. */
function unitOf({ library }: Target): string {
  const unit = library.replace(/srvaudit$/, "systemd/system/srvaudit.service");
  return /^\/usr\/(local\/)?lib\//.test(unit) ? "srvaudit" : unit;
}

/** Whether the agent that runs is of the executable that is installed: an upgrade leaves one of the old executable. */
function isRunningInstalled(target: Target): boolean {
  const pid = agentPid();
  if (pid === undefined) return false;
  try {
    const running = Deno.statSync(`/proc/${pid}/exe`);
    const installed = Deno.statSync(`${target.library}/srvaudit`);
    return running.dev === installed.dev && running.ino === installed.ino;
  } catch {
    return false;
  }
}

/** Has the agent read its config anew. */
export function reloadAgent(): void {
  const pid = agentPid();
  if (pid !== undefined) Deno.kill(pid, "SIGHUP");
}

/** Has systemd know that the units are gone, where they are. */
export async function forgetUnit({ init }: Target): Promise<void> {
  if (init !== "systemd") return;
  await run("systemctl", "daemon-reload");
  // One that has failed is remembered for that, longer than its file is there.
  await run("systemctl", "reset-failed", "srvaudit.service", "srvaudit-put-back.service");
}

/** Ends the agent, however it was started, and waits for its end. */
async function endAgent(): Promise<void> {
  const pid = agentPid();
  if (pid === undefined) return;
  const deadline = performance.now() + END_MS;
  let signal: Deno.Signal = "SIGTERM";
  while (agentPid() === pid) {
    try {
      Deno.kill(pid, signal);
    } catch {
      // It has just ended.
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (performance.now() > deadline) signal = "SIGKILL";
  }
}

/** @returns the agent's process, or undefined if none runs */
function agentPid(): number | undefined {
  try {
    const pid = Number(Deno.readTextFileSync("/run/srvaudit/agent.pid"));
    const [program = "", word = ""] = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
    // The number may be another's by now.
    return program.endsWith("/srvaudit") && word === "agent" ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it starts with the machine; undefined where nothing here could see to that. */
function hasStartLinks({ root }: Target): boolean | undefined {
  const folders = ["/etc/rc2.d", "/etc/rc3.d", "/etc/rc.d/rc3.d"].filter((folder) => lstat(root + folder));
  const isLinked = folders.some((folder) =>
    [...Deno.readDirSync(root + folder)].some(({ name }) => /^S\d\dsrvaudit$/.test(name))
  );
  return isLinked || (findTool("update-rc.d") ?? findTool("chkconfig")) !== undefined ? isLinked : undefined;
}

function enabler(debian: string, redhat: string): [string, ...string[]] {
  return findTool("update-rc.d") === undefined
    ? ["chkconfig", redhat, "srvaudit"]
    : ["update-rc.d", "srvaudit", debian];
}

function findTool(name: string): string | undefined {
  return ["/usr/sbin", "/sbin", "/usr/bin"].map((folder) => `${folder}/${name}`).find((path) => lstat(path));
}

async function must(program: string, ...args: string[]): Promise<void> {
  const { success, said } = await run(program, ...args);
  if (!success) {
    throw new Error(`${[program, ...args].join(" ")} failed: ${said.trim() || "it does not say why"}`);
  }
}

async function run(program: string, ...args: string[]): Promise<{ success: boolean; said: string }> {
  // To files, not pipes: what a service starts may hold them open for ever.
  const output = await Deno.makeTempFile({ dir: "/run" });
  try {
    const words = ['exec "$@" > "$0" 2>&1', output, program, ...args];
    const { success } = await new Deno.Command("sh", {
      args: ["-c", ...words],
      clearEnv: true,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
      cwd: "/",
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return { success, said: await Deno.readTextFile(output) };
  } finally {
    await Deno.remove(output);
  }
}
