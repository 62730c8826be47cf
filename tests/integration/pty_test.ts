import assert from "node:assert/strict";
import { start } from "../support/pty.ts";

const PATH = "/usr/bin:/bin";
const shell = { PATH, PS1: "READY> " };

Deno.test("a program on a pseudo-terminal is typed to, heard and ends with its own exit code", async () => {
  await using terminal = start("sh", [], shell);
  await terminal.expect(/READY> $/);
  await terminal.send("tty; echo $((6 * 7)) it\\'s\r");
  assert.match(await terminal.expect(/^42 it's\r/m), /\/dev\/pts\/\d+/);
  await terminal.send("exit 3\r");
  assert.equal(await terminal.close(), 3);
});

Deno.test("expect() waits only for what nobody has expected yet", async () => {
  await using terminal = start("sh", [], shell);
  await terminal.expect(/READY> $/);
  await terminal.send("echo o''ne\r");
  await terminal.expect(/^one/m);
  await terminal.send("exit\r");
  await assert.rejects(terminal.expect(/^one/m), /the program ended before/);
});

Deno.test("argv[0] and the environment are exactly what was asked for", async () => {
  await using terminal = start("bash", ["--norc", "--noprofile"], { ...shell, ODD: "a'b\nc" }, {
    argv0: "-bash",
  });
  await terminal.expect(/READY> $/);
  await terminal.send(`echo "<$0> <\${ODD@Q}> <$SHLVL> <$SHELL>"\r`);
  await terminal.expect(/^<-bash> <\$'a\\'b\\nc'> <1>/m);
});

Deno.test("hangUp() takes the terminal away: the program gets SIGHUP", async () => {
  const file = await Deno.makeTempFile();
  const terminal = start("sh", [
    "-c",
    `trap 'echo hung up >${file}; exit' HUP; echo ready; while :; do sleep 0.1; done`,
  ], {
    PATH,
  });
  await terminal.expect(/ready/);
  await terminal.hangUp();
  assert.equal(await Deno.readTextFile(file), "hung up\n");
  await Deno.remove(file);
});
