/** The SELinux module that lets people log in to `hello` on hosts with a targeted policy, and the labels that it gives. */

import { Buffer } from "node:buffer";
import { replaceFile } from "../../posix/replace_file.ts";
import type { ChangeKind } from "../change.ts";
import { lstat } from "../host_file.ts";
import type { Target } from "../target.ts";

/** What the policy knows the module by. */
const MODULE = "srvaudit";
const SPOOL = "/var/spool/srvaudit";
/** A copy of what the policy was given: semodule(8) is confined, and may write what it has to no folder of ours. */
const GIVEN = "/var/lib/srvaudit/selinux.pp";
const FOLDERS_OF_PROGRAMS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** The module's file, as the manifest has it: `/usr/share/selinux/packages/srvaudit.pp`. */
type Args = { module: string };
/** Whether the policy had a module of that name. */
type Before = { had: boolean };

/**
 * For hosts with SELinux (`hasSelinux`) only. It comes after the files and folders that it labels, and before the service. The
 * policy is made anew each time, which takes ten seconds or more.
 */
export const selinuxModule: ChangeKind<Args, Before> = {
  kind: "selinux",

  async isDone(target, { module }) {
    // It may be one of the files that are still to be placed.
    const isGiven = lstat(module) && lstat(GIVEN) && read(GIVEN).equals(read(module));
    return Boolean(isGiven) && await isLoaded() && await isLabelled(target);
  },

  preview: (target, { module }) => [
    { does: `semodule -i ${module}` },
    { does: `restorecon -R ${[...placesOf(target), SPOOL].join(" ")}` },
  ],

  async before() {
    return { had: await isLoaded() };
  },

  async apply(target, { module }) {
    await mustRun("semodule", ["-i", module]);
    replaceFile(GIVEN, read(module), { mode: 0o600, uid: 0, gid: 0 });
    await label(target);
  },

  async undo(target, _args, { had }) {
    const left = had
      ? [{ what: `the SELinux module ${MODULE}`, why: `there was one before: semodule -r ${MODULE}` }]
      : [];
    if (!had && await isLoaded()) await mustRun("semodule", ["-r", MODULE]);
    if (lstat(GIVEN)) Deno.removeSync(GIVEN);
    // What stays on the host, evidence and spool, has labels that no policy knows any more.
    await label(target);
    return left;
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

async function isLoaded(): Promise<boolean> {
  const list = await mustRun("semodule", ["-l"]);
  // Older ones say the version behind the name.
  return list.split("\n").some((line) => line.split(/\s/)[0] === MODULE);
}

function read(path: string): Buffer {
  return Buffer.from(Deno.readFileSync(path));
}

/**
 * @returns what it printed on stdout
 * @throws {Error} if it fails, or is not here
 */
async function mustRun(program: string, args: string[]): Promise<string> {
  const { code, printed, complaint } = await run(program, args);
  if (code === 0) return printed;
  throw new Error(`${program} ${args.join(" ")} failed (exit code ${code}): ${complaint || printed}`);
}

async function run(program: string, args: string[]) {
  const path = FOLDERS_OF_PROGRAMS.map((folder) => `${folder}/${program}`).find(lstat);
  if (path === undefined) {
    throw new Error(
      `SELinux is on here, but ${program} is missing: install policycoreutils (dnf install policycoreutils), and run it again`,
    );
  }
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args,
    cwd: "/",
    stdin: "null",
    env: { LC_ALL: "C" },
  }).output();
  const [printed, complaint] = [stdout, stderr].map((bytes) => Buffer.from(bytes).toString().trim());
  return { code, printed: printed ?? "", complaint: complaint ?? "" };
}
