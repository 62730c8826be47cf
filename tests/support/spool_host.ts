/** A host whose agent makes spool files, as far as shells see of it: its folders, its socket, and a program to ask it with. */

import { protect } from "../../src/posix/file_flags.ts";
import { processOf } from "../../src/posix/process.ts";
import type { SpoolRecord } from "../../src/record/event.ts";
import { readRecords } from "../../src/record/spool.ts";
import { start, type Terminal } from "./pty.ts";
import { removeFolder } from "./remove_folder.ts";
import { type Question, SocketAgent } from "./socket_agent.ts";

// libc, opened at the first call, is no leak of a test's.
protect("/dev/null/none", "none");

const PROJECT = new URL("../..", import.meta.url).pathname;

/** Another user's number: nobody's. */
export const NOBODY = 65_534;

/** How each kind of shell is started so that it reads the hook, and prints `READY> ` at each prompt. */
const SHELLS: Record<
  string,
  { args: (hooks: string, home: string) => string[]; startup: (hooks: string) => string }
> = {
  bash: {
    args: (_, home) => ["--rcfile", `${home}/startup`, "-i"],
    startup: (hooks) => `. ${hooks}/attach.bash\nPS1='READY> '\n`,
  },
  zsh: {
    args: () => ["-i"],
    startup: (hooks) => `source ${hooks}/srvaudit.zsh\nPROMPT='READY> '\n`,
  },
  fish: {
    args: (hooks) => ["-i", "-C", `source ${hooks}/srvaudit.fish`],
    startup: () => "set -g fish_greeting\nfunction fish_prompt; builtin echo 'READY> '; end\n",
  },
};

/** Where each kind looks for its startup file, in the home. */
const STARTUP_FILES: Record<string, string> = {
  bash: "startup",
  zsh: ".zshrc",
  fish: ".config/fish/config.fish",
};

export const READY = /READY> /;

/** What the agent answers to a shell: a path, or undefined for no answer, ever. */
export type MakeFile = (host: SpoolHost, pid: number) => string | undefined;

export class SpoolHost implements AsyncDisposable {
  readonly root = Deno.makeTempDirSync({ prefix: "srvaudit-host." });
  readonly home = `${this.root}/home`;
  readonly program = `${this.root}/program`;
  readonly hostSpool = `${this.root}/var/spool/srvaudit`;
  readonly #agent: SocketAgent;

  /**
   * @param uid who uses the shells: this process's user, or, where that is root, another one
   */
  constructor(readonly uid: number, makeFile: MakeFile = makeShellFile) {
    for (const folder of [`${this.root}/run/srvaudit`, this.hostSpool, `${this.program}/shell`, this.home]) {
      Deno.mkdirSync(folder, { recursive: true });
    }
    Deno.chmodSync(this.root, 0o755);
    Deno.chmodSync(this.hostSpool, 0o711);
    Deno.copyFileSync(`${PROJECT}dist/srvaudit`, `${this.program}/srvaudit`);
    for (const { name, isFile } of Deno.readDirSync(`${PROJECT}src/shell`)) {
      if (isFile) Deno.copyFileSync(`${PROJECT}src/shell/${name}`, `${this.program}/shell/${name}`);
    }
    for (const [shell, file] of Object.entries(STARTUP_FILES)) {
      const path = `${this.home}/${file}`;
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(path, SHELLS[shell]?.startup(this.hooks) ?? "");
    }
    // A first fish makes completions of all man pages, in the background; this one has made them already.
    Deno.mkdirSync(`${this.home}/.local/share/fish/generated_completions`, { recursive: true });
    Deno.writeTextFileSync(`${this.home}/.local/share/fish/generated_completions/none.fish`, "");
    this.#chown(this.home);
    this.#agent = new SocketAgent(`${this.root}/run/srvaudit/agent.sock`, (question) => {
      const spool = makeFile(this, Number(question.params.pid));
      return spool === undefined ? undefined : { session: null, spool, sessionFile: null };
    });
    Deno.chmodSync(this.#agent.socket, 0o666);
  }

  get hooks(): string {
    return `${this.program}/shell`;
  }

  /** What the agent was asked. */
  get asked(): readonly Question[] {
    return this.#agent.asked;
  }

  /** The line that starts a shell within a shell. */
  line(shell: string): string {
    return [shell, ...SHELLS[shell]?.args(this.hooks, this.home) ?? []].map((word) => `'${word}'`).join(" ");
  }

  /**
   * Starts a shell on a terminal, and waits for its first prompt.
   *
   * @param before what a bash runs before it becomes that shell: shell code, in one line
   */
  async shell(shell: string, before = ""): Promise<Terminal> {
    const user = Deno.uid() === this.uid
      ? []
      : ["setpriv", "--reuid", `${this.uid}`, "--regid", `${this.uid}`, "--clear-groups"];
    const terminal = start("env", [...user, "bash", "-c", `${before}\nexec ${this.line(shell)}`], {
      HOME: this.home,
      PATH: "/usr/local/bin:/usr/bin:/bin",
      LANG: "C.UTF-8",
      TERM: "dumb",
      SRVAUDIT_ROOT: this.root,
      SRVAUDIT_BIN: this.program,
    }, { directory: this.home });
    try {
      await terminal.expect(READY);
    } catch (error) {
      await terminal[Symbol.asyncDispose]();
      throw error;
    }
    return terminal;
  }

  /** What lies in a folder, by name; none if there is no such folder. */
  records(folder: "host" | "own"): Map<string, SpoolRecord[]> {
    const path = folder === "host" ? this.hostSpool : `${this.home}/.ash/spool`;
    const files = new Map<string, SpoolRecord[]>();
    try {
      for (const { name, isFile } of Deno.readDirSync(path)) {
        if (!isFile || !name.endsWith(".shell")) continue;
        files.set(
          name,
          readRecords(Deno.readFileSync(`${path}/${name}`)).records.map(({ record }) => record),
        );
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return files;
  }

  #chown(path: string): void {
    if (Deno.uid() === this.uid) return;
    Deno.chownSync(path, this.uid, this.uid);
    if (!Deno.lstatSync(path).isDirectory) return;
    for (const { name } of Deno.readDirSync(path)) this.#chown(`${path}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent[Symbol.asyncDispose]();
    if (Deno.uid() === 0) {
      for (const { name } of Deno.readDirSync(this.hostSpool)) protect(`${this.hostSpool}/${name}`, "none");
    }
    await removeFolder(this.root);
  }
}

/**
 * Makes a shell's file as the agent does: append-only, where this process may say so.
 *
 * @param owner the process that its name speaks of, if it is not to be the shell
 * @returns its path
 */
export function makeShellFile(host: SpoolHost, pid: number, owner = pid): string {
  const file = `${host.hostSpool}/${nameFor(owner)}`;
  Deno.writeFileSync(file, new Uint8Array(), { mode: 0o600 });
  if (Deno.uid() === 0) {
    Deno.chownSync(file, host.uid, host.uid);
    protect(file, "appendOnly");
  }
  return file;
}

/** The name of a file for a shell that is there. */
export function nameFor(pid: number): string {
  return `stray.${pid}-${processOf(pid)?.startTicks}-${Date.now() * 1000}.shell`;
}

/** The texts of the commands among records. */
export function textsOf(records: readonly SpoolRecord[] = []): string[] {
  const decoder = new TextDecoder();
  return records.flatMap((record) => record.type === "start" ? [decoder.decode(record.text)] : []);
}
