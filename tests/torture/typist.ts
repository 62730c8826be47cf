/** A person at a real shell: logs in through `hello`, types in bursts as fast as the shell goes, and leaves in one way or another. */

import { start, type Terminal } from "../support/pty.ts";
import type { TestHost, TestUser } from "../support/sshd.ts";
import { type Dice, pause } from "./dice.ts";

/** A command that was typed, and how it must be on record. */
export interface Typed {
  text: string;
  /** Null for one whose end nobody can have seen. */
  exitCode: number | null;
  /** Joined by `_`. */
  pipeStates: string | null;
}

/** How a session can end, as evidence says it. */
export const ENDINGS = ["logout", "hangup", "killed"] as const;
export type Ending = (typeof ENDINGS)[number];

/** What every torture shell reads at its start: a command that puts itself on a list of the shell's own. */
export const STARTUP = `
unset HISTFILE
t() { echo "$1 $2" >>~/"list.$1"; return "$3"; }
`;

/** So many bytes are typed ahead at most: a terminal keeps 4 KiB. */
const AHEAD_BYTES = 2500;

/** One person, one session. */
export class Typist implements AsyncDisposable {
  readonly typed: Typed[] = [];
  #count = 0;

  private constructor(
    readonly number: number,
    readonly user: TestUser,
    readonly dice: Dice,
    readonly terminal: Terminal,
    readonly session: string,
    readonly pid: number,
    /** The shell's spool file, open: what it holds can be read even when it has been removed. */
    readonly spool: Deno.FsFile,
  ) {}

  /** Logs in with a new ticket, and waits for the prompt. An agent must run. */
  static async login(host: TestHost, user: TestUser, number: number, dice: Dice): Promise<Typist> {
    const become = ["--reuid", `${user.uid}`, "--regid", `${user.uid}`, "--clear-groups"];
    const terminal = start("setpriv", [...become, host.program("hello")], {
      HOME: user.home,
      USER: user.name,
      PATH: "/usr/local/bin:/usr/bin:/bin",
      LANG: "C.UTF-8",
      TERM: "dumb",
      SRVAUDIT_ROOT: host.root,
    }, { directory: user.home, patienceMs: 60_000 });
    await terminal.expect(/blank for new[^\r\n]*: $/);
    await terminal.send("\r");
    await terminal.expect(/Enter subject for new ticket: $/);
    await terminal.send(`Torture ${number}\r`);
    await terminal.expect(/\$ $/);
    const asking = "echo I''AM $$ $SRVAUDIT_SESSION $SRVAUDIT_SPOOL_FILE";
    await terminal.send(`${asking}\r`);
    const said = await terminal.expect(/IAM \d+ \S+ \S+\.shell\r?\n/);
    const [, pid, session = "", file = ""] = /IAM (\d+) (\S+) (\S+)/.exec(said) ?? [];
    const spool = await Deno.open(file);
    const typist = new Typist(number, user, dice, terminal, session, Number(pid), spool);
    typist.typed.push({ text: asking, exitCode: 0, pipeStates: "0" });
    return typist;
  }

  /** Types a handful of commands ahead, and waits until the last one has run. */
  async typeSome(): Promise<void> {
    let text = "";
    const most = this.dice.between(1, 40);
    for (let i = 0; i < most && text.length < AHEAD_BYTES; i++) text += `${this.#next()}\r`;
    const last = `t ${this.number} ${++this.#count} 0; echo D''ONE${this.#count}`;
    this.typed.push({ text: last, exitCode: 0, pipeStates: "0" });
    await this.terminal.send(`${text}${last}\r`);
    await this.terminal.expect(new RegExp(`DONE${this.#count}\r`));
    // The processors are the agent's, too: all who work in earnest together would let it do nothing.
    await pause(this.dice.between(0, 400));
  }

  /** A command like no other. */
  #next(): string {
    const code = this.dice.pick([0, 0, 0, 1, 2, 127, 255]);
    const call = `t ${this.number} ${++this.#count} ${code}`;
    const plain = { exitCode: code, pipeStates: `${code}` };
    const [text, end] = this.dice.pick([
      [call, plain],
      [call, plain],
      [` ${call}`, plain],
      [`(${call})`, plain],
      [`${call} # Grüße, 'x' "y" %s \\0 ${"z".repeat(this.dice.between(0, 200))}`, plain],
      [`t ${this.number} ${this.#count} 0 | (exit ${code})`, { exitCode: code, pipeStates: `0_${code}` }],
      [`! ${call}`, { exitCode: code === 0 ? 1 : 0, pipeStates: `${code}` }],
    ]);
    this.typed.push({ text, ...end });
    return text;
  }

  /** Ends the session: nothing is typed after that. */
  async leave(ending: Ending): Promise<void> {
    switch (ending) {
      case "logout":
        this.typed.push({ text: "exit 3", exitCode: 3, pipeStates: "3" });
        await this.terminal.send("exit 3\r");
        return await this.#sayNothing();
      case "hangup":
        // The last command's end is on record when there is a prompt.
        await this.terminal.expect(/\$ $/);
        return await this.terminal.hangUp();
      case "killed":
        this.typed.push({ text: "echo BE''GUN; sleep 1000", exitCode: null, pipeStates: null });
        await this.terminal.send("echo BE''GUN; sleep 1000\r");
        await this.terminal.expect(/BEGUN\r/);
        Deno.kill(this.pid, "SIGKILL");
        await this.terminal.close();
    }
  }

  /** Answers what is asked at logout with Enter. */
  async #sayNothing(): Promise<void> {
    const isOver = this.terminal.close().then(() => true);
    while (true) {
      const asked = this.terminal.expect(/(empty line|default \d+)\): $/).then(() => false, () => true);
      if (await Promise.race([isOver, asked])) break;
      await this.terminal.send("\r");
    }
    await isOver;
  }

  /** Whether the shell has said that it cannot record. */
  get hasComplained(): boolean {
    return this.terminal.transcript().includes("commands are NOT being recorded");
  }

  /** What the shell's own list has: `SHELL NUMBER` of each `t` that ran. */
  async ownList(): Promise<string[]> {
    return (await Deno.readTextFile(`${this.user.files}/list.${this.number}`)).trimEnd().split("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.spool.close();
    await this.terminal[Symbol.asyncDispose]();
  }
}
