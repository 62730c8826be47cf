/** The SELinux module that lets people log in to `hello` on hosts with a targeted policy, and the labels that it gives. */

import { Buffer } from "node:buffer";
import type { ChangeKind } from "../change.ts";
import { lstat } from "../host_file.ts";
import { withPrivateFolder } from "../private_folder.ts";
import type { Target } from "../target.ts";

/** What the policy knows the module by. */
const MODULE = "srvaudit";
const SPOOL = "/var/spool/srvaudit";
/** Where policies let semodule(8), which is confined, read what root has put there. */
const EXCHANGE = "/tmp";
const FOLDERS_OF_PROGRAMS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** The module's file, as the manifest has it: `/usr/share/selinux/packages/srvaudit.pp`. */
type Args = { module: string };
/** The module of that name that was there, in base64; null where there was none. */
type Before = { module: string | null };

/**
 * For hosts with SELinux (`hasSelinux`) only. It comes after the files and folders that it labels, and before the service. The
 * policy is made anew each time, which takes ten seconds or more.
 */
export const selinuxModule: ChangeKind<Args, Before> = {
  kind: "selinux",

  async isDone(target, { module }) {
    const now = await moduleThere();
    // It may be one of the files that are still to be placed.
    if (now === undefined || !lstat(module)) return false;
    return now.equals(Deno.readFileSync(module)) && await isLabelled(target);
  },

  preview: (target, { module }) => [
    { does: `semodule -i ${module}` },
    { does: `restorecon -R ${[...placesOf(target), SPOOL].join(" ")}` },
  ],

  async before() {
    return { module: (await moduleThere())?.toString("base64") ?? null };
  },

  async apply(target, { module }) {
    await mustRun("semodule", ["-i", module]);
    await label(target);
  },

  async undo(target, _args, { module }) {
    if (module !== null) await putModuleBack(Buffer.from(module, "base64"));
    else if (await moduleThere() !== undefined) await mustRun("semodule", ["-r", MODULE]);
    // What stays on the host, evidence and spool, has labels that no policy knows any more.
    await label(target);
    return [];
  },
};

/** What the module has labels for, but for the spool. */
function placesOf(target: Target): string[] {
  return [
    target.library,
    target.hello,
    "/srv/audit",
    "/etc/srvaudit",
    "/run/srvaudit",
    "/var/lib/srvaudit",
    "/var/log/srvaudit.log",
  ];
}

async function label(target: Target): Promise<void> {
  await mustRun("restorecon", ["-R", ...placesOf(target).filter(lstat)]);
  // Files in it are append-only, and then the kernel lets nobody change their labels: those of sessions that began before keep
  // theirs, and the agent reads them all the same.
  if (lstat(SPOOL)) await run("restorecon", ["-R", SPOOL]);
}

async function isLabelled(target: Target): Promise<boolean> {
  const wouldChange = await mustRun("restorecon", ["-n", "-v", "-R", ...placesOf(target).filter(lstat)]);
  return wouldChange === "" && (!lstat(SPOOL) || await mustRun("restorecon", ["-n", "-v", SPOOL]) === "");
}

/** The module as it was given to the policy, byte for byte; undefined where the policy has none of that name. */
async function moduleThere(): Promise<Buffer | undefined> {
  const list = await mustRun("semodule", ["-l"]);
  // Older ones say the version behind the name.
  if (!list.split("\n").some((line) => line.split(/\s/)[0] === MODULE)) return undefined;
  return await withPrivateFolder(async (folder) => {
    await mustRun("semodule", ["--hll", "-E", MODULE], folder);
    return Buffer.from(Deno.readFileSync(`${folder}/${MODULE}.pp`));
  }, EXCHANGE);
}

async function putModuleBack(bytes: Buffer): Promise<void> {
  await withPrivateFolder(async (folder) => {
    Deno.writeFileSync(`${folder}/${MODULE}.pp`, bytes);
    await mustRun("semodule", ["-i", `${folder}/${MODULE}.pp`]);
  }, EXCHANGE);
}

/**
 * @returns what it printed on stdout
 * @throws {Error} if it fails, or is not here
 */
async function mustRun(program: string, args: string[], cwd = "/"): Promise<string> {
  const { code, printed, complaint } = await run(program, args, cwd);
  if (code === 0) return printed;
  throw new Error(`${program} ${args.join(" ")} failed (exit code ${code}): ${complaint || printed}`);
}

async function run(program: string, args: string[], cwd = "/") {
  const path = FOLDERS_OF_PROGRAMS.map((folder) => `${folder}/${program}`).find(lstat);
  if (path === undefined) {
    throw new Error(
      `SELinux is on here, but ${program} is missing: install policycoreutils (dnf install policycoreutils), and run it again`,
    );
  }
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args,
    cwd,
    stdin: "null",
    env: { LC_ALL: "C" },
  }).output();
  const [printed, complaint] = [stdout, stderr].map((bytes) => Buffer.from(bytes).toString().trim());
  return { code, printed: printed ?? "", complaint: complaint ?? "" };
}
