/** The host's sshd: what it says of a configuration, and how it takes a new one. */

import { withPrivateFolder } from "./private_folder.ts";
import type { Target } from "./target.ts";

/** What `sshd -T` prints: lower case, each with all its values. */
export type SshdSettings = ReadonlyMap<string, readonly string[]>;

/** How long a reloaded sshd may take to be there again. */
const RELOAD_MS = 10_000;
const decoder = new TextDecoder();

/** @returns the program's path, or undefined where there is none */
export function findSshd(root = ""): string | undefined {
  return ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"].find((path) => statOf(root + path));
}

/** @param text what `sshd -T` prints */
export function sshdSettings(text: string): SshdSettings {
  const settings = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [, key = "", value = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (key !== "") settings.set(key.toLowerCase(), [...settings.get(key.toLowerCase()) ?? [], value]);
  }
  return settings;
}

/**
 * Has sshd look at a configuration.
 *
 * @param file the configuration; the host's own by default
 * @throws {Error} with what sshd has against it
 */
export async function checkSshd(sshd: string, file?: string): Promise<void> {
  await ask(sshd, ["-t", ...fileWords(file)]);
}

/**
 * Asks sshd how a configuration holds for a user.
 *
 * @param user undefined: for nobody in particular
 * @param file as for `checkSshd`
 * @throws {Error} as `checkSshd`
 */
export async function settingsFor(sshd: string, user?: string, file?: string): Promise<SshdSettings> {
  // Older ones want all three.
  const connection = user === undefined ? [] : ["-C", `user=${user},host=localhost,addr=127.0.0.1`];
  return sshdSettings(await ask(sshd, ["-T", ...connection, ...fileWords(file)]));
}

function fileWords(file: string | undefined): string[] {
  return file === undefined ? [] : ["-f", file];
}

/** Runs sshd as one that only looks. What its service makes before it starts, and is not there now, is made for that long. */
async function ask(sshd: string, words: readonly string[]): Promise<string> {
  const first = await run(sshd, words);
  if (first.success) return first.text;
  const missing = /Missing privilege separation directory: (\/\S+)/.exec(first.errors)?.[1];
  if (missing !== undefined) {
    Deno.mkdirSync(missing, { recursive: true, mode: 0o755 });
    try {
      return await ask(sshd, words);
    } finally {
      Deno.removeSync(missing);
    }
  }
  if (/no hostkeys available/.test(first.errors) && !words.includes("-h")) {
    return await withPrivateFolder(async (folder) => {
      const key = `${folder}/host_key`;
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
      return await ask(sshd, [...words, "-h", key]);
    });
  }
  throw new Error(`sshd ${words.join(" ")}: ${first.errors.trim() || "it failed, and said nothing"}`);
}

/** A listening sshd, as far as its pid file tells. */
export interface Listener {
  pid: number;
  /** When it last read its configuration, in milliseconds since 1970: it writes its pid file anew each time. */
  readAtMs: number;
}

/** @returns undefined where none listens, or none says so */
export async function listenerOf(sshd: string): Promise<Listener | undefined> {
  const file = (await settingsFor(sshd)).get("pidfile")?.[0] ?? "none";
  const info = file === "none" ? undefined : statOf(file);
  if (!info) return undefined;
  const pid = Number(Deno.readTextFileSync(file));
  return isSshd(pid) ? { pid, readAtMs: info.mtime?.getTime() ?? 0 } : undefined;
}

function isSshd(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  try {
    return /^sshd\b/.test(Deno.readTextFileSync(`/proc/${pid}/comm`));
  } catch {
    return false;
  }
}

/**
 * Has the listening sshd read its configuration: sessions go on. Where it is started for each connection, or none runs,
 * there is nothing to do.
 *
 * @throws {Error} if it does not take it, or does not come back
 */
export async function reloadSshd(target: Target, sshd: string): Promise<void> {
  if (target.root !== "") return;
  // It starts itself anew, and where it cannot, nobody listens any more.
  await checkSshd(sshd);
  const before = await listenerOf(sshd);
  const unit = target.init === "systemd" ? await activeUnit() : undefined;
  if (unit !== undefined) {
    const { success, errors } = await run("systemctl", ["reload", unit]);
    if (!success) throw new Error(`systemctl reload ${unit}: ${errors.trim()}: see systemctl status ${unit}`);
  } else if (before) Deno.kill(before.pid, "SIGHUP");
  if (before) await untilReloaded(sshd, before);
}

async function activeUnit(): Promise<string | undefined> {
  for (const unit of ["ssh.service", "sshd.service"]) {
    if ((await run("systemctl", ["is-active", "--quiet", unit])).success) return unit;
  }
  return undefined;
}

async function untilReloaded(sshd: string, before: Listener): Promise<void> {
  const deadline = Date.now() + RELOAD_MS;
  while (Date.now() < deadline) {
    const now = await listenerOf(sshd);
    if (now && now.readAtMs > before.readAtMs) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("sshd was told to read its configuration, and is not back: see its log, and start it");
}

async function run(program: string, args: readonly string[]) {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null" })
    .output();
  return { success, text: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
