/** What it costs to have a command recorded: in bash, zsh and fish. */

import { findProgram } from "../support/needs.ts";
import { start } from "../support/pty.ts";
import { succeed } from "../support/run.ts";
import { Home, HOOKS, program } from "./place.ts";
import { microseconds, notMeasured, type Row, times } from "./report.ts";
import { takeTurns } from "./timing.ts";

/** What a shell does at each prompt besides running `:`. Nothing; our hook; `/bin/true`; a process of our size. */
type Load = "bare" | "hook" | "true" | "program";

interface Shell {
  name: string;
  budget: boolean;
  /** Runs so many commands. @returns how long each took, in microseconds */
  perCommandUs(load: Load, commands: number): Promise<number>;
}

const ROUNDS = 5;
const COMMANDS: Readonly<Record<Load, number>> = { bare: 2000, hook: 2000, true: 300, program: 30 };

/** The command line of the process that a hook spawns. */
const SPAWNED = { true: "/bin/true", program: `${program("srvaudit")} --version >/dev/null` } as const;

const SHELLS: readonly Shell[] = [
  { name: "bash", budget: true, perCommandUs: (load, commands) => bash(load, commands, "") },
  {
    name: "bash, HISTCONTROL=ignoreboth",
    budget: true,
    perCommandUs: (load, commands) => bash(load, commands, "HISTCONTROL=ignoreboth"),
  },
  { name: "zsh", budget: false, perCommandUs: zsh },
  { name: "fish", budget: false, perCommandUs: fish },
];

/** One row against a bare prompt cycle, and two against hooks that spawn. */
export async function measureRecording(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const shell of SHELLS) {
    const name = shell.name.split(",")[0] ?? "";
    if (findProgram(name)) rows.push(...await measureShell(shell));
    else rows.push(notMeasured(`recording a command, ${name}`, `there is no ${name} here`));
  }
  return rows;
}

async function measureShell({ name, budget, perCommandUs }: Shell): Promise<Row[]> {
  const measure = (load: Load) => () => perCommandUs(load, COMMANDS[load]);
  const figures = await takeTurns(ROUNDS, {
    bare: measure("bare"),
    hook: measure("hook"),
    true: measure("true"),
    // Dear: only for the shell that has a budget.
    program: budget ? measure("program") : () => Promise.resolve(NaN),
  });
  const bare = figures.bare;
  const added = figures.hook - bare;
  const byTrue = figures.true - bare;
  const byProgram = figures.program - bare;
  const what = `recording a command, ${name}`;
  const cheaper = (than: string, spawned: number): Row => ({
    what,
    measured: `+${microseconds(added)}`,
    against: `a hook that spawns ${than}: +${microseconds(spawned)}`,
    result: `${times(spawned, added)} cheaper`,
    ...(budget ? { budget: { text: "100 times", kept: spawned >= 100 * added } } : {}),
  });
  return [
    {
      what,
      measured: microseconds(figures.hook),
      against: `a bare prompt cycle: ${microseconds(bare)}`,
      result: `+${microseconds(added)}`,
      ...(budget ? { budget: { text: "+100 µs", kept: added <= 100 } } : {}),
    },
    cheaper("/bin/true", byTrue),
    ...(budget ? [cheaper("our own program", byProgram)] : []),
  ];
}

/** bash reads its commands from a file and takes the time by itself: no terminal, no readline. */
async function bash(load: Load, commands: number, setting: string): Promise<number> {
  using home = new Home();
  const startup = {
    bare: "",
    hook: `. ${HOOKS}/attach.bash`,
    true: `PROMPT_COMMAND='${SPAWNED.true}'`,
    program: `PROMPT_COMMAND='${SPAWNED.program}'`,
  }[load];
  Deno.writeTextFileSync(`${home.folder}/rc`, `unset HISTFILE\nPS1=\n${startup}\n${setting}\n`);
  const stdin = script(
    commands,
    "began=$EPOCHREALTIME",
    'echo "TOOK $((${EPOCHREALTIME/[.,]} - ${began/[.,]}))"',
  );
  // Prompts go nowhere: whoever would read them would take turns with the shell on the processor.
  const command = [
    "sh",
    "-c",
    'exec "$@" 2>/dev/null',
    "sh",
    "bash",
    "--noprofile",
    "--rcfile",
    `${home.folder}/rc`,
    "-i",
  ];
  const text = await succeed(command, { stdin, env: home.env });
  checkRecorded(home, load, commands);
  return tookUs(text) / commands;
}

async function zsh(load: Load, commands: number): Promise<number> {
  using home = new Home();
  const startup = {
    bare: "",
    hook: `source ${HOOKS}/srvaudit.zsh`,
    true: `precmd() { ${SPAWNED.true} }`,
    program: `precmd() { ${SPAWNED.program} }`,
  }[load];
  Deno.writeTextFileSync(
    `${home.folder}/.zshrc`,
    `PROMPT= RPROMPT= PROMPT_EOL_MARK=\nzmodload zsh/datetime\n${startup}\n`,
  );
  const stdin = script(
    commands,
    "began=$EPOCHREALTIME",
    'printf "TOOK %d\\n" $(( (EPOCHREALTIME - began) * 1e6 ))',
  );
  const text = await succeed(["zsh", "-i"], { stdin, env: home.env });
  checkRecorded(home, load, commands);
  return tookUs(text) / commands;
}

/** fish has no clock, and no prompt without a terminal: all is typed ahead there, and the time is taken here. */
async function fish(load: Load, most: number): Promise<number> {
  // A terminal keeps 4 KB of what was typed ahead.
  const commands = Math.min(most, 500);
  using home = new Home();
  const spawn = (command: string) => `function spawn --on-event fish_postexec; ${command}; end`;
  const startup = {
    bare: "",
    hook: `source ${HOOKS}/srvaudit.fish`,
    true: spawn(SPAWNED.true),
    program: spawn(SPAWNED.program),
  }[load];
  Deno.mkdirSync(`${home.folder}/.config/fish`, { recursive: true });
  Deno.writeTextFileSync(
    `${home.folder}/.config/fish/config.fish`,
    `set -g fish_greeting\nfunction fish_prompt; end\nfunction fish_title; end\n${startup}\n`,
  );
  // A first fish would make completions of all man pages, in the background.
  Deno.mkdirSync(`${home.folder}/.local/share/fish/generated_completions`, { recursive: true });
  await using terminal = start("fish", ["-i"], {
    PATH: "/usr/bin:/bin",
    LC_ALL: "C.UTF-8",
    TERM: "dumb",
    ...home.env,
  }, { patienceMs: 60_000 });
  await terminal.send("echo be''gin\r");
  await terminal.expect(/begin/);
  const began = performance.now();
  await terminal.send(":\r".repeat(commands) + "echo do''ne\r");
  await terminal.expect(/done/);
  const took = performance.now() - began;
  await terminal.send("exit\r");
  await terminal.close();
  checkRecorded(home, load, commands);
  return took * 1000 / commands;
}

function script(commands: number, first: string, last: string): string {
  return `${first}\n${":\n".repeat(commands)}${last}\n`;
}

function tookUs(text: string): number {
  const took = /TOOK (\d+)/.exec(text)?.[1];
  if (took === undefined) throw new Error(`the shell took no time: ${JSON.stringify(text)}`);
  return Number(took);
}

/** A hook that records nothing would be the cheapest. */
function checkRecorded(home: Home, load: Load, commands: number): void {
  if (load !== "hook") return;
  const spool = `${home.folder}/.ash/spool`;
  const text = [...Deno.readDirSync(spool)].filter(({ name }) => name.endsWith(".shell"))
    .map(({ name }) => Deno.readTextFileSync(`${spool}/${name}`)).join("");
  const recorded = text.split("\x1eSA1\0end\0").length - 1;
  if (recorded < commands) throw new Error(`only ${recorded} of ${commands} commands are on record`);
}
