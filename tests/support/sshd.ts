/**
 * A real sshd on loopback, with real users whose login shell is our `hello`, or any other: the twins to compare with.
 *
 * Everything lies in one folder under /tmp that every user can enter; it goes, with the users and their processes,
 * when the host is disposed of. What a crashed run left behind goes when the next host starts. Needs root.
 *
 * An installed host is a copy of this machine (machine.sh) in which `make install` was run and no user of the real
 * machine's exists: there our programs are the system's, and the shells' own startup files bring the hooks in.
 */

import { type RecordedSession, type RecordedShell, sessionsFrom, shellsFrom } from "./records.ts";
import { removeFolder } from "./remove_folder.ts";
import { type Finished, run, type RunOptions, succeed } from "./run.ts";

const SWEEP = new URL("sweep_users.sh", import.meta.url).pathname;
const UNPROTECT = new URL("unprotect.sh", import.meta.url).pathname;
const MACHINE = new URL("machine.sh", import.meta.url).pathname;
const PROJECT = new URL("../../", import.meta.url).pathname;

/**
 * One lock for everything that changes /etc/passwd and /etc/shells, taken outside of any copy of the machine: through the
 * copy, the lock files of the real one are seen.
 */
const LOCKED = ["flock", "/run/lock/satest"];

/** Becomes sshd: $1 the host's folder, $2 the project's, $3 machine.sh. */
const START = 'exec "$(command -v sshd || echo /usr/sbin/sshd)" -D -e -f "$1/sshd_config"';
/** The same in a copy of the machine. What the installation says goes to sshd's log. */
const INSTALL_AND_START = `exec unshare --mount --propagation private "$3" "$1/machine" sh -c '
  "$2/packaging/install_files.sh" "" /usr >&2 && /usr/lib/srvaudit/srvaudit install --hooks-only &&
  cp "$1/root/etc/srvaudit/config" /etc/srvaudit/config && ${START}
' sh "$1" "$2"`;

/** How to start a host. */
export interface HostOptions {
  /** Lines for sshd_config, before all others: of two settings sshd takes the first. */
  sshd?: readonly string[];
  /** Lines for `/etc/srvaudit/config`, which our programs find under the host's own root (SRVAUDIT_ROOT). */
  config?: readonly string[];
  /** Whether to log in to a copy of this machine that srvAudit is installed on. */
  installed?: boolean;
}

/** A user of a test host. */
export interface TestUser {
  name: string;
  uid: number;
  /** The home as the user sees it. */
  home: string;
  /** The home as a test can open it. */
  files: string;
}

/** The machine that the tests log in to. */
export class TestHost implements AsyncDisposable {
  readonly #users: TestUser[] = [];

  private constructor(
    /** Holds all that there is of the host. */
    readonly folder: string,
    readonly port: number,
    private readonly sshd: Deno.ChildProcess,
    private readonly said: SshdLog,
    private readonly installed: boolean,
  ) {}

  /**
   * @throws {Error} if sshd does not start, with what it said
   */
  static async start(options: HostOptions = {}): Promise<TestHost> {
    await succeed([SWEEP]);
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: `satest${Deno.pid}.` });
    await Deno.chmod(folder, 0o755);
    await Deno.mkdir(`${folder}/home`);
    await Deno.mkdir(`${folder}/root/etc/srvaudit`, { recursive: true });
    await Deno.writeTextFile(`${folder}/root/etc/srvaudit/config`, (options.config ?? []).join("\n") + "\n");
    const installed = options.installed ?? false;
    if (!installed) await succeed(["cp", "-a", `${PROJECT}dist`, `${folder}/dist`]);
    for (const key of ["host_key", "user_key"]) {
      await succeed(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", `${folder}/${key}`]);
    }
    // sshd's own folder, which its service makes where there is one.
    await Deno.mkdir("/run/sshd", { recursive: true, mode: 0o755 });
    // A port that is free now may be taken in the next moment: then another is tried.
    for (let attempt = 1;; attempt++) {
      const port = freePort();
      await Deno.writeTextFile(`${folder}/sshd_config`, sshdConfig(folder, port, options.sshd ?? []));
      const sshd = new Deno.Command("sh", {
        args: ["-c", installed ? INSTALL_AND_START : START, "sh", folder, PROJECT, MACHINE],
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const said = new SshdLog(sshd.stderr);
      if (await said.hasLine("Server listening on")) {
        await Deno.writeTextFile(`${folder}/ssh_config`, sshConfig(folder, port));
        return new TestHost(folder, port, sshd, said, installed);
      }
      await sshd.status;
      if (attempt === 5) throw new Error(`sshd does not start:\n${said.text}`);
    }
  }

  /** The path of one of our programs, as the users of this host can run it. */
  program(name: "hello" | "saticket" | "ash_query" | "srvaudit"): string {
    return this.installed ? `/usr/lib/srvaudit/${name}` : `${this.folder}/dist/${name}`;
  }

  /**
   * Makes a user who can log in with the host's key and has the startup files of `/etc/skel`.
   *
   * @param shell the login shell as passwd has it; our `hello` by default
   * @param realShell what `hello` becomes for this user (`/etc/srvaudit/shells`); the default shell by default
   */
  async addUser(shell: string = this.program("hello"), realShell?: string): Promise<TestUser> {
    const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
    const name = `satest${Deno.pid}x${random}`;
    // Far from the numbers that useradd gives by itself: those of two machines would be the same.
    const uid = 20_000 + random % 40_000;
    const home = `${this.folder}/home/${name}`;
    const useradd = ["useradd", "--create-home", "--home-dir", home, "--uid", String(uid), "--shell", shell];
    await succeed([...LOCKED, ...this.#inside, ...useradd, "--password", "*", name]);
    const allow = ["sh", "-c", 'grep -qxF "$1" /etc/shells || echo "$1" >> /etc/shells', "sh", shell];
    await succeed([...LOCKED, ...this.#inside, ...allow]);
    // Where a development agent looks for the host's users.
    const passwd = `${name}:x:${uid}:${uid}::${home}:${shell}\n`;
    if (!this.installed) await Deno.writeTextFile(`${this.root}/etc/passwd`, passwd, { append: true });
    const user = { name, uid, home, files: this.installed ? `/proc/${this.sshd.pid}/root${home}` : home };
    if (realShell !== undefined) {
      await Deno.writeTextFile(`${this.root}/etc/srvaudit/shells`, `${name}="${realShell}"\n`, {
        append: true,
      });
    }
    this.#users.push(user);
    return user;
  }

  /**
   * Runs `ssh USER@HOST ARGS...`.
   *
   * @param args what stands behind the destination: a command; its words are joined by blanks, as ssh does it
   * @param flags what stands before it, as in `["-t"]`
   */
  ssh(
    user: TestUser,
    args: readonly string[],
    options: RunOptions & { flags?: string[] } = {},
  ): Promise<Finished> {
    const { flags = [], ...rest } = options;
    return run([...this.client("ssh"), ...flags, this.at(user), ...args], rest);
  }

  /** A client of OpenSSH's (`ssh`, `scp`, `sftp`) with what makes it find this host and its key. */
  client(program: "ssh" | "scp" | "sftp"): string[] {
    return [program, "-F", `${this.folder}/ssh_config`];
  }

  /** `USER@HOST`: the destination for a client of this host. */
  at(user: TestUser): string {
    return `${user.name}@satest`;
  }

  /** What stands before a command that is to run on the host. */
  get #inside(): string[] {
    return this.installed ? ["nsenter", `--target=${this.sshd.pid}`, "--mount", "--root", "--wdns=/"] : [];
  }

  /** What stands before our own places (`/etc/srvaudit`, `/var/lib/srvaudit`, ...) for a test that opens them. */
  get root(): string {
    return this.installed ? `/proc/${this.sshd.pid}/root` : `${this.folder}/root`;
  }

  /** The words that run a command as root on the host, with our own places where the users' programs find them. */
  asRoot(command: readonly string[]): string[] {
    return [...this.#inside, "env", `SRVAUDIT_ROOT=${this.folder}/root`, ...command];
  }

  /** Runs a program as the user, from the user's home, without a login. */
  as(user: TestUser, command: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const enter = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", user.home];
    const become = ["setpriv", `--reuid=${user.uid}`, `--regid=${user.uid}`, "--init-groups"];
    return run([...this.#inside, ...become, ...enter, ...command], {
      ...options,
      // This process's own folder need not be there on an installed host.
      cwd: "/",
      env: { HOME: user.home, USER: user.name, SRVAUDIT_ROOT: `${this.folder}/root`, ...options.env },
    });
  }

  /** Writes a file in the user's home, as the user: its folders too. */
  async write(user: TestUser, name: string, text: string): Promise<void> {
    const script = 'mkdir -p "$(dirname "$1")" && cat > "$1"';
    const { code, errors } = await this.as(user, ["sh", "-c", script, "sh", name], { stdin: text });
    if (code !== 0) throw new Error(`${user.home}/${name}: ${errors}`);
  }

  /** The login sessions that are on record for the user, oldest first. */
  sessions(user: TestUser): Promise<RecordedSession[]> {
    return sessionsFrom((sql) => this.#ask(user, sql));
  }

  /** The shells that are on record for the user, in the order of their starts, and their commands. */
  shells(user: TestUser): Promise<RecordedShell[]> {
    return shellsFrom((sql) => this.#ask(user, sql));
  }

  /** What the user's own `ash_query` answers: it takes in what the spool has, and says how sessions have ended. */
  async #ask(user: TestUser, sql: string): Promise<string> {
    const { code, text, errors } = await this.as(user, [
      this.program("ash_query"),
      "-f",
      "json",
      "--sql",
      sql,
    ]);
    // No shell has ever put anything on record: there is not even a database.
    if (errors.includes("nothing has been recorded yet")) return "[]";
    if (code !== 0 || errors !== "") throw new Error(`ash_query: exit code ${code}: ${errors}`);
    return text;
  }

  /** What sshd said so far: for a test that fails. */
  get log(): string {
    return this.said.text;
  }

  /** Ends sshd, every process of the users', the users, and the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.sshd.kill("SIGTERM");
    await this.sshd.status;
    for (const user of this.#users) {
      await endProcessesOf(user);
      // An installed host's users go with it.
      if (!this.installed) await succeed([...LOCKED, "userdel", "--force", user.name]);
    }
    await this.said.end;
    await succeed([UNPROTECT, this.folder]);
    await succeed([...LOCKED, "sed", "-i", `\\|^${this.folder}/|d`, "/etc/shells"]);
    await removeFolder(this.folder);
  }
}

/**
 * Waits until something is so: for what another process does and tells nobody of.
 *
 * @param probe gives what is waited for, or undefined (or false) as long as it is not there
 * @param what names it in the error
 * @throws {Error} if it does not come in twenty seconds
 */
export async function until<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = Date.now() + 20_000;
  while (true) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What sshd writes on stderr, line by line, read as long as anything of it lives. */
class SshdLog {
  text = "";
  /** Settles when no process holds sshd's stderr any more. */
  readonly end: Promise<void>;
  #ended = false;
  #wake = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.end = this.#read(stream);
  }

  /** Waits for words, or for the end. @returns whether they came */
  async hasLine(words: string): Promise<boolean> {
    while (!this.text.includes(words)) {
      if (this.#ended) return false;
      await this.#wake.promise;
    }
    return true;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.text += text;
      this.#signal();
    }
    this.#ended = true;
    this.#signal();
  }

  #signal(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

function sshdConfig(folder: string, port: number, first: readonly string[]): string {
  return [
    ...first,
    "ListenAddress 127.0.0.1",
    `Port ${port}`,
    `HostKey ${folder}/host_key`,
    `PidFile ${folder}/sshd.pid`,
    `AuthorizedKeysFile ${folder}/user_key.pub`,
    // The folder lies in /tmp, which others can write to.
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "PrintMotd no",
    "UseDNS no",
    "MaxStartups 100",
    // sshd bears one of a name.
    ...first.some((line) => /^Subsystem\s/.test(line)) ? [] : ["Subsystem sftp /usr/lib/openssh/sftp-server"],
    `SetEnv SRVAUDIT_ROOT=${folder}/root`,
    "",
  ].join("\n");
}

function sshConfig(folder: string, port: number): string {
  return [
    "Host satest",
    "  HostName 127.0.0.1",
    `  Port ${port}`,
    `  IdentityFile ${folder}/user_key`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile ${folder}/known_hosts`,
    "  StrictHostKeyChecking accept-new",
    "  BatchMode yes",
    "  LogLevel ERROR",
    "",
  ].join("\n");
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Kills until nothing is left: a process may fork while the list of them is being read. */
async function endProcessesOf(user: TestUser): Promise<void> {
  while (true) {
    const pids = (await run(["pgrep", "-U", String(user.uid)])).text.split("\n").filter(Boolean).map(Number);
    // Zombies are nobody's to kill: their parent is gone next.
    const alive = pids.filter((pid) => !/\) [ZX] /.test(statOf(pid)));
    if (alive.length === 0) return;
    for (const pid of alive) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It was faster.
      }
    }
  }
}

function statOf(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return ") X ";
  }
}
