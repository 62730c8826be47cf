/** A login of a user's that a test goes on with, command by command, while it does other things beside. */

import { start, type Terminal } from "./pty.ts";
import type { TestHost, TestUser } from "./sshd.ts";

/** What stands before each command: nothing else prints it. */
const PROMPT = /@@[$#] $/;

/** How to log in. */
export interface LoginOptions {
  /** A ticket's key; without one a new ticket is made, unless there is a session already. */
  ticket?: string;
  /** Further words for ssh, before the destination. */
  flags?: readonly string[];
  /** Whether a ticket is asked for; it is by default. */
  asks?: boolean;
}

/** A shell at its prompt, behind ssh, hello and a ticket. */
export class Login implements AsyncDisposable {
  private constructor(readonly terminal: Terminal) {}

  /** Logs in, and answers what is asked. The user's `.bashrc` is replaced by one with a prompt to wait for. */
  static async open(host: TestHost, user: TestUser, options: LoginOptions = {}): Promise<Login> {
    const programs = host.program("saticket").replace(/\/saticket$/, "");
    await host.write(user, ".bashrc", `PS1='@@\\$ ' PATH=$PATH:${programs}\n`);
    const [program = "", ...args] = host.client("ssh");
    const words = [...args, "-tt", ...(options.flags ?? []), host.at(user)];
    const terminal = start(program, words, { TERM: "dumb", PATH: Deno.env.get("PATH") ?? "" });
    const login = new Login(terminal);
    if (options.asks ?? true) {
      await terminal.expect(/blank for new[^\r\n]*: $/);
      await terminal.send(`${options.ticket ?? ""}\r`);
      if (options.ticket === undefined) {
        await terminal.expect(/Enter subject for new ticket: $/);
        await terminal.send("what there is to do\r");
      }
    }
    await login.prompt();
    return login;
  }

  /** Waits for the next prompt. @returns what was printed before it */
  async prompt(): Promise<string> {
    return await this.terminal.expect(PROMPT);
  }

  /** Types a command. @returns what it printed, its echo left out */
  async run(command: string): Promise<string> {
    await this.terminal.send(`${command}\r`);
    const shown = await this.prompt();
    return shown.slice(shown.indexOf("\n") + 1).replace(PROMPT, "").replaceAll("\r\n", "\n");
  }

  /**
   * Leaves, and answers what is asked then with nothing.
   *
   * @param asksStatus whether there is a tracker that knows the statuses
   * @returns the exit code
   */
  async leave(notes = "", asksStatus = true): Promise<number> {
    await this.terminal.send("exit\r");
    await this.terminal.expect(/otes[^\r\n]*: $/);
    await this.terminal.send(`${notes}\r${notes === "" ? "" : "\r"}`);
    if (asksStatus) {
      await this.terminal.expect(/Choose ticket status \(default [0-9]+\): *$/);
      await this.terminal.send("\r");
    }
    return await this.terminal.close();
  }

  /** Everything that was shown so far. */
  get shown(): string {
    return this.terminal.transcript();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminal[Symbol.asyncDispose]();
  }
}
