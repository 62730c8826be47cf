/**
 * Which paths may keep whoever touches them waiting for ever: on a file system that another machine, or a program of some
 * user's, must answer for.
 */

/** What the kernel answers for by itself. All that is not here may hang: NFS, CIFS, FUSE, and an automounter before them. */
const LOCAL: ReadonlySet<string> = new Set([
  "bcachefs",
  "btrfs",
  "devtmpfs",
  "erofs",
  "exfat",
  "ext2",
  "ext3",
  "ext4",
  "f2fs",
  "jfs",
  "nilfs2",
  "ntfs3",
  "overlay",
  "ramfs",
  "reiserfs",
  "squashfs",
  "tmpfs",
  "vfat",
  "xfs",
  "zfs",
]);

/** How long the kernel's list is taken for true, in milliseconds. */
const FRESH_MS = 1000;
/** As many links as the kernel itself follows. */
const MOST_LINKS = 40;

let mounts: { types: ReadonlyMap<string, string>; atMs: number } | undefined;

/**
 * Finds a file system on the way to a path that may not answer. It is not touched for that: the kernel has a list of what is
 * mounted where, and only what lies before it is looked at.
 *
 * @param path absolute; links in it are followed
 * @param unfollowed but not those of its last so many names
 * @param types where each file system is mounted, and its type; the kernel's own list by default
 * @returns the type of the first one that may not answer, or undefined if all do, or there is no such path
 *
 * @example
 * ```ts
 * mayHang("/home/alice/.ash/spool", 2); // "nfs4"
 * ```
 */
export function mayHang(
  path: string,
  unfollowed = 0,
  types: ReadonlyMap<string, string> = mountTypes(),
): string | undefined {
  let names = path.split("/").filter(Boolean);
  let links = 0;
  for (let count = 1; count <= names.length;) {
    const here = `/${names.slice(0, count).join("/")}`;
    const type = types.get(here);
    if (type !== undefined && !LOCAL.has(type)) return type;
    const target = count > names.length - unfollowed ? undefined : linkAt(here);
    if (target === undefined) {
      count++;
      continue;
    }
    if (++links > MOST_LINKS) return undefined;
    const from = target.startsWith("/") ? [] : names.slice(0, count - 1);
    names = plain([...from, ...target.split("/"), ...names.slice(count)]);
    count = 1;
  }
  return undefined;
}

/** Without `.` and `..`. */
function plain(names: readonly string[]): string[] {
  const result: string[] = [];
  for (const name of names) {
    if (name === "..") result.pop();
    else if (name !== "" && name !== ".") result.push(name);
  }
  return result;
}

function linkAt(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    // No link, not there, or not to be seen.
    return undefined;
  }
}

function mountTypes(): ReadonlyMap<string, string> {
  const nowMs = performance.now();
  if (!mounts || nowMs - mounts.atMs > FRESH_MS) {
    mounts = { types: parseMounts(Deno.readTextFileSync("/proc/self/mountinfo")), atMs: nowMs };
  }
  return mounts.types;
}

/**
 * @param text as in /proc/self/mountinfo: proc(5)
 * @returns where each file system is mounted, and its type; of several in one place the last, which lies on top
 */
export function parseMounts(text: string): Map<string, string> {
  const types = new Map<string, string>();
  for (const line of text.split("\n")) {
    // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
    const [before = "", after = ""] = line.split(" - ");
    const place = before.split(" ")[4];
    const type = after.split(" ")[0];
    if (!place || !type) continue;
    // A blank, a tab, a line's end and a backslash are there in octal.
    types.set(place.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8))), type);
  }
  return types;
}
