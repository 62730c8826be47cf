/** The hooks, where `su` or `sudo -E` has left a HOME behind that is another user's. */

import assert from "node:assert/strict";
import { testThatNeeds } from "../support/needs.ts";
import { start } from "../support/pty.ts";

const HOOKS = new URL("../../src/shell", import.meta.url).pathname;
/** A user with no home of its own, so that there is no other place either. */
const NOBODY = "65534";
const SHELLS: Record<string, { args: string[]; hook: string; prompt: string }> = {
  bash: { args: ["--norc", "-i"], hook: "attach.bash", prompt: "PS1='REA''DY> '" },
  zsh: { args: ["-f", "-i"], hook: "srvaudit.zsh", prompt: "PS1='REA''DY> '" },
  fish: {
    args: ["--no-config", "-i"],
    hook: "srvaudit.fish",
    prompt: "function fish_prompt; echo 'REA''DY> '; end",
  },
};

for (const [shell, { args, hook, prompt }] of Object.entries(SHELLS)) {
  testThatNeeds(
    ["root", "setpriv", shell],
    `${shell}: nothing is written below another user's HOME`,
    async () => {
      // The hooks are read as nobody, who may not look into the project's folder.
      const home = await Deno.makeTempDir();
      try {
        await Deno.mkdir(`${home}/hooks`);
        for (const entry of Deno.readDirSync(HOOKS)) {
          if (entry.isFile) await Deno.copyFile(`${HOOKS}/${entry.name}`, `${home}/hooks/${entry.name}`);
        }
        for (const folder of [".ash", ".ash/spool"]) await Deno.mkdir(`${home}/${folder}`);
        // Root's, and open to all: only whose it is can keep nobody from it.
        for (const folder of ["", "/.ash", "/.ash/spool"]) await Deno.chmod(home + folder, 0o777);
        const words = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", shell, ...args];
        const env = { HOME: home, PATH: "/usr/local/bin:/usr/bin:/bin", LANG: "C.UTF-8", TERM: "dumb" };
        await using terminal = start("setpriv", words, env, { directory: home });
        await terminal.send(`${prompt}\r`);
        await terminal.expect(/READY> /);
        await terminal.send(`. ${home}/hooks/${hook}\r`);
        await terminal.expect(/READY> /);
        await terminal.send("echo sa''id\r");
        await terminal.expect(/said[^]*READY> /);
        await terminal.send("exit\r");
        await terminal.close();
        assert.deepEqual([...Deno.readDirSync(`${home}/.ash/spool`)], []);
        assert.match(terminal.transcript(), /commands are NOT being recorded/);
      } finally {
        await Deno.remove(home, { recursive: true });
      }
    },
  );
}
