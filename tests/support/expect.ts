/** Logins driven by expect(1), as people do it. */

import { type Finished, run } from "./run.ts";
import type { TestHost, TestUser } from "./sshd.ts";

/** What a script may say, beside all that expect has. */
const PRELUDE = String.raw`
set timeout 30
# A person's terminal has a size.
set stty_init "rows 24 cols 200"
log_user 1
# want PATTERN: waits until the terminal shows it (a regular expression).
proc want {pattern} {
  expect {
    -re $pattern { return }
    timeout { puts "\nEXPECT: never came: $pattern"; exit 97 }
    eof { puts "\nEXPECT: ended before: $pattern"; exit 98 }
  }
}
# line TEXT: types a line.
proc line {text} { send -- "$text\r" }
# interrupt: Ctrl-C at the shell's prompt, up to the next one. Just after it has drawn a prompt, bash 5.2 can lose a
# Ctrl-C, with and without us: people press it again.
proc interrupt {} {
  for {set tries 0} {$tries < 30} {incr tries} {
    send "\003"
    expect {
      -timeout 1
      -re {\$ $} { return }
      timeout {}
    }
  }
  puts "\nEXPECT: no prompt after Ctrl-C"
  exit 97
}
# ended: waits for the end of the login. Its exit code becomes the script's.
proc ended {} {
  expect {
    eof {}
    timeout { puts "\nEXPECT: does not end"; exit 97 }
  }
  exit [lindex [wait] 3]
}
# login TICKET SUBJECT: answers the first prompt (blank for a new ticket, and then its subject) up to the shell's.
proc login {ticket {subject ""}} {
  want {blank for new[^\r\n]*: $}
  line $ticket
  if {$ticket eq ""} {
    want {Enter subject for new ticket: $}
    line $subject
  }
  want {\$ $}
}
# logout NOTES STATUS: leaves, and answers what is asked then.
proc logout {notes {status ""}} {
  line "exit"
  want {: $}
  line $notes
  if {$notes ne ""} { line "" }
  want {Choose ticket status \(default [0-9]+\): *$}
  line $status
  ended
}
`;

/**
 * Plays a login of the user's through `ssh -tt`.
 *
 * @param script Tcl for expect(1); `want`, `line`, `login`, `logout` and `ended` are there for it
 * @param ssh further words for ssh: flags before the destination, and a command
 * @returns the exit code of ssh, and what the terminal showed
 * @throws {Error} if something never came, with what the terminal showed until then
 */
export async function playLogin(
  host: TestHost,
  user: TestUser,
  script: string,
  ssh: { flags?: string[]; command?: string } = {},
): Promise<Finished> {
  const words = [
    ...host.client("ssh"),
    "-tt",
    ...(ssh.flags ?? []),
    host.at(user),
    ...(ssh.command === undefined ? [] : [ssh.command]),
  ];
  return await play(words, script);
}

/**
 * Plays any program on a terminal of its own.
 *
 * @throws {Error} as `playLogin`
 */
export async function play(
  command: readonly string[],
  script: string,
  env: Record<string, string> = {},
): Promise<Finished> {
  const finished = await run(["expect", "-f", "-"], {
    stdin: `${PRELUDE}\nspawn -noecho ${command.map(quote).join(" ")}\n${script}\n`,
    // Without escape sequences a prompt ends where it ends.
    env: { TERM: "dumb", ...env },
  });
  if (/^EXPECT: /m.test(finished.text) || finished.errors !== "") {
    throw new Error(`the terminal showed:\n${finished.text}\n${finished.errors}`);
  }
  return finished;
}

/** A word of Tcl's that stands for exactly this text. */
function quote(text: string): string {
  return `"${text.replace(/[\\"$[\]{};]/g, "\\$&")}"`;
}
