/** Finds out what kind of host this is. */

import { releaseOf } from "./manifest.ts";
import type { Family, Init, Target } from "./target.ts";

const LIBRARY = "/usr/lib/srvaudit";

/**
 * @param root what stands before the host's paths: a disk that is mounted there, or nothing
 * @param executable the program that installs
 *
 * @example
 * ```ts
 * detectTarget().init; // "systemd"
 * ```
 */
export function detectTarget(root = "", executable: string = Deno.execPath()): Target {
  const library = releaseOf(executable)?.library ?? LIBRARY;
  return {
    root,
    family: familyOf(root),
    init: initOf(root),
    hasSelinux: root === "" && isThere("/sys/fs/selinux/enforce"),
    library,
    // Beside lib/srvaudit there is bin.
    hello: library.replace(/\/lib\/srvaudit$/, "/bin/hello-srvaudit"),
  };
}

function familyOf(root: string): Family {
  if (isThere(`${root}/etc/debian_version`)) return "debian";
  if (isThere(`${root}/etc/redhat-release`)) return "redhat";
  return "other";
}

function initOf(root: string): Init {
  // On a disk that is mounted, or in a chroot, nothing runs that could start a service.
  if (root !== "") return "none";
  // sd_booted(3).
  if (isThere("/run/systemd/system")) return "systemd";
  return isThere("/etc/init.d") ? "sysv" : "none";
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
