/**
 * `make run`: a ticket-bound session for whoever is here, with local tickets and no root.
 *
 * On a terminal this becomes the session. Without one (a pipe, CI) it plays a scripted session on a terminal of its
 * own, in a home of its own, prints the transcript and what `ash_query` has of it, and fails if anything is missing.
 */

import assert from "node:assert/strict";
import { accountOf, exec } from "../src/posix/libc.ts";
import { readLoginSession } from "../src/record/login_session.ts";
import { start } from "../tests/support/pty.ts";

const DIST = new URL("../dist", import.meta.url).pathname;
const SUBJECT = "Disk full on db-3";
const PROMPT = /demo:\S* > $/;
const CONTINUED = /^\.\.\. $/m;

if (Deno.stdin.isTerminal() && Deno.stdout.isTerminal()) become();
else await play();

/** The session is the user's own: their home, their startup files, their history in ~/.ash. */
function become(): never {
  const env = Deno.env.toObject();
  // make's and Deno's own variables are no part of anybody's session.
  for (const name of Object.keys(env)) if (/^(MAKE|MFLAGS|DENO_)/.test(name)) delete env[name];
  env.PATH = `${DIST}:${env.PATH ?? "/usr/bin:/bin"}`;
  console.error("This session's history goes to ~/.ash; ash_query and saticket are in its PATH.");
  exec(`${DIST}/hello`, [`${DIST}/hello`], Object.entries(env).map(([name, value]) => `${name}=${value}`));
}

async function play(): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "srvaudit-run." });
  await Deno.writeTextFile(`${home}/.bashrc`, "PS1='demo:\\w > ' PS2='... '\n");
  const user = accountOf(Deno.uid() ?? 0)?.name ?? "";
  const env = {
    HOME: home,
    USER: user,
    LOGNAME: user,
    PATH: `${DIST}:/usr/local/bin:/usr/bin:/bin`,
    LANG: "C.UTF-8",
    TERM: "dumb",
    NO_COLOR: "1",
    // This machine's own config, if it has one, is not what is shown here.
    SRVAUDIT_ROOT: home,
  };

  const transcript = await playSession(env, home);
  console.log(`A scripted session, in a home of its own: ${home}\n`);
  console.log(transcript);

  // What is on record must be what was done: nothing here is taken on trust.
  assertRecorded(home);
  for (const words of [["-q", "TODAY"], ["-q", "SESSIONS"], ["--ticket", "1", "--failed"]]) {
    console.log(`$ ash_query ${words.join(" ")}`);
    console.log(await ashQuery(words, env, home));
  }
  const history = await ashQuery(["--ticket", "1", "-f", "json"], env, home);
  for (const words of ["grep sdb", "for disk in sda sdc", "saticket note"]) {
    assert.ok(history.includes(words), `ash_query has no "${words}": ${history}`);
  }
  console.log(`All of it is on record. Look for yourself: HOME=${home} ${DIST}/ash_query -q TODAY`);
}

/** Plays the login. @returns what the terminal showed, without escape sequences */
async function playSession(env: Record<string, string>, home: string): Promise<string> {
  await using terminal = start(`${DIST}/hello`, [], env, { directory: home });
  const steps: [RegExp, string][] = [
    [/blank for new.*: $/, ""],
    [/Enter subject for new ticket: $/, SUBJECT],
    [PROMPT, "cd /var/log"],
    [PROMPT, "printf 'sda 97%%\\nsdc 12%%\\n' | sort | grep sdb"],
    [PROMPT, "for disk in sda sdc; do"],
    [CONTINUED, "  echo checking $disk"],
    [CONTINUED, "done"],
    [PROMPT, "saticket note 'sda is at 97%'"],
    [PROMPT, "exit 0"],
    [/: $/, "Removed old logs."],
    [/> $/, ""],
    [/Choose ticket status \(default \d+\):\s*$/, ""],
  ];
  for (const [prompt, answer] of steps) {
    await terminal.expect(prompt);
    await terminal.send(answer + "\r");
  }
  const code = await terminal.close();
  const transcript = terminal.transcript()
    // deno-lint-ignore no-control-regex -- escape sequences are what this is about
    .replace(/\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|.)|\r/g, "");
  assert.equal(code, 0, transcript);
  return transcript;
}

function assertRecorded(home: string): void {
  const spool = `${home}/.ash/spool`;
  const names = [...Deno.readDirSync(spool)].map((entry) => entry.name).filter((name) =>
    name.endsWith(".session")
  );
  assert.equal(names.length, 1, `one session on record, not ${names.length}`);
  const session = readLoginSession(spool, names[0]?.slice(0, -".session".length) ?? "");
  assert.equal(session?.ticket, "1");
  assert.equal(session.closed?.how, "logout");
  const notes = session.events.flatMap((event) => event.kind === "note" ? [event.text.trim()] : []);
  assert.deepEqual(notes, ["sda is at 97%", "Removed old logs."]);
}

async function ashQuery(words: string[], env: Record<string, string>, home: string): Promise<string> {
  const command = new Deno.Command(`${DIST}/ash_query`, { args: words, env, cwd: home, clearEnv: true });
  const { code, stdout, stderr } = await command.output();
  assert.equal(code, 0, `ash_query ${words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
