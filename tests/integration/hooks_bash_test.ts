/**
 * src/shell/srvaudit.bash in a real bash on a real terminal, under startup files that would lose it.
 *
 * SRVAUDIT_TEST_BASHES may name further bashes, by their paths, parted by blanks.
 */

import assert from "node:assert/strict";
import type { SpoolRecord } from "../../src/record/event.ts";
import { readRecords } from "../../src/record/spool.ts";
import { start, type Terminal } from "../support/pty.ts";

const SHELL_FOLDER = new URL("../../src/shell", import.meta.url).pathname;
const BASHES = [
  "bash",
  ...(Deno.env.get("SRVAUDIT_TEST_BASHES") ?? "").split(" ").filter((path) => path !== ""),
];
const PROMPT = /READY> $/;

/** The two ways in: the system's startup file, and a variable that hello exports. */
type Way = "installed" | "exported";

/** What a command was, as far as its record says. */
interface Recorded {
  text: string;
  state: string;
  directory: string;
  exitCode: number | undefined;
  states: number[] | undefined;
}

interface Shell extends AsyncDisposable {
  terminal: Terminal;
  home: string;
  /** Types a line and waits for the next prompt; gives what was printed. */
  type(line: string): Promise<string>;
  /** Ends the shell, and gives what each of the user's shells has on record. */
  end(how?: string): Promise<void>;
  records(): SpoolRecord[][];
}

async function startBash(
  bash: string,
  way: Way | "none",
  startup: string,
  args: string[] = [],
): Promise<Shell> {
  const home = await Deno.makeTempDir({ prefix: "srvaudit-bash." });
  await Deno.mkdir(`${home}/.ash/spool`, { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(`${home}/own.bash`, startup);
  await Deno.writeTextFile(
    `${home}/.bashrc`,
    (way === "installed" ? `. ${SHELL_FOLDER}/attach.bash\n` : "") +
      `. ${home}/own.bash\nPS1='READY> ' PS2='more> '\n`,
  );
  const exported =
    '\\builtin eval "${_srvaudit_loader-. \\"\\$SRVAUDIT_BIN/shell/srvaudit.bash\\"; _srvaudit_arm}"';
  const terminal = start(bash, [...args, "--rcfile", `${home}/.bashrc`, "-i"], {
    HOME: home,
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LANG: "C.UTF-8",
    TERM: "dumb",
    ...(way === "exported"
      ? {
        PROMPT_COMMAND: exported,
        SRVAUDIT_BIN: SHELL_FOLDER.replace(/\/shell$/, ""),
        SRVAUDIT_SPOOL: `${home}/.ash/spool`,
      }
      : {}),
  }, { directory: home });
  await terminal.expect(PROMPT);
  return {
    terminal,
    home,
    async type(line) {
      await terminal.send(`${line}\r`);
      return await terminal.expect(PROMPT);
    },
    async end(how = "exit") {
      await terminal.send(`${how}\r`);
      await terminal.close();
    },
    records() {
      return [...Deno.readDirSync(`${home}/.ash/spool`)].map((entry) => entry.name)
        .filter((name) => name.endsWith(".shell")).sort((a, b) =>
          // bash 4.4 counts in seconds: then the later process has the larger number.
          Number(/-(\d+)/.exec(a)?.[1]) - Number(/-(\d+)/.exec(b)?.[1]) || parseInt(a) - parseInt(b)
        )
        .map((name) => {
          const bytes = Deno.readFileSync(`${home}/.ash/spool/${name}`);
          const reading = readRecords(bytes);
          assert.equal(reading.damaged, 0);
          assert.equal(reading.consumed, bytes.length);
          return reading.records.map(({ record }) => record);
        });
    },
    async [Symbol.asyncDispose]() {
      await terminal[Symbol.asyncDispose]();
      await Deno.remove(home, { recursive: true });
    },
  };
}

function commandsOf(records: SpoolRecord[] | undefined): Recorded[] {
  const decoder = new TextDecoder();
  return (records ?? []).filter((record) => record.type === "start").map((record) => {
    const end = records?.find((other) => other.type === "end" && other.number === record.number);
    return {
      text: decoder.decode(record.text),
      state: record.textState,
      directory: decoder.decode(record.directory),
      exitCode: end?.type === "end" ? end.exitCode : undefined,
      states: end?.type === "end" ? end.pipeStates : undefined,
    };
  });
}

/** What is typed in every startup file's shell, and how it must stand on record. */
const LINES: [string, number, number[]?][] = [
  ["echo one two", 0],
  [" echo hidden by a blank", 0],
  ["false | true | (exit 3)", 3, [1, 0, 3]],
  ["echo twice", 0],
  ["echo twice", 0],
  ["(exit 4)", 4],
  ["no_such_command_at_all", 127],
  ["cd /tmp", 0],
  ["x='a  b'; test \"$x\" = 'a  b' && return_seven", 7],
  ["echo 'é ☃' $'\\xff' \"q\\\"uote\" | cat", 0, [0, 0]],
];

const STARTUP_FILES: Record<string, string> = {
  "nothing of the user's": "",
  "PROMPT_COMMAND as a text": "PROMPT_COMMAND='true; : prompt'",
  "PROMPT_COMMAND added to": 'PROMPT_COMMAND="history -a; ${PROMPT_COMMAND-:}"',
  "PROMPT_COMMAND as an array, as Fedora's /etc/bashrc has it":
    "declare -a PROMPT_COMMAND\nPROMPT_COMMAND+=(\"printf '\\033]0;title\\007'\")",
  "PS0 in use": "PS0='[running] '",
  "a DEBUG trap in use": "trap 'last_command=$BASH_COMMAND' DEBUG",
  "HISTCONTROL=ignoreboth": "HISTCONTROL=ignoreboth",
  "HISTCONTROL=ignoreboth:erasedups": "HISTCONTROL=ignoreboth:erasedups",
  "HISTIGNORE='*'": "HISTIGNORE='*'",
  "HISTFILE unset": "unset HISTFILE",
  "HISTTIMEFORMAT": "HISTTIMEFORMAT='%F %T '",
  "cmdhist off": "shopt -u cmdhist",
  "set -u": "set -u",
  "IFS changed": "IFS=,_12",
  "noclobber": "set -o noclobber",
  "noglob, nullglob and failglob": "set -f; shopt -s nullglob failglob",
  "posix mode": "set -o posix",
  "extdebug": "shopt -s extdebug",
  "functrace and errtrace": "set -o functrace -o errtrace; trap : ERR",
  "aliases for what the hook uses":
    "alias printf='echo alias' local='echo alias' read=false trap=false history=false",
  "functions for what the hook uses": "printf() { echo function; }; history() { false; }; trap() { false; }",
  "a prompt with colours": "PS1='\\[\\e[32m\\]\\u\\[\\e[0m\\] '",
  "an EXIT trap": "trap 'echo bye' EXIT",
};

const COMMON = "return_seven() { return 7; }\n";

for (const bash of BASHES) {
  for (const way of ["installed", "exported"] as const) {
    for (const [name, startup] of Object.entries(STARTUP_FILES)) {
      // What only PROMPT_COMMAND in the environment brings in is lost where a startup file assigns it.
      if (way === "exported" && /^PROMPT_COMMAND='/.test(startup)) continue;
      Deno.test(`${bash}, hook ${way}: all is on record with ${name}`, async () => {
        await using shell = await startBash(bash, way, COMMON + startup);
        const before = await shell.type("echo in=$-,$PS0");
        assert.ok(!before.includes("srvaudit:"), before);
        for (const [line] of LINES) await shell.type(line);
        await shell.end();
        const [records] = shell.records();
        const commands = commandsOf(records);
        const expected: [string, number, number[]][] = LINES.map((
          [line, code, states],
        ) => [line, code, states ?? [code]]);
        assert.equal(commands[0]?.text, "echo in=$-,$PS0");
        assert.deepEqual(
          commands.slice(1, -1).map(({ text, exitCode, states }) => [text, exitCode, states]),
          expected,
        );
        assert.ok(commands.every(({ state }) => state === "whole"), JSON.stringify(commands));
        assert.deepEqual(commands.map(({ directory }) => directory).slice(-4), [
          shell.home,
          "/tmp",
          "/tmp",
          "/tmp",
        ]);
        assert.equal(records?.at(-1)?.type, "exit");
      });
    }
  }

  for (
    const [name, startup] of Object.entries({
      "set +o history": "set +o history",
      "HISTSIZE=0": "HISTSIZE=0",
      "a HISTCONTROL that is readonly": "readonly HISTCONTROL=ignorespace",
    })
  ) {
    Deno.test(`${bash}: a text that bash gives away in part is marked, with ${name}`, async () => {
      await using shell = await startBash(bash, "installed", startup);
      await shell.type(" echo one; false");
      await shell.type(" (exit 5)");
      await shell.end();
      assert.deepEqual(
        commandsOf(shell.records()[0]).slice(0, 2).map((
          { text, state, exitCode },
        ) => [text, state, exitCode]),
        [
          ["echo one", "partial", 1],
          ["", "missing", 5],
        ],
      );
    });
  }

  Deno.test(`${bash}: what the user has is as she left it`, async () => {
    const startup = `${COMMON}
      HISTCONTROL=ignoreboth HISTIGNORE='ls:echo ignored*' HISTFILE=$HOME/history
      trap 'echo "[debug $BASH_COMMAND]"' DEBUG`;
    const lines = [
      "echo a b c",
      'echo "last=$_ status=$?"',
      "false | true",
      'echo "states=${PIPESTATUS[*]} status=$?"',
      "ls >/dev/null",
      " echo blank",
      "echo twice",
      "echo twice",
      "echo ignored text",
      "for i in 1 2; do",
      "echo $i; done",
      "trap -p DEBUG; trap -p EXIT | grep -v srvaudit",
      "trap - DEBUG",
      "trap -p DEBUG",
      `echo 1; trap 'echo "[debug $BASH_COMMAND]"' DEBUG`,
      "echo 2",
      "trap - DEBUG",
      "echo $- $BASHOPTS $SHELLOPTS",
      "echo $HISTCONTROL, $HISTIGNORE, $HISTFILE",
      "jobs; echo $!",
      "return_seven",
      "echo $?",
      "history",
    ];
    const play = async (way: Way | "none") => {
      await using shell = await startBash(bash, way, startup);
      const printed: string[] = [];
      for (const line of lines) {
        await shell.terminal.send(`${line}\r`);
        printed.push(await shell.terminal.expect(/(READY|more)> $/));
      }
      await shell.end();
      // The hook's own commands are none of the user's: her DEBUG trap may see that they are there.
      const seen = printed.map((text) =>
        text.replace(/\[debug (\\builtin|_srvaudit|\[\[ -s)[^\n]*\n/g, "").replaceAll(
          shell.home,
          "~",
        )
      );
      return { seen, history: await Deno.readTextFile(`${shell.home}/history`) };
    };
    const bare = await play("none");
    for (const way of ["installed", "exported"] as const) assert.deepEqual(await play(way), bare);
  });

  Deno.test(`${bash}: nothing typed, nothing recorded`, async () => {
    await using shell = await startBash(bash, "installed", "", ["--noediting"]);
    await shell.type("");
    // Without readline: a signal between its look for one and its read waits for the next key, in any bash.
    for (const half of ["half a line", "nothing left\x15", "for i in 1 2; do\recho"]) {
      await shell.terminal.send(half);
      await shell.terminal.expect(/line|left|echo/);
      await shell.terminal.send("\x03");
      await shell.terminal.expect(PROMPT);
    }
    await shell.type("   ");
    await shell.type("# a comment");
    await shell.type("echo something");
    await shell.end();
    assert.deepEqual(commandsOf(shell.records()[0]).map(({ text }) => text), ["echo something", "exit"]);
  });

  // What takes all of PROMPT_COMMAND away keeps its own end from being seen; from the next line on all is as it was.
  // bash before 5.1 has but one PROMPT_COMMAND: whoever takes it away there is recorded no more, and that is on record.
  const hasArray = /version (5\.[1-9]|[6-9])/.test(versionOf(bash));
  for (
    const [line, exitCode] of Object.entries<number | undefined>({
      "PS0=''": 0,
      "unset PS0": 0,
      "trap - DEBUG": 0,
      ...(hasArray
        ? { "PROMPT_COMMAND='true'": 0, "unset PROMPT_COMMAND": undefined, "PROMPT_COMMAND=()": undefined }
        : {}),
    })
  ) {
    Deno.test(`${bash}: a hook that the user takes away is brought back by another, with ${line}`, async () => {
      await using shell = await startBash(bash, "installed", "");
      await shell.type(line);
      await shell.type("echo next");
      await shell.type("echo after");
      await shell.type("history -c; echo last");
      await shell.end();
      assert.deepEqual(
        commandsOf(shell.records()[0]).map(({ text, exitCode }) => [text, exitCode]),
        [[line, exitCode], ["echo next", 0], ["echo after", 0], ["history -c; echo last", 0], ["exit", 0]],
      );
    });
  }

  Deno.test(`${bash}: an EXIT trap that the user sets does not take ours away, nor ours hers`, async () => {
    await using shell = await startBash(bash, "installed", "");
    await shell.type("trap 'echo bye, status $?' EXIT");
    await shell.end("exit 6");
    assert.match(shell.terminal.transcript(), /^bye, status 6\r$/m);
    assert.deepEqual(shell.records()[0]?.filter(({ type }) => type === "exit").length, 1);
    assert.deepEqual(commandsOf(shell.records()[0]).map(({ exitCode }) => exitCode), [0, 6]);
  });

  Deno.test(`${bash}: the clock and the hook's own functions stay what they are`, async () => {
    await using shell = await startBash(bash, "installed", "");
    // bash 4.4 has no such clock: there it is a variable of ours.
    if (!versionOf(bash).includes("version 4")) {
      await shell.type("unset EPOCHREALTIME; EPOCHREALTIME=1.000000");
    }
    await shell.type("_srvaudit_fire() { :; }");
    await shell.type("echo seen");
    await shell.end();
    const [records] = shell.records();
    assert.equal(commandsOf(records).at(-2)?.text, "echo seen");
    const times = (records ?? []).map((record) => "atUs" in record ? record.atUs : 0);
    assert.deepEqual(times, times.toSorted((a, b) => a - b));
    assert.ok((times[0] ?? 0) > 1.7e15, String(times));
  });

  Deno.test(`${bash}: a command is on record before it runs`, async () => {
    await using shell = await startBash(bash, "installed", "");
    await shell.type("history -c; echo gone");
    await shell.terminal.send("exec sleep 0\r");
    await shell.terminal.close();
    assert.deepEqual(commandsOf(shell.records()[0]).map(({ text, exitCode }) => [text, exitCode]), [
      ["history -c; echo gone", 0],
      ["exec sleep 0", undefined],
    ]);
  });

  Deno.test(`${bash}: a hang-up ends the command and the shell on record`, async () => {
    await using shell = await startBash(bash, "installed", "");
    await shell.terminal.send("echo sleeping; sleep 1000\r");
    await shell.terminal.expect(/^sleeping/m);
    using watcher = Deno.watchFs(`${shell.home}/.ash/spool`);
    await shell.terminal.hangUp();
    const hasEnded = () => shell.records()[0]?.at(-1)?.type === "exit";
    if (!hasEnded()) { for await (const _ of watcher) if (hasEnded()) break; }
    const [records] = shell.records();
    assert.equal(commandsOf(records)[0]?.text, "echo sleeping; sleep 1000");
    const last = records?.at(-1);
    assert.equal(last?.type === "exit" && last.exitCode, 129);
  });

  Deno.test(`${bash}: a nested shell has a file of its own`, async () => {
    await using shell = await startBash(bash, "exported", "");
    await shell.type(`${bash} --rcfile ~/.bashrc`);
    await shell.type("echo inner");
    await shell.type("exit 3");
    await shell.type("echo outer");
    await shell.end();
    assert.deepEqual(shell.records().map((records) => commandsOf(records).map(({ text }) => text)), [
      [`${bash} --rcfile ~/.bashrc`, "echo outer", "exit"],
      ["echo inner", "exit 3"],
    ]);
  });

  Deno.test(`${bash}: the directory is where the command was started, whatever PWD says`, async () => {
    await using shell = await startBash(bash, "installed", "");
    await shell.type("mkdir $'new\\nline' && cd $'new\\nline'");
    await shell.type("PWD=/innocent");
    await shell.type("echo here");
    await shell.end();
    assert.deepEqual(commandsOf(shell.records()[0]).map(({ directory }) => directory), [
      shell.home,
      `${shell.home}/new\nline`,
      `${shell.home}/new\nline`,
      `${shell.home}/new\nline`,
    ]);
  });

  Deno.test(`${bash}: no spool, no recording, one line about it, and the shell goes on`, async () => {
    await using shell = await startBash(bash, "installed", "");
    await shell.type("echo one");
    await Deno.remove(`${shell.home}/.ash`, { recursive: true });
    const printed = await shell.type("echo two") + await shell.type("echo three; (exit 9)") +
      await shell.type("echo $?");
    assert.equal(
      printed.match(/srvaudit: commands are NOT being recorded: cannot write/g)?.length,
      1,
      printed,
    );
    assert.match(printed, /^9\r$/m);
    assert.ok(!printed.includes("No such file"), printed);
  });

  Deno.test(`${bash}: who takes the hook's scratch file away hides no part of a line`, async () => {
    await using shell = await startBash(bash, "installed", "HISTCONTROL=ignoreboth");
    const lines = [
      'rm -f "$_srvaudit_scratch"',
      "true; echo one",
      'rm -f "$_srvaudit_scratch"; mkdir "$_srvaudit_scratch"',
      "true; echo two",
      "trap 'echo bye' EXIT",
    ];
    for (const line of lines) await shell.type(line);
    await shell.end();
    assert.match(shell.terminal.transcript(), /^bye\r$/m);
    assert.deepEqual(
      commandsOf(shell.records()[0]).map(({ text, state }) => [text, state]),
      [...lines, "exit"].map((line) => [line, "whole"]),
    );
  });

  Deno.test({
    name: `${bash}: a command costs no fork`,
    ignore: !isThere("strace"),
    fn: async () => {
      const trace = await Deno.makeTempFile();
      await using shell = await startBash(
        "strace",
        "installed",
        "HISTCONTROL=ignoreboth",
        ["-f", "-qq", "-e", "trace=clone,clone3,fork,vfork", "-o", trace, bash],
      );
      const forks = () =>
        Deno.readTextFileSync(trace).split("\n").filter((line) => /\b(clone3?|v?fork)\(/.test(line)).length;
      await shell.type("echo warm");
      const before = forks();
      for (let i = 0; i < 20; i++) await shell.type(`: ${i}`);
      await shell.type("cd /tmp && for i in 1 2 3; do echo $i; done");
      assert.equal(forks(), before);
      await shell.type("(exit 1)");
      assert.equal(forks(), before + 1);
      await Deno.remove(trace);
    },
  });
}

function versionOf(bash: string): string {
  return new TextDecoder().decode(new Deno.Command(bash, { args: ["--version"] }).outputSync().stdout);
}

function isThere(program: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).outputSync()
    .success;
}
