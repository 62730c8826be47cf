/** src/shell/srvaudit.fish in a real fish on a real terminal, under startup files that would lose it. */

import assert from "node:assert/strict";
import { commandsOf, HookedShell, HOOKS, type ShellOptions, summaryOf } from "../support/hooked_shell.ts";
import { testThatNeeds } from "../support/needs.ts";

/** The two ways in: a file in conf.d, which is read before the user's own config.fish, and -C. */
type Way = "installed" | "argument";
const CONFIG = ".config/fish/config.fish";
const PLAIN_PROMPT = "set -g fish_greeting\nfunction fish_prompt; builtin echo -n '> '; end\n";
/** A first fish makes completions of all man pages, in the background; this one has made them already. */
const COMPLETIONS = { ".local/share/fish/generated_completions/none.fish": "" };
const READY_LINE = "function tell_ready --on-event fish_prompt; builtin echo '[READY]'; end\n";

function fish(way: Way, startup: string, more: ShellOptions = {}): Promise<HookedShell> {
  return HookedShell.start("fish", {
    ...more,
    args: [
      "-i",
      ...(way === "argument" ? ["-C", `source '${HOOKS}/srvaudit.fish'`] : []),
      ...(more.args ?? []),
    ],
    files: {
      ...COMPLETIONS,
      [CONFIG]: `${PLAIN_PROMPT}${startup}\n${READY_LINE}`,
      ...(way === "installed"
        ? { ".config/fish/conf.d/srvaudit.fish": `source ${HOOKS}/srvaudit.fish\n` }
        : {}),
      ...more.files,
    },
  });
}

/** What is typed in every startup file's shell, and how it must stand on record. */
const LINES: [string, number, number[]?][] = [
  ["echo one two", 0],
  [" echo hidden by a blank", 0],
  ["false | true | sh -c 'exit 3'", 3, [1, 0, 3]],
  ["echo twice", 0],
  ["echo twice", 0],
  ["no_such_command_at_all", 127],
  ["cd /tmp", 0],
  ["for i in 1 2\necho $i\nend", 0],
  ['echo \'é ☃\' \\xff "q\\"uote" %s | cat', 0, [0, 0]],
];

const STARTUP_FILES: Record<string, string> = {
  "nothing of the user's": "",
  "handlers of its own": `function a --on-event fish_preexec; false; end
function b --on-event fish_postexec; false; end
function c --on-event fish_prompt; false; end`,
  "starship's way of hooking": `function fish_prompt
  set STARSHIP_CMD_PIPESTATUS $pipestatus
  set STARSHIP_CMD_STATUS $status
  set_color green; echo -n '> '; set_color normal
end
function fish_right_prompt; echo -n right; end
function __starship_set_job_count --on-event fish_postexec; true; end
set -g VIRTUAL_ENV_DISABLE_PROMPT 1`,
  "key bindings of vi": "fish_vi_key_bindings insert",
  "a history that keeps nothing": "set -g fish_history ''",
  "IFS changed": "set -g IFS 0123",
  "functions named like builtins":
    "function printf; end; function math; end; function read; end; function string; end; function path; end",
  "the hook sourced again": `source ${HOOKS}/srvaudit.fish\nsource ${HOOKS}/srvaudit.fish`,
  "a umask of its own": "umask 000",
};

for (const way of ["installed", "argument"] as const) {
  for (const [name, startup] of Object.entries(STARTUP_FILES)) {
    testThatNeeds(["fish"], `fish (${way}): every command goes on record with ${name}`, async () => {
      await using shell = await fish(way, startup);
      for (const [line] of LINES) await shell.type(line.replaceAll("\n", "\r"));
      await shell.end("exit 6");
      const found = shell.commands();
      assert.deepEqual(summaryOf(found), [...LINES, ["exit 6", 6]]);
      assert.ok(found.every(({ state }) => state === "whole"));
      assert.deepEqual(found.map(({ directory }) => directory), [
        ...Array(7).fill(shell.home),
        ...Array(3).fill("/tmp"),
      ]);
      assert.doesNotMatch(shell.terminal.transcript(), /srvaudit:|warning/);
      const records = shell.records();
      assert.equal(records.length, 1);
      assert.deepEqual(records[0]?.map(({ type }) => type).slice(-2), ["end", "exit"]);
      const [file] = [...Deno.readDirSync(`${shell.home}/.ash/spool`)];
      assert.equal((Deno.statSync(`${shell.home}/.ash/spool/${file?.name}`).mode ?? 0) & 0o777, 0o600);
    });
  }
}

testThatNeeds(["fish"], "fish: its private mode hides no command", async () => {
  await using shell = await fish("argument", "", { args: ["--private"] });
  await shell.type("echo secret");
  await shell.end();
  assert.deepEqual(summaryOf(shell.commands()), [["echo secret", 0], ["exit", 0]]);
});

testThatNeeds(["fish"], "fish: a login shell stays one, and says who it is", async () => {
  await using shell = await fish("argument", "", {
    argv0: "-fish",
    env: { SSH_CLIENT: "203.0.113.9 1 2", SRVAUDIT_SESSION: "claimed" },
  });
  assert.match(await shell.type("status is-login; and echo is a login"), /2004lis a login/);
  await shell.end();
  const [record] = shell.records()[0] ?? [];
  assert.ok(record?.type === "shell");
  assert.match(record.shell, /^fish \d/);
  assert.match(record.tty, /^\/dev\/pts\/\d+$/);
  assert.equal(record.uid, Deno.uid());
  assert.equal(record.host, Deno.hostname());
  assert.equal(record.sshClient, "203.0.113.9 1 2");
  assert.equal(record.session, "claimed");
  assert.ok(record.startTicks > 0 && record.parentPid > 0);
});

testThatNeeds(["fish"], "fish: what the user's command finds is as it was without the hook", async () => {
  await using shell = await fish("installed", "");
  await shell.type("false | true | sh -c 'exit 3'");
  assert.match(await shell.type('echo "<$status $pipestatus>"'), /2004l<3 1 0 3>/);
  await shell.type("sh -c 'exit 0' & ; wait; set before $last_pid");
  assert.match(await shell.type("test $before = $last_pid; and echo same; umask"), /2004lsame\r\n0022/);
});

testThatNeeds(["fish"], "fish: nothing that does not run goes on record", async () => {
  await using shell = await fish("argument", "");
  await shell.type("");
  await shell.interrupt("half a line");
  await shell.terminal.send("echo (sh -c 'exit 2') in s''tep\r");
  await shell.terminal.expect(/in step[^]*\[READY\]/);
  await shell.end("\x04");
  assert.deepEqual(summaryOf(shell.commands()), [["echo (sh -c 'exit 2') in s''tep", 0]]);
});

testThatNeeds(["fish"], "fish: hooks that are taken away at the prompt come back", async () => {
  await using shell = await fish("argument", "");
  const lines = [
    "functions -e _srvaudit_start",
    "true | false",
    "functions -e _srvaudit_end",
    "false | true",
    "functions -e _srvaudit_start _srvaudit_end",
    "echo after two",
    "functions -e _srvaudit_prompt _srvaudit_exit",
    "exit 9",
  ];
  for (const line of lines.slice(0, -1)) await shell.type(line);
  await shell.end("exit 9");
  assert.deepEqual(shell.commands().map(({ text }) => text), lines);
  assert.deepEqual(shell.commands().map(({ exitCode }) => exitCode), [0, 1, 0, 0, 0, 0, 0, 9]);
  assert.equal(shell.records()[0]?.at(-1)?.type, "exit");
});

testThatNeeds(["fish"], "fish: exec and a nested shell are each on record by themselves", async () => {
  await using shell = await fish("installed", "");
  await shell.type("fish");
  await shell.type("echo within");
  await shell.type("exit 4");
  await shell.type("echo without");
  await shell.end("exec true");
  const [outer, inner] = shell.records().map(commandsOf).map(summaryOf);
  assert.deepEqual(outer, [["fish", 4], ["echo without", 0], ["exec true", undefined]]);
  assert.deepEqual(inner, [["echo within", 0], ["exit 4", 4]]);
});

testThatNeeds(["fish", "strace"], "fish: no process and one open is made for a record", async () => {
  await using shell = await HookedShell.start("strace", {
    args: [
      "-f",
      "-e",
      "trace=process,openat",
      "-o",
      "trace",
      "fish",
      "-C",
      `source '${HOOKS}/srvaudit.fish'`,
    ],
    files: { ...COMPLETIONS, [CONFIG]: PLAIN_PROMPT + READY_LINE },
  });
  await shell.type("echo BEGIN");
  const count = () => {
    const trace = Deno.readTextFileSync(`${shell.home}/trace`);
    return {
      // What fish makes besides are threads.
      processes: trace.match(/ execve\(| v?fork\(| clone3?\((?![^\n]*CLONE_THREAD)/g)?.length ?? 0,
      opens: trace.match(/ openat\([^"]*"[^"]*\.shell"/g)?.length ?? 0,
    };
  };
  const before = count();
  for (let i = 0; i < 20; i++) await shell.type("true");
  const after = count();
  await shell.end();
  assert.deepEqual(after, { processes: before.processes, opens: before.opens + 40 });
});

testThatNeeds(
  ["fish"],
  "fish: where the spool cannot be written the user's shell goes on, after one clear line",
  async () => {
    await using shell = await fish("argument", "", { files: { ".ash": "a file, and no folder" } });
    await shell.type("false | true | sh -c 'exit 3'");
    assert.match(await shell.type('echo "<$status $pipestatus>"'), /2004l<3 1 0 3>/);
    assert.equal(await shell.end("exit 5"), 5);
    const said = shell.terminal.transcript().match(/srvaudit: .*|warning: .*/g);
    assert.equal(said?.length, 1);
    assert.match(String(said), /srvaudit: commands are NOT being recorded: cannot write \/tmp\//);
  },
);

testThatNeeds(["fish"], "fish: a spool file that was removed is begun anew", async () => {
  await using shell = await fish("argument", "");
  await shell.type("rm -r .ash");
  await shell.type("echo back");
  await shell.end();
  assert.equal(shell.records()[0]?.[0]?.type, "shell");
  assert.deepEqual(summaryOf(shell.commands()).slice(-2), [["echo back", 0], ["exit", 0]]);
});

testThatNeeds(
  ["fish"],
  "fish: the session's own shell runs the logout dialogue at its end, on its terminal",
  async () => {
    await using shell = await withPrograms();
    assert.equal(await shell.end("exit 7"), 7);
    assert.match(shell.terminal.transcript(), /LOGOUT logout --exit-code 7 on a terminal/);
  },
);

testThatNeeds(["fish"], "fish: another shell than the session's own runs no dialogue", async () => {
  await using shell = await withPrograms("1");
  await shell.end();
  assert.doesNotMatch(shell.terminal.transcript(), /LOGOUT/);
});

testThatNeeds(["fish"], "fish: one that is hung up runs no dialogue", async () => {
  await using shell = await withPrograms();
  await shell.type("echo x");
  await shell.terminal.hangUp();
  assert.throws(() => Deno.statSync(`${shell.home}/dialogue`), Deno.errors.NotFound);
});

testThatNeeds(
  ["fish"],
  "fish: freshens the history in the background, unseen, and not at every command",
  async () => {
    await using shell = await withPrograms();
    using watcher = Deno.watchFs(shell.home);
    await shell.type("set before $last_pid");
    assert.match(
      await shell.type('test "$before" = "$last_pid"; and echo same; jobs'),
      /2004lsame\r\njobs: There are no jobs/,
    );
    for await (const _ of watcher) {
      if (await Deno.readTextFile(`${shell.home}/ingested`).catch(() => "") !== "") break;
    }
    await shell.end();
    assert.equal(Deno.readTextFileSync(`${shell.home}/ingested`), "ingest --linger 30\n");
  },
);

/** A fish that finds our programs' stand-ins, and is told that the given process (itself, if none) leads the session. */
async function withPrograms(leader = "$fish_pid"): Promise<HookedShell> {
  return await HookedShell.start("fish", (home) => ({
    args: ["-C", `source '${HOOKS}/srvaudit.fish'`],
    files: {
      ...COMPLETIONS,
      [CONFIG]:
        `chmod +x ~/bin/*\n${PLAIN_PROMPT}set -g SRVAUDIT_BIN ~/bin\nset -g SRVAUDIT_LEADER_PID ${leader}\n${READY_LINE}`,
      "bin/saticket":
        `#!/bin/sh\necho ran >${home}/dialogue\n[ -t 0 ] && [ -t 2 ] && echo "LOGOUT $* on a terminal"\n`,
      "bin/srvaudit": `#!/bin/sh\n[ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo "$@" >>${home}/ingested\n`,
    },
  }));
}
