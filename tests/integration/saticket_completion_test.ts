import assert from "node:assert/strict";
import { effectiveUid } from "../../src/posix/libc.ts";
import { LocalTracker } from "../../src/trackers/local.ts";
import { testThatNeeds } from "../support/needs.ts";
import { start } from "../support/pty.ts";
import { succeed } from "../support/run.ts";

// libc is opened once and for good: before the first test, or Deno would call it that test's leak.
effectiveUid();

const ROOT = new URL("../../", import.meta.url).pathname;

/** A home with two open tickets and a closed one. */
function newHome() {
  const path = Deno.makeTempDirSync();
  {
    using tracker = new LocalTracker(`${path}/.ash/tickets.db`, "alice");
    tracker.create("Replace: the disk");
    tracker.create("$(touch pwned) `touch pwned`");
    tracker.create("closed");
    tracker.setStatus("3", "Closed");
  }
  return {
    path,
    env: { HOME: path, PATH: `${ROOT}dist:${Deno.env.get("PATH")}`, LC_ALL: "C.UTF-8" },
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

/** What is typed, its last word unfinished, and what may stand there. */
const CASES: readonly [string, readonly string[]][] = [
  ["saticket s", ["show", "search", "switch", "status"]],
  ["saticket switch ", ["2", "1"]],
  ["saticket show ", ["2", "1"]],
  ["saticket note --ticket ", ["2", "1"]],
  ["saticket status --ticket 1 ", ["in-progress", "resolved", "feedback", "closed", "rejected"]],
  ["saticket status --ticket 3 ", ["in-progress"]],
  ["saticket status --ticket 99 ", []],
  ["saticket new --no", ["--no-switch"]],
  ["saticket new --pro", ["--project"]],
  ["saticket new --tr", ["--tracker"]],
  ["saticket new --fi", ["--field"]],
  ["saticket new --project ", []],
  ["saticket new --tracker ", []],
  ["saticket list --a", ["--all"]],
];

testThatNeeds(["bash"], "bash completes subcommands, options, open tickets and statuses", async () => {
  using home = newHome();
  for (const [line, expected] of CASES) {
    const script = `
      source ${ROOT}completions/saticket.bash
      IFS=' ' read -ra COMP_WORDS <<< "$1"
      [[ $1 == *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
      _saticket
      ((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"
    `;
    const found = await succeed(["bash", "-uc", script, "bash", line], { env: home.env, cwd: home.path });
    assert.deepEqual(found.split("\n").filter(Boolean).sort(), [...expected].sort(), line);
  }
  assert.deepEqual([...Deno.readDirSync(home.path)].map(({ name }) => name), [".ash"]);
});

testThatNeeds(["fish"], "fish completes subcommands, options, open tickets and statuses", async () => {
  using home = newHome();
  for (const [line, expected] of CASES) {
    const script = `source ${ROOT}completions/saticket.fish; complete -C $argv[1]`;
    const found = await succeed(["fish", "--no-config", "-c", script, line], {
      env: home.env,
      cwd: home.path,
    });
    const words = found.split("\n").filter(Boolean).map((each) => each.split("\t")[0]);
    assert.deepEqual(words.sort(), [...expected].sort(), line);
  }
});

testThatNeeds(
  ["zsh", "script"],
  "zsh completes subcommands, options, open tickets and statuses",
  async () => {
    using home = newHome();
    await using terminal = start("zsh", ["-f"], { ...home.env, PS1: "READY> ", TERM: "dumb" }, {
      directory: home.path,
    });
    await terminal.expect(/READY> /);
    await terminal.send(
      `autoload -U compinit && compinit -u -D && source ${ROOT}completions/saticket.zsh && echo 'IS''SET'\r`,
    );
    await terminal.expect(/ISSET\r\n/);
    for (
      const [typed, completed] of [
        ["saticket sw\t", /saticket switch $/],
        ["saticket list --a\t", /saticket list --all $/],
        ["saticket status --ticket 1 fee\t", /saticket status --ticket 1 feedback $/],
        ["saticket switch \t", /2 {2}-- \$\(touch pwned\) `touch pwned`\s+1 {2}-- Replace: the disk/],
      ] as const
    ) {
      await terminal.expect(/READY> /);
      await terminal.send(typed);
      await terminal.expect(completed);
      await terminal.send("\x15\r");
    }
    await terminal.send("exit\r");
    await terminal.close();
  },
);
