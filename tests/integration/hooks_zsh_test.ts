/** src/shell/srvaudit.zsh in a real zsh on a real terminal, under startup files that would lose it. */

import assert from "node:assert/strict";
import {
  commandsOf,
  HookedShell,
  HOOKS,
  READY,
  type ShellOptions,
  summaryOf,
} from "../support/hooked_shell.ts";
import { testThatNeeds } from "../support/needs.ts";

/** The two ways in: /etc/zsh/zshrc, which is read before the user's own .zshrc, and ZDOTDIR. */
type Way = "installed" | "zdotdir";
const WAYS: readonly Way[] = ["installed", "zdotdir"];
const PROMPT = "PROMPT='[READY] '\n";

function zsh(way: Way, startup: string, more: ShellOptions = {}): Promise<HookedShell> {
  const system = way === "installed" ? `source ${HOOKS}/srvaudit.zsh\n` : "";
  return HookedShell.start("zsh", {
    ...more,
    args: ["-i", ...(more.args ?? [])],
    files: { ".zshrc": `${system}${startup}\n`, ...more.files },
    env: { ...(way === "zdotdir" ? { ZDOTDIR: `${HOOKS}/zdotdir` } : {}), ...more.env },
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
  ["for i in 1 2\ndo echo $i\ndone", 0],
  ["echo 'é ☃' $'\\xff' \"q\\\"uote\" | cat", 0, [0, 0]],
];

/** starship's own way of hooking zsh (starship init zsh), its program put off by a function. */
const STARSHIP = `
starship() { print -n '[READY] ' }
zmodload zsh/parameter
__starship_get_time() { (( STARSHIP_CAPTURED_TIME = int(rint(EPOCHREALTIME * 1000)) )) }
prompt_starship_precmd() {
  STARSHIP_CMD_STATUS=$? STARSHIP_PIPE_STATUS=(\${pipestatus[@]})
  STARSHIP_JOBS_COUNT=\${(%):-%j}
}
prompt_starship_preexec() { STARSHIP_START_TIME=1 }
precmd_functions+=(prompt_starship_precmd)
preexec_functions+=(prompt_starship_preexec)
starship_zle-keymap-select() { zle reset-prompt }
zle -N zle-keymap-select starship_zle-keymap-select
setopt promptsubst
PROMPT='$(starship prompt)' RPROMPT='$(starship prompt --right)'
`;

/** powerlevel10k's: it puts its own functions first and last at every prompt, and takes over zle's hooks. */
const POWERLEVEL10K = `
_p9k_do_nothing() { true }
_p9k_precmd() {
  local -i code=$?
  precmd_functions=(_p9k_do_nothing \${(@)precmd_functions:#(_p9k_do_nothing|_p9k_precmd)} _p9k_precmd)
  preexec_functions=(_p9k_preexec1 \${(@)preexec_functions:#_p9k_preexec?} _p9k_preexec2)
  PROMPT='%F{green}%B[READY]%b%f '
}
_p9k_preexec1() { _p9k_timer=$EPOCHREALTIME }
_p9k_preexec2() { true }
_p9k_zle_line_init() { (( \${+functions[_p9k_orig_init]} )) && _p9k_orig_init "$@" }
zle -N zle-line-init _p9k_zle_line_init
zle -N zle-line-finish _p9k_do_nothing
setopt no_prompt_bang prompt_percent prompt_subst
precmd_functions=(_p9k_precmd) preexec_functions=(_p9k_preexec1)
`;

const STARTUP_FILES: Record<string, string> = {
  "nothing of the user's": PROMPT,
  "its own precmd and preexec": `precmd() { : } ; preexec() { : }\n${PROMPT}`,
  "precmd_functions=() and its own array": `precmd_functions=() preexec_functions=(x); x() { : }\n${PROMPT}`,
  "every array of hooks assigned":
    `precmd_functions=() preexec_functions=() zshaddhistory_functions=() zshexit_functions=()\n${PROMPT}`,
  "every array of hooks unset": `unset -m '*_functions'\nsetopt no_unset\n${PROMPT}`,
  "add-zsh-hook":
    `autoload -Uz add-zsh-hook\na() { false }; add-zsh-hook precmd a; add-zsh-hook preexec a\n${PROMPT}`,
  "add-zle-hook-widget":
    `autoload -Uz add-zle-hook-widget\na() { : }; add-zle-hook-widget line-init a\nadd-zle-hook-widget line-finish a\n${PROMPT}`,
  "starship's way of hooking": STARSHIP,
  "powerlevel10k's way of hooking": POWERLEVEL10K,
  "PROMPT and RPROMPT with colours and substitutions":
    "setopt prompt_subst\nPROMPT='%F{red}$(echo x)%f[READY] ' RPROMPT='%K{blue}$(echo y)%k'",
  "a history that keeps nothing": `HISTSIZE=0 SAVEHIST=0; unset HISTFILE\n${PROMPT}`,
  "a history that leaves out":
    `setopt hist_ignore_space hist_ignore_all_dups hist_no_store hist_no_functions hist_reduce_blanks\n${PROMPT}`,
  "zshaddhistory that refuses all": `zshaddhistory() { return 1 }\n${PROMPT}`,
  "fc -p": `fc -p\n${PROMPT}`,
  "setopt no_unset": `setopt no_unset\n${PROMPT}`,
  "setopt err_return": `setopt err_return\n${PROMPT}`,
  "options that change the language":
    `setopt noclobber ksh_arrays sh_word_split no_function_argzero glob_subst posix_builtins posix_identifiers c_bases warn_create_global all_export auto_cd extended_glob no_equals rc_quotes\n${PROMPT}`,
  "IFS changed": `IFS=013:\n${PROMPT}`,
  "functions and aliases named like builtins":
    `printf() { : }; print() { : }; echo2() { : }; trap() { : }; builtin_() { : }\nalias -g start=X end=X\nalias local=false typeset=false return=false\n${PROMPT}`,
  "a DEBUG trap": `trap ': $ZSH_DEBUG_CMD' DEBUG\n${PROMPT}`,
  "a precmd that fails": `setopt no_unset\nprecmd() { : $no_such_parameter }\n${PROMPT}`,
  "a preexec that fails": `setopt no_unset\npreexec() { : $no_such_parameter }\n${PROMPT}`,
  "the hook sourced again": `source ${HOOKS}/srvaudit.zsh\nsource ${HOOKS}/srvaudit.zsh\n${PROMPT}`,
  "no EPOCHREALTIME": `zmodload -u zsh/datetime\n${PROMPT}`,
};

for (const way of WAYS) {
  for (const [name, startup] of Object.entries(STARTUP_FILES)) {
    testThatNeeds(["zsh"], `zsh (${way}): every command goes on record with ${name}`, async () => {
      await using shell = await zsh(way, startup);
      for (const [line] of LINES) await shell.type(line.replaceAll("\n", "\r"));
      await shell.end("exit 6");
      const found = shell.commands();
      assert.deepEqual(summaryOf(found), [...LINES, ["exit 6", 6]]);
      assert.ok(found.every(({ state }) => state === "whole"));
      assert.deepEqual(found.map(({ directory }) => directory), [
        ...Array(8).fill(shell.home),
        ...Array(3).fill("/tmp"),
      ]);
      assert.doesNotMatch(shell.terminal.transcript(), /srvaudit/);
      const records = shell.records();
      assert.equal(records.length, 1);
      assert.deepEqual(records[0]?.map(({ type }) => type).slice(-2), ["end", "exit"]);
    });
  }
}

testThatNeeds(["zsh"], "zsh: what the user's command finds is as it was without the hook", async () => {
  await using shell = await zsh("installed", PROMPT);
  const print = async (line: string) => (await shell.type(line)).replaceAll("\r", "");
  await print("false | true | (exit 3)");
  assert.match(await print('echo "<$?> <$pipestatus>"'), /^<3> <1 0 3>$/m);
  await print(": one two");
  assert.match(await print('echo "<$_>"'), /^<two>$/m);
  await print("true & wait; last=$!");
  assert.match(await print("[[ $last == $! ]]; echo same:$?"), /^same:0$/m);
  await print("setopt >before; trap >>before; set -x");
  assert.equal((await print("echo traced")).match(/^\+/gm)?.length, 1);
  await print("set +x");
  await print("setopt >after; trap >>after");
  assert.equal(
    Deno.readTextFileSync(`${shell.home}/after`),
    Deno.readTextFileSync(`${shell.home}/before`),
  );
  await print("trap 'echo DBG:$ZSH_DEBUG_CMD' DEBUG");
  assert.equal((await print("echo x")).match(/^DBG:/gm)?.length, 1);
  await print("trap - DEBUG; trap 'echo FAILED' ZERR");
  assert.equal((await print("false")).match(/^FAILED/gm)?.length, 1);
  assert.doesNotMatch(await print("true"), /FAILED\r?$/m);
});

testThatNeeds(["zsh"], "zsh: nothing that does not run goes on record", async () => {
  await using shell = await zsh("zdotdir", PROMPT + "setopt interactive_comments hist_verify\n");
  await shell.type("");
  await shell.type("   ");
  await shell.interrupt("half a line");
  await shell.terminal.send("for i in 1\r");
  await shell.terminal.expect(/for> /);
  await shell.interrupt("do");
  await shell.terminal.send("echo in s''tep\r");
  await shell.terminal.expect(/in step[^]*\[READY\]/);
  await shell.type("# a comment");
  await shell.type("echo 'does not parse' )");
  await shell.type("(exit 5)");
  await shell.type("x=$(echo inner; (exit 2))");
  // HIST_VERIFY puts the line into the editor first.
  await shell.type("!!");
  await shell.terminal.send("\r");
  await shell.terminal.expect(READY);
  await shell.end("\x04");
  assert.deepEqual(summaryOf(shell.commands()), [
    ["echo in s''tep", 0],
    ["(exit 5)", 5],
    ["x=$(echo inner; (exit 2))", 2],
    ["x=$(echo inner; (exit 2))", 2],
  ]);
});

testThatNeeds(["zsh"], "zsh: hooks that are taken away at the prompt come back", async () => {
  await using shell = await zsh("installed", PROMPT);
  const lines = [
    "precmd_functions=()",
    "true | false",
    "preexec_functions=()",
    "echo after preexec",
    "zshaddhistory_functions=() zshexit_functions=()",
    "echo after the others",
    "precmd_functions=() preexec_functions=() zshexit_functions=()",
    "echo after three",
    "precmd_functions=() preexec_functions=() zshaddhistory_functions=() zshexit_functions=()",
    "echo after all",
    "exit 9",
  ];
  for (const line of lines.slice(0, -1)) await shell.type(line);
  await shell.end("exit 9");
  assert.deepEqual(shell.commands().map(({ text }) => text), lines);
  assert.deepEqual(shell.commands()[1]?.pipeStates, [0, 1]);
  assert.equal(shell.records()[0]?.at(-1)?.type, "exit");
});

testThatNeeds(["zsh"], "zsh: a login shell stays one, with all the user's own startup files", async () => {
  const say = (name: string) => `print -r ${name} >>$HOME/read\n`;
  await using shell = await HookedShell.start("zsh", (home) => ({
    argv0: "-zsh",
    files: {
      "own/.zshenv": say("zshenv"),
      "own/.zprofile": say("zprofile"),
      "own/.zshrc": say("zshrc") + PROMPT,
      "own/.zlogin": say("zlogin"),
      "own/.zlogout": say("zlogout"),
    },
    env: { ZDOTDIR: `${HOOKS}/zdotdir`, SRVAUDIT_ZDOTDIR: `${home}/own` },
  }));
  assert.match(await shell.type("[[ -o login ]] && print -r is_login:$0"), /^is_login:-zsh/m);
  assert.match(await shell.type("env | grep -c -e SRVAUDIT -e zdotdir"), /^0\r$/m);
  await shell.type("[[ $ZDOTDIR == $HOME/own ]]");
  await shell.end();
  assert.equal(
    Deno.readTextFileSync(`${shell.home}/read`),
    "zshenv\nzprofile\nzshrc\nzlogin\nzlogout\n",
  );
  assert.deepEqual(shell.commands().map(({ exitCode }) => exitCode), [0, 1, 0, 0]);
});

testThatNeeds(
  ["zsh"],
  "zsh: exec, a nested shell and two shells at once are each on record by themselves",
  async () => {
    await using shell = await zsh("installed", PROMPT);
    await shell.type("zsh -i");
    await shell.type("echo within");
    await shell.type("exit 4");
    await shell.type("echo without");
    await shell.end("exec true");
    const [outer, inner] = shell.records().map(commandsOf).map(summaryOf);
    assert.deepEqual(outer, [["zsh -i", 4], ["echo without", 0], ["exec true", undefined]]);
    assert.deepEqual(inner, [["echo within", 0], ["exit 4", 4]]);
  },
);

testThatNeeds(["zsh", "strace"], "zsh: no process and one open is made for a record", async () => {
  await using shell = await HookedShell.start("strace", {
    args: ["-f", "-e", "trace=process,openat", "-o", "trace", "zsh", "-i"],
    files: { ".zshrc": `source ${HOOKS}/srvaudit.zsh\n${PROMPT}` },
  });
  await shell.type("print -r BEGIN");
  const count = () => {
    const trace = Deno.readTextFileSync(`${shell.home}/trace`);
    return {
      processes: trace.match(/ (clone3?|v?fork|execve)\(/g)?.length ?? 0,
      opens: trace.match(/ openat\([^"]*"[^"]*\.shell"/g)?.length ?? 0,
    };
  };
  const before = count();
  for (let i = 0; i < 50; i++) await shell.type(":");
  const after = count();
  await shell.end();
  assert.deepEqual(after, { processes: before.processes, opens: before.opens + 100 });
});

testThatNeeds(
  ["zsh"],
  "zsh: where the spool cannot be written the user's shell goes on, after one clear line",
  async () => {
    await using shell = await HookedShell.start("zsh", (home) => ({
      args: ["-i"],
      files: { ".zshrc": `source ${HOOKS}/srvaudit.zsh\n${PROMPT}`, ".ash": "a file, and no folder" },
      env: { SRVAUDIT_SPOOL: `${home}/nowhere` },
    }));
    await shell.type("false | true | (exit 3)");
    assert.match(await shell.type('echo "<$? $pipestatus>"'), /^<3 1 0 3>/m);
    assert.equal(await shell.end("exit 5"), 5);
    const said = shell.terminal.transcript().match(/srvaudit: .*/g);
    assert.equal(said?.length, 1);
    assert.match(String(said), /srvaudit: commands are NOT being recorded: cannot write \/tmp\//);
  },
);

testThatNeeds(["zsh"], "zsh: a full disk is said once, and leaves nothing on the terminal", async () => {
  await using shell = await zsh("installed", `${PROMPT}`);
  await shell.type(
    "rm -f .ash/spool/*.shell; ln -s /dev/full .ash/spool/$$-1.shell; typeset -g _srvaudit_file=.ash/spool/$$-1.shell",
  );
  await shell.type("echo goes on");
  assert.match(await shell.type("echo $? again"), /^0 again/m);
  assert.equal(await shell.end("exit 5"), 5);
  const text = shell.terminal.transcript();
  assert.equal(text.match(/srvaudit: commands are NOT/g)?.length, 1);
  assert.doesNotMatch(text, /SA1|write error|no space/i);
});

testThatNeeds(["zsh"], "zsh: a spool file that was removed is begun anew", async () => {
  await using shell = await zsh("installed", PROMPT);
  await shell.type("rm -r .ash");
  await shell.type("umask 0; echo back");
  await shell.end();
  const [records] = shell.records();
  assert.equal(records?.[0]?.type, "shell");
  assert.deepEqual(summaryOf(shell.commands()), [["umask 0; echo back", 0], ["exit", 0]]);
  assert.equal((Deno.statSync(`${shell.home}/.ash/spool`).mode ?? 0) & 0o777, 0o700);
});

testThatNeeds(
  ["zsh"],
  "zsh: the session's own shell runs the logout dialogue at its end, on its terminal",
  async () => {
    await using shell = await withPrograms("zsh");
    assert.equal(await shell.end("(exit 3); exit 7"), 7);
    assert.match(shell.terminal.transcript(), /^LOGOUT logout --exit-code 7 on a terminal/m);
  },
);

testThatNeeds(["zsh"], "zsh: another shell than the session's own runs no dialogue", async () => {
  await using shell = await withPrograms("zsh", "1");
  await shell.end();
  assert.doesNotMatch(shell.terminal.transcript(), /LOGOUT/);
});

testThatNeeds(["zsh"], "zsh: one that is hung up says so and runs no dialogue", async () => {
  await using shell = await withPrograms("zsh");
  await shell.type("echo x");
  await shell.terminal.hangUp();
  const last = shell.records()[0]?.at(-1);
  assert.equal(last?.type === "exit" && last.exitCode, 129);
  assert.throws(() => Deno.statSync(`${shell.home}/dialogue`), Deno.errors.NotFound);
});

testThatNeeds(
  ["zsh"],
  "zsh: freshens the history in the background, unseen, and not at every command",
  async () => {
    await using shell = await withPrograms("zsh");
    using watcher = Deno.watchFs(shell.home);
    await shell.type("true & wait; before=$!");
    assert.match(await shell.type("[[ $before == $! ]] && jobs && echo unseen"), /2004l[\r\n]+unseen/);
    for await (const _ of watcher) {
      if (await Deno.readTextFile(`${shell.home}/ingested`).catch(() => "") !== "") break;
    }
    await shell.end();
    assert.equal(Deno.readTextFileSync(`${shell.home}/ingested`), "ingest --linger 30\n");
  },
);

/** A shell that finds our programs' stand-ins, and is told that the given process (itself, if none) leads the session. */
async function withPrograms(program: string, leader = "$$"): Promise<HookedShell> {
  return await HookedShell.start(program, (home) => ({
    args: ["-i"],
    files: {
      ".zshrc":
        `chmod +x bin/*\nSRVAUDIT_BIN=$HOME/bin SRVAUDIT_LEADER_PID=${leader}\nsource ${HOOKS}/srvaudit.zsh\n${PROMPT}`,
      "bin/saticket":
        `#!/bin/sh\necho ran >${home}/dialogue\n[ -t 0 ] && [ -t 2 ] && echo "LOGOUT $* on a terminal"\n`,
      "bin/srvaudit": `#!/bin/sh\n[ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo "$@" >>${home}/ingested\n`,
    },
  }));
}
