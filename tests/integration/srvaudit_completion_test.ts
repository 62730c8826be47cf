import assert from "node:assert/strict";
import { testThatNeeds } from "../support/needs.ts";
import { start } from "../support/pty.ts";
import { run, succeed } from "../support/run.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const COMPLETIONS = `${ROOT}completions`;
const COMMANDS = [
  "agent",
  "status",
  "sessions",
  "follow",
  "verify",
  "head",
  "doctor",
  "config",
  "redeliver",
  "ingest",
  "install",
  "uninstall",
  "rescue",
];

/** What is typed, its last word unfinished, and what may stand there. */
const CASES: readonly [string, readonly string[]][] = [
  ["srvaudit s", ["sessions", "status", "sink"]],
  ["srvaudit sessions --e", ["--emergency"]],
  ["srvaudit sessions --since ye", ["yesterday"]],
  ["srvaudit sessions --user roo", ["root"]],
  ["srvaudit follow --s", ["--session"]],
  ["srvaudit verify --s", ["--since"]],
  ["srvaudit verify /etc/passw", ["/etc/passwd"]],
  ["srvaudit config ch", ["check"]],
  ["srvaudit config check /etc/passw", ["/etc/passwd"]],
  ["srvaudit sink l", ["list"]],
  ["srvaudit sink test new", ["newRelic"]],
  ["srvaudit sink list --j", ["--json"]],
  ["srvaudit redeliver w", ["webhook"]],
  ["srvaudit ingest --linger 6", ["60"]],
  ["srvaudit ins", ["install"]],
  ["srvaudit install --conf", ["--confirm"]],
  ["srvaudit install --answers /etc/passw", ["/etc/passwd"]],
  ["srvaudit install --users roo", ["root"]],
  ["srvaudit install --users daemon,roo", ["daemon,root"]],
  ["srvaudit install --group roo", ["root"]],
  ["srvaudit uninstall --p", ["--purge"]],
  ["srvaudit rescue roo", ["root"]],
  ["srvaudit rescue --root /us", ["/usr"]],
];

const SHELLS: Readonly<Record<string, readonly string[]>> = {
  bash: [
    "-uc",
    `source ${COMPLETIONS}/srvaudit.bash
     IFS=' ' read -ra COMP_WORDS <<< "$1"
     [[ $1 == *' ' ]] && COMP_WORDS+=('')
     COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
     _srvaudit
     ((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"`,
    "bash",
  ],
  fish: ["--no-config", "-c", `source ${COMPLETIONS}/srvaudit.fish; complete -C $argv[1]`],
};

for (const [shell, args] of Object.entries(SHELLS)) {
  const complete = async (line: string) =>
    (await succeed([shell, ...args, line])).split("\n").filter(Boolean).map((each) =>
      // Some say that a folder is one.
      each.replace(/\/?(\t.*)?$/, "")
    );

  testThatNeeds([shell], `${shell} completes srvaudit's commands, options, users and files`, async () => {
    for (const [line, expected] of CASES) {
      const words = await complete(line);
      assert.ok(expected.every((word) => words.includes(word)), `${line}: ${words}`);
      if (!line.includes("/etc/") && !line.includes("--user")) {
        assert.deepEqual(words.sort(), [...expected].sort(), line);
      }
    }
  });

  testThatNeeds([shell], `${shell} completes every option that srvaudit's help names`, async () => {
    for (const command of COMMANDS) {
      const words = command === "config" ? ["config", "check"] : [command];
      const help = (await run([`${ROOT}dist/srvaudit`, ...words, "--help"])).text;
      const named = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option ?? "");
      const completed = await complete(`srvaudit ${words.join(" ")} --`);
      assert.deepEqual(completed.sort(), [...named, "--help"].sort(), command);
    }
  });
}

testThatNeeds(["zsh", "script"], "zsh completes srvaudit's commands and options", async () => {
  await using terminal = start("zsh", ["-f"], {
    PATH: "/usr/bin:/bin",
    LC_ALL: "C.UTF-8",
    PS1: "READY> ",
    TERM: "dumb",
  });
  await terminal.expect(/READY> /);
  await terminal.send(
    `autoload -U compinit && compinit -u -D && source ${COMPLETIONS}/srvaudit.zsh && echo 'IS''SET'\r`,
  );
  await terminal.expect(/ISSET\r\n/);
  for (
    const [typed, completed] of [
      ["srvaudit fol\t", /srvaudit follow $/],
      ["srvaudit sessions --em\t", /srvaudit sessions --emergency $/],
      ["srvaudit sink test otl\t", /srvaudit sink test otlp $/],
      ["srvaudit redeliver sysl\t", /srvaudit redeliver syslog $/],
      ["srvaudit config ch\t", /srvaudit config check $/],
      ["srvaudit verify /etc/passw\t", /srvaudit verify \/etc\/passwd/],
      ["srvaudit unin\t", /srvaudit uninstall $/],
      ["srvaudit install --conf\t", /srvaudit install --confirm $/],
      ["srvaudit install --users daemon,roo\t", /srvaudit install --users daemon,root/],
      ["srvaudit rescue --hoo\t", /srvaudit rescue --hooks $/],
    ] as const
  ) {
    await terminal.expect(/READY> /);
    await terminal.send(typed);
    await terminal.expect(completed);
    await terminal.send("\x15\r");
  }
  await terminal.send("exit\r");
  await terminal.close();
});
