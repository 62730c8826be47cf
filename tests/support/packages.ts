/** The packages that `make deb` and `make rpm` make, and others of the same sources. */

import { removeFolder } from "./remove_folder.ts";
import { run, succeed } from "./run.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
/** What goes into a package, or makes it; not the tools, and not what `make` has made. */
const SOURCES = [
  "Makefile",
  "LICENSE",
  "README.md",
  "completions",
  "deno.json",
  "deno.lock",
  "docs",
  "install.sh",
  "packaging",
  "src",
];
/** Packed in seconds: how hard xz tries is no matter of what is in it. */
const QUICKLY = ["LEVEL=0", "PACKAGES=dist/quick_packages"];

/** What can be made. */
export type PackageKind = "deb" | "rpm";

/** What this process has made: the same for all of its tests, whoever is at work on the sources meanwhile. */
const made = new Map<PackageKind, Promise<string>>();

/**
 * Makes the package of this project, unless it is there.
 *
 * @returns its path
 */
export function madePackage(kind: PackageKind): Promise<string> {
  const path = made.get(kind) ?? makePackage(kind, PROJECT);
  made.set(kind, path);
  return path;
}

/**
 * Makes the package of a project, in its folder.
 *
 * @param options of the shell that runs `make`
 * @returns its path
 */
export async function makePackage(
  kind: PackageKind,
  project: string,
  { umask = "022", env = {} }: { umask?: string; env?: Record<string, string> } = {},
): Promise<string> {
  await Deno.mkdir(`${project}dist`, { recursive: true });
  // Test files run side by side, and both packages hold what `make build` makes.
  const make = ["flock", `${project}dist/quick_packages.lock`, "make", "-C", project, kind, ...QUICKLY];
  await succeed(["sh", "-c", 'umask "$0" && exec "$@"', umask, ...make], { env });
  return await only(`${project}dist/quick_packages`, await version(), kind);
}

/**
 * Packs what is built already as another version of it.
 *
 * @param edits what of the project's files is another: a file's new text, made of what it is now
 * @returns the package's path, in the folder
 */
export async function otherPackage(
  kind: PackageKind,
  folder: string,
  version: string,
  edits: Readonly<Record<string, (now: string) => string>> = {},
): Promise<string> {
  await madePackage(kind);
  await using project = await copyOfProject();
  for (const name of ["srvaudit", "copyright"]) {
    await succeed(["ln", `${PROJECT}dist/${name}`, `${project.path}dist/`]);
  }
  await edit(
    `${project.path}deno.json`,
    (text) => text.replace(/"version": "[^"]*"/, `"version": "${version}"`),
  );
  await edit(
    `${project.path}packaging/changelog`,
    (text) => text.replace(/^srvaudit \([^)]*\)/, `srvaudit (${version})`),
  );
  for (const [path, change] of Object.entries(edits)) await edit(`${project.path}${path}`, change);
  await succeed([`${project.path}packaging/${kind}.sh`, "dist/copyright", folder, "0"]);
  return await only(folder, version, kind);
}

/** A copy of the project's sources in another folder. */
export interface ProjectCopy extends AsyncDisposable {
  /** Ends in a slash. */
  path: string;
  /** Whether the project's sources still are what they were when they were copied. */
  isCurrent(): Promise<boolean>;
}

/** Copies the project's sources. */
export async function copyOfProject(): Promise<ProjectCopy> {
  const folder = await Deno.makeTempDir({ prefix: "srvaudit_copy." });
  await succeed(["cp", "-a", ...SOURCES.map((name) => `${PROJECT}${name}`), folder]);
  await Deno.mkdir(`${folder}/dist`);
  const path = `${folder}/`;
  const isSame = async (name: string) =>
    (await run(["diff", "-rq", `${PROJECT}${name}`, `${path}${name}`])).code === 0;
  const isCurrent = async () => (await Promise.all(SOURCES.map(isSame))).every(Boolean);
  return { path, isCurrent, [Symbol.asyncDispose]: () => removeFolder(folder) };
}

/**
 * Has a copy build with the project's tools. What is bundled must lie in the copy itself: its way from there is in the names of
 * what `deno bundle` makes.
 */
export async function bringTools(copy: ProjectCopy): Promise<void> {
  const [tools = ""] = [...Deno.readDirSync(`${PROJECT}.tools`)].map(({ name }) => name).filter((name) =>
    /^[0-9.]+$/.test(name)
  );
  const [from, to] = [`${PROJECT}.tools/${tools}`, `${copy.path}.tools/${tools}`];
  await Deno.mkdir(`${to}/deno_dir`, { recursive: true });
  for (const name of ["deno", "denort"]) await Deno.symlink(`${from}/${name}`, `${to}/${name}`);
  await succeed(["cp", "-a", `${from}/deno_dir/npm`, `${to}/deno_dir/`]);
}

/** @returns the project's version, as deno.json has it */
export async function version(): Promise<string> {
  return JSON.parse(await Deno.readTextFile(`${PROJECT}deno.json`)).version;
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  await Deno.writeTextFile(path, change(await Deno.readTextFile(path)));
}

async function only(folder: string, version: string, kind: PackageKind): Promise<string> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.includes(version) && name.endsWith(`.${kind}`)) return `${folder}/${name}`;
  }
  throw new Error(`${folder}: no .${kind} of version ${version}`);
}
