/** Which files are srvAudit's: the manifest, which `packaging/install_files.sh` writes and which lies beside the executable. */

/** What login shells of bash read: ours alone. */
export const PROFILE = "/etc/profile.d/srvaudit.sh";

/** A path that is placed. */
export type Placed =
  | { type: "file"; path: string; mode: number; sha256: string }
  | { type: "link"; path: string; to: string };

/** A release: what can be installed, or is. */
export interface Release {
  /** What stands before its paths: nothing where it is installed, the folder that it was unpacked in otherwise. */
  root: string;
  /** The folder of its executable, as it is installed: `/usr/lib/srvaudit`. */
  library: string;
  placed: readonly Placed[];
}

/**
 * @param text lines of `file<TAB>755<TAB>SHA256<TAB>PATH` and `link<TAB>-<TAB>TARGET<TAB>PATH`
 * @throws {Error} that names the line that is none of these
 */
export function parseManifest(text: string): Placed[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [type, mode = "", what = "", path = ""] = line.split("\t");
    const isPath = path.startsWith("/") && !/\/\.{0,2}(\/|$)/.test(path);
    if (isPath && type === "file" && /^[0-7]{3}$/.test(mode) && /^[0-9a-f]{64}$/.test(what)) {
      return { type, path, mode: parseInt(mode, 8), sha256: what };
    }
    if (isPath && type === "link" && what !== "") return { type, path, to: what };
    throw new Error(`the manifest has a line that says nothing: ${line}`);
  });
}

/** @returns undefined where there is no such file */
export function readManifest(file: string): Placed[] | undefined {
  try {
    return parseManifest(Deno.readTextFileSync(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** @returns the kind of package that has placed srvAudit's files: `deb`, `rpm`; undefined where none has */
export function packageOf({ root, library }: Pick<Release, "root" | "library">): string | undefined {
  try {
    return Deno.readTextFileSync(`${root}${library}/package`).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * The release that an executable belongs to.
 *
 * @returns undefined where it belongs to none: no manifest lies beside it, or that names another
 */
export function releaseOf(executable: string): Release | undefined {
  const folder = executable.slice(0, executable.lastIndexOf("/"));
  const placed = readManifest(`${folder}/manifest`);
  // `/tmp/release/root/usr/lib/srvaudit/srvaudit` is `/usr/lib/srvaudit/srvaudit` of what was unpacked in `/tmp/release/root`.
  const own = placed?.find(({ path }) => path.endsWith("/srvaudit/srvaudit") && executable.endsWith(path));
  if (!placed || !own) return undefined;
  return {
    root: executable.slice(0, -own.path.length),
    library: own.path.slice(0, own.path.lastIndexOf("/")),
    placed,
  };
}
