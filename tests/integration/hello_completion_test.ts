import assert from "node:assert/strict";
import { testThatNeeds } from "../support/needs.ts";
import { succeed } from "../support/run.ts";

const COMPLETIONS = new URL("../../completions", import.meta.url).pathname;

/** What is typed, its last word unfinished, and what may stand there. */
const CASES: readonly [string, readonly string[]][] = [
  ["hello-srvaudit -", ["-c", "-i", "-l", "--help", "--version"]],
  ["hello-srvaudit -l -", ["-c", "-i", "-l"]],
  ["hello --v", ["--version"]],
  ["hello -c mkfif", ["mkfifo"]],
  ["hello /etc/passw", ["/etc/passwd"]],
];

const SHELLS: Readonly<Record<string, readonly string[]>> = {
  bash: [
    "-uc",
    `source ${COMPLETIONS}/hello.bash
     read -ra COMP_WORDS <<< "$1"
     COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
     _hello_srvaudit
     printf '%s\\n' "\${COMPREPLY[@]}"`,
    "bash",
  ],
  fish: ["--no-config", "-c", `source ${COMPLETIONS}/hello.fish; complete -C $argv[1]`],
};

for (const [shell, args] of Object.entries(SHELLS)) {
  testThatNeeds([shell], `${shell} completes hello's options, commands and scripts`, async () => {
    for (const [line, expected] of CASES) {
      const found = await succeed([shell, ...args, line]);
      const words = found.split("\n").filter(Boolean).map((each) => each.split("\t")[0]);
      // A machine may have more that begins so: a backup of a file, say.
      assert.ok(expected.every((word) => words.includes(word)), `${line}: ${words}`);
      if (line.endsWith("-")) assert.deepEqual(words.sort(), [...expected].sort(), line);
    }
  });
}
