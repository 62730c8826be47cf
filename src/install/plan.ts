/** What an installation changes on a host, in its order. */

import { existsSync } from "node:fs";
import type { Change, ChangeKind, Json } from "./change.ts";
import { lstat, type Stood } from "./host_file.ts";
import { entryOf, type Journal } from "./journal.ts";
import { configChange, type ConfigValues, maskChange } from "./kinds/config.ts";
import { file, type FileArgs, sumOf } from "./kinds/file.ts";
import { folder } from "./kinds/folder.ts";
import { group } from "./kinds/group.ts";
import { link } from "./kinds/link.ts";
import { retired } from "./kinds/retired.ts";
import { selinuxModule } from "./kinds/selinux.ts";
import { service } from "./kinds/service.ts";
import { block, line } from "./kinds/text.ts";
import { PROFILE, readManifest, type Release } from "./manifest.ts";
import type { Target } from "./target.ts";

const SELINUX_MODULE = "/usr/share/selinux/packages/srvaudit.pp";

/** What is to be done, and what is left as it is. */
export interface Plan {
  changes: readonly Change[];
  /** What an admin has made of files of ours, which stays; in words. */
  notes: readonly string[];
}

/** The startup files that a shell may have, the first being made where none is there; and what is added to it. */
const HOOKS = [
  { snippet: "bashrc.bash", shell: "bash", files: { debian: "/etc/bash.bashrc", redhat: "/etc/bashrc" } },
  { snippet: "zshrc.zsh", shell: "zsh", files: { debian: "/etc/zsh/zshrc", redhat: "/etc/zshrc" } },
  { snippet: "zshenv.zsh", shell: "zsh", files: { debian: "/etc/zsh/zshenv", redhat: "/etc/zshenv" } },
  // Not a file in conf.d: one of the same name in the user's own would be read in its place.
  {
    snippet: "config.fish",
    shell: "fish",
    files: { debian: "/etc/fish/config.fish", redhat: "/etc/fish/config.fish" },
  },
] as const;

/**
 * The files, the group, the config and the shells' hooks: all but the agent and who gets `hello`.
 *
 * @param release where the files come from: the host itself, where a package has placed them
 * @param config what is to stand in the config, by key
 */
export function planHooks(
  target: Target,
  release: Release,
  journal: Journal,
  config: ConfigValues = {},
): Plan {
  const notes: string[] = [];
  const library = release.root + release.library;
  const placed = release.root === target.root
    ? planProfile(target, release, journal, `${library}/snippets/profile.sh`)
    : planFiles(target, release, journal, notes);
  const changes: Change[] = [
    ...placed,
    change(group, "srvaudit", { name: "srvaudit" }),
    ...planFolders(target, ["/etc/srvaudit/config", "/srv/audit/hello"]),
    configChange(config),
    maskChange(),
    change(link, "/srv/audit/hello", { path: "/srv/audit/hello", to: `${target.library}/hello` }),
    // Without the file all shells of the C library's own list are allowed: with ours alone in it none of them would be.
    ...(lstat(`${target.root}/etc/shells`)
      ? [target.hello, "/srv/audit/hello"].map((hello) =>
        change(line, `/etc/shells: ${hello}`, { path: "/etc/shells", line: hello })
      )
      : []),
    ...planBlocks(target, `${library}/snippets`),
    ...(target.hasSelinux && release.placed.some(({ path }) => path === SELINUX_MODULE)
      ? [change(selinuxModule, "srvaudit", { module: SELINUX_MODULE })]
      : []),
  ];
  return { changes, notes };
}

/** The agent's service; nothing where nothing here could start it. */
export function planService(target: Target, release: Release, journal: Journal): Change[] {
  const { init } = target;
  if (init === "none") return [];
  if (init === "systemd") return [change(service, "srvaudit", { init })];
  const script = release.placed.find(({ path }) => path === `${release.library}/init/srvaudit`);
  if (script?.type !== "file") throw new Error("the release has no init/srvaudit: unpack it anew");
  return [
    change(file, "/etc/init.d/srvaudit", {
      ...fileArgs(target, journal, script, release.root + script.path),
      path: "/etc/init.d/srvaudit",
    }),
    change(service, "srvaudit", { init }),
  ];
}

function planFiles(target: Target, release: Release, journal: Journal, notes: string[]): Change[] {
  const manifest = `${release.library}/manifest`;
  const older = readManifest(target.root + manifest) ?? [];
  const changes: Change[] = [];
  for (const each of release.placed) {
    if (each.type === "link") {
      changes.push(change(link, each.path, { path: each.path, to: each.to }));
      continue;
    }
    const args = fileArgs(target, journal, each, release.root + each.path);
    if (!isTheirs(target, each.path, args.earlier, each.sha256)) changes.push(change(file, each.path, args));
    else if (!args.earlier.includes(each.sha256)) {
      notes.push(`${target.root}${each.path} stays as somebody has made it; this version has a newer one`);
    }
  }
  for (const { path } of older) {
    if (release.placed.some((each) => each.path === path)) continue;
    const before = (entryOf(journal, file.kind, path) ?? entryOf(journal, link.kind, path))?.before ?? null;
    if (isTheirs(target, path, earlierSums(target, journal, path), "")) {
      notes.push(`${target.root}${path} stays as somebody has made it; this version has none`);
    } else changes.push(change(retired, path, { path, before: before as Stood }));
  }
  // The last of them: as long as the older one is there, all that it names may be.
  const own = { path: manifest, mode: 0o644, sha256: sumOf(release.root + manifest) };
  changes.push(change(file, manifest, fileArgs(target, journal, own, release.root + manifest)));
  return [...planFolders(target, [...release.placed.map(({ path }) => path), manifest]), ...changes];
}

/** A package does not place a second time what `srvaudit rescue --hooks` has removed. */
function planProfile(target: Target, release: Release, journal: Journal, from: string): Change[] {
  const profile = release.placed.find(({ path }) => path === PROFILE);
  if (profile?.type !== "file" || lstat(target.root + PROFILE)) return [];
  return [change(file, PROFILE, fileArgs(target, journal, profile, from))];
}

function fileArgs(
  target: Target,
  journal: Journal,
  { path, mode, sha256 }: { path: string; mode: number; sha256: string },
  from: string,
): FileArgs {
  return { path, mode, from, sha256, earlier: earlierSums(target, journal, path) };
}

/** The sums of what was placed at a path: by the journal, or by the manifest of who has placed it without one. */
function earlierSums(target: Target, journal: Journal, path: string): string[] {
  const args = entryOf(journal, file.kind, path)?.args as FileArgs | undefined;
  const older = readManifest(`${target.root}${target.library}/manifest`)?.find((each) => each.path === path);
  const sums = [
    ...(args ? [...args.earlier, args.sha256] : []),
    ...(older?.type === "file" ? [older.sha256] : []),
  ];
  return [...new Set(sums)];
}

/** Whether a file of ours below /etc was changed by an admin: there it is for her to change. */
function isTheirs(target: Target, path: string, earlier: readonly string[], sha256: string): boolean {
  if (!path.startsWith("/etc/") || earlier.length === 0 || !lstat(target.root + path)?.isFile) return false;
  return ![sha256, ...earlier].includes(sumOf(target.root + path));
}

/** The folders that these paths need and that are not there, the outer ones first. */
function planFolders({ root }: Target, paths: readonly string[]): Change[] {
  const missing = new Set<string>();
  for (const path of paths) {
    for (let end = path.indexOf("/", 1); end > 0; end = path.indexOf("/", end + 1)) {
      if (!existsSync(root + path.slice(0, end))) missing.add(path.slice(0, end));
    }
  }
  return [...missing].sort().map((path) => change(folder, path, { path, mode: 0o755 }));
}

function planBlocks(target: Target, snippets: string): Change[] {
  const blocks = HOOKS.flatMap(({ snippet, shell, files }) => {
    const usual = target.family === "redhat" ? files.redhat : files.debian;
    const there = [usual, ...Object.values(files)].find((path) => lstat(target.root + path));
    // A startup file of a shell that is not there would be in the way of its package.
    const path = there ?? (hasShell(target, shell) ? usual : undefined);
    return path === undefined ? [] : [{ path, lines: Deno.readTextFileSync(`${snippets}/${snippet}`) }];
  });
  return [
    ...planFolders(target, blocks.map(({ path }) => path)),
    ...blocks.map((args) => change(block, args.path, args)),
  ];
}

function hasShell({ root }: Target, name: string): boolean {
  return ["/bin", "/usr/bin", "/usr/local/bin"].some((folder) => existsSync(`${root}${folder}/${name}`));
}

function change<Args extends Json, Before extends Json>(
  kind: ChangeKind<Args, Before>,
  about: string,
  args: Args,
): Change<Args, Before> {
  return { kind, about, args };
}
