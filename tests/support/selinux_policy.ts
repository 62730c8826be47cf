/** Debian's SELinux policy in a folder of its own: real rules to ask, on a machine that has no SELinux. */

import { succeed } from "./run.ts";

/** The name of the store, and of the folder below /etc/selinux. */
const STORE = "default";

/** A policy, and the programs that ask it. */
export interface Policy {
  /** Stands before `/etc/selinux` and `/var/lib/selinux`. */
  root: string;
  /** Adds a module: a .pp file. @throws {Error} with what the policy has against it */
  add(module: string): Promise<void>;
  /** The rules that sesearch(1) finds, one a line. */
  rules(...flags: string[]): Promise<string[]>;
  /**
   * What one domain may do with a type, as in `file read`: without what a switch of the policy's (a boolean) would allow.
   */
  allowed(source: string, target: string): Promise<Set<string>>;
  /** The type that a path is labelled with. */
  typeOf(path: string, kind?: "dir" | "file" | "lnk_file" | "sock_file"): Promise<string>;
}

/**
 * Makes the policy from the package, which is downloaded and unpacked, not installed: half a minute.
 *
 * @param folder an empty one
 * @example
 * ```ts
 * const policy = await debianPolicy(folder);
 * await policy.rules("-A", "-s", "user_t", "-t", "shell_exec_t", "-c", "file");
 * ```
 */
export async function debianPolicy(folder: string): Promise<Policy> {
  const root = `${folder}/root`;
  await Deno.mkdir(`${root}/var/lib/selinux`, { recursive: true });
  // apt's own user downloads, where it may.
  const download =
    'chmod 755 "$1" && cd "$1" && apt-get download --quiet selinux-policy-default && dpkg-deb -x ./*.deb root';
  await succeed(["sh", "-c", download, "sh", folder]);
  await Deno.writeTextFile(
    `${root}/etc/selinux/config`,
    `SELINUX=permissive\nSELINUXTYPE=${STORE}\n`,
  );
  const modules = `${root}/usr/share/selinux/${STORE}`;
  const names = (await Deno.readTextFile(`${modules}/.modules`)).split(/\s+/).filter((name) =>
    name !== "" && name !== "base"
  );
  const semodule = ["semodule", "-p", root, "-s", STORE, "-n"];
  await succeed([
    ...semodule,
    "-X",
    "100",
    ...["base", ...names].flatMap((name) => ["-i", `${modules}/${name}.pp.bz2`]),
  ]);
  const rules = async (...flags: string[]) => {
    const [policy] = [...Deno.readDirSync(`${root}/etc/selinux/${STORE}/policy`)];
    const found = await succeed([
      "sesearch",
      ...flags,
      `${root}/etc/selinux/${STORE}/policy/${policy?.name}`,
    ]);
    return found.split("\n").filter((line) => line !== "");
  };
  return {
    root,
    rules,
    add: async (module) => {
      await succeed([...semodule, "-i", module]);
    },
    allowed: async (source, target) => {
      const found = (await rules("-A", "-s", source, "-t", target)).map((rule) =>
        /^allow \S+ \S+:(\S+) (?:\{ (.*) \}|(\S+));$/.exec(rule)
      );
      return new Set(found.flatMap((parts) => {
        const [, kind, several, one = ""] = parts ?? [];
        return (several ?? one).split(" ").map((permission) => `${kind} ${permission}`);
      }));
    },
    typeOf: async (path, kind = "file") => {
      const contexts = `${root}/etc/selinux/${STORE}/contexts/files/file_contexts`;
      const context = await succeed(["matchpathcon", "-n", "-m", kind, "-f", contexts, path]);
      return context.trim().split(":")[2] ?? "";
    },
  };
}
