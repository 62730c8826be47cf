/** src/shell/command.zsh and command.fish: the end of `hello -c COMMAND`, as the real shell itself puts it on record. */

import assert from "node:assert/strict";
import { encodeRecord, readRecords } from "../../src/record/spool.ts";
import { HOOKS } from "../support/hooked_shell.ts";
import { testThatNeeds } from "../support/needs.ts";
import { shell as shellRecord, start as startRecord } from "../support/spool_files.ts";

/** COMMAND, and how it must stand on record: its exit code and pipe states, or nothing. */
type Command = [command: string, exitCode: number, states: string | undefined];

const ZSH: Command[] = [
  ["true", 0, "0"],
  ["exit 3", 3, "3"],
  ["/bin/false", 1, "1"],
  ["false | true | cat", 0, "1_0_0"],
  ["(exit 5)", 5, "5"],
  ["set -e; false; true", 1, "1"],
  ["trap 'true' EXIT; exit 4", 4, "4"],
  ["setopt ksh_arrays no_unset sh_word_split; IFS=0; exit 10", 10, "10"],
  ["zsh -c 'exit 8'", 8, "8"],
  ["sh -c 'kill -9 $$'", 137, "137"],
  ["exec true", 0, undefined],
  ["kill -9 $$", 137, undefined],
];

const FISH: Command[] = [
  ["true", 0, "0"],
  ["exit 3", 3, "3"],
  ["/bin/false", 1, "1"],
  ["false | true", 0, "1_0"],
  ["sh -c 'kill -9 $$'", 137, "137"],
  ["set -g IFS 0; test (env | grep -c SRVAUDIT) = 0; and exit 10", 10, "10"],
  ["exec true", 0, undefined],
  ["kill -9 $fish_pid", 137, undefined],
];

/** What becomes the shell: as in src/hello/launch.ts, the process that the variable names. */
const START: Record<string, { script: string; env: Record<string, string> }> = {
  zsh: { script: 'exec zsh -c "$0"', env: { ZDOTDIR: `${HOOKS}/zdotdir` } },
  fish: { script: `exec fish -C "source '${HOOKS}/command.fish'" -c "$0"`, env: {} },
};

for (const [shell, commands] of Object.entries({ zsh: ZSH, fish: FISH })) {
  for (const [command, code, states] of commands) {
    const what = states === undefined ? "no end" : "the end";
    testThatNeeds([shell], `${shell} -c: ${what} is on record of ${command}`, async () => {
      const home = await Deno.makeTempDir();
      const spool = `${home}/command.shell`;
      const atUs = Date.now() * 1000;
      await Deno.writeFile(spool, encodeRecord(shellRecord()));
      await Deno.writeFile(spool, encodeRecord(startRecord(1, command, { atUs })), { append: true });
      const output = await new Deno.Command("sh", {
        args: ["-c", `export SRVAUDIT_COMMAND_PID=$$; ${START[shell]?.script}`, command],
        clearEnv: true,
        env: { PATH: "/usr/bin:/bin", HOME: home, SRVAUDIT_COMMAND_SPOOL: spool, ...START[shell]?.env },
      }).output();
      const bytes = Deno.readFileSync(spool);
      await Deno.remove(home, { recursive: true });
      assert.equal(output.code, code);
      assert.equal(output.stdout.length, 0);
      const reading = readRecords(bytes);
      assert.equal(reading.damaged, 0);
      const found = reading.records.slice(2).map(({ record }) => {
        if (record.type === "end") {
          assert.ok(record.atUs >= atUs, "the end is before the start");
          return [record.number, record.exitCode, record.pipeStates.join("_")];
        }
        return record.type === "exit" && record.exitCode;
      });
      assert.deepEqual(found, states === undefined ? [] : [[1, code, states], code]);
    });
  }
}
