import assert from "node:assert/strict";
import { parseInvocation, recordedText } from "../../src/hello/invocation.ts";

function parsed(isLogin: boolean, ...args: string[]) {
  const { args: same, ...rest } = parseInvocation(isLogin, args);
  assert.deepEqual(same, args);
  return rest;
}

const PLAIN = { isLogin: false, forcesInteractive: false, operands: [], showsCommands: false };

Deno.test("parseInvocation() knows a login by argv[0] and by option", () => {
  assert.deepEqual(parsed(true), { ...PLAIN, isLogin: true });
  assert.deepEqual(parsed(false), PLAIN);
  for (const option of ["-l", "--login", "-il"]) assert.equal(parsed(false, option).isLogin, true, option);
});

Deno.test("parseInvocation() finds the command wherever -c is", () => {
  assert.deepEqual(parsed(false, "-c", "uptime"), { ...PLAIN, command: "uptime" });
  assert.deepEqual(parsed(false, "-lc", "uptime"), { ...PLAIN, isLogin: true, command: "uptime" });
  assert.deepEqual(parsed(false, "-c", "-x", "uptime", "name", "arg"), {
    ...PLAIN,
    command: "uptime",
    operands: ["name", "arg"],
    showsCommands: true,
  });
  assert.deepEqual(parsed(false, "-o", "pipefail", "-c", "uptime"), { ...PLAIN, command: "uptime" });
  assert.deepEqual(parsed(false, "-eo", "pipefail", "+O", "extglob", "-c", "uptime"), {
    ...PLAIN,
    command: "uptime",
  });
  assert.deepEqual(parsed(false, "-c", "--", "-uptime"), { ...PLAIN, command: "-uptime" });
  assert.deepEqual(parsed(false, "--command=uptime"), { ...PLAIN, command: "uptime" });
  assert.deepEqual(parsed(false, "--command", "uptime"), { ...PLAIN, command: "uptime" });
  assert.deepEqual(parsed(false, "-c"), { ...PLAIN, command: "" });
});

Deno.test("parseInvocation() tells a script from what is read from the input", () => {
  assert.deepEqual(parsed(false, "script.sh", "-c", "x"), {
    ...PLAIN,
    script: "script.sh",
    operands: ["-c", "x"],
  });
  assert.deepEqual(parsed(false, "--rcfile", "file", "script.sh"), { ...PLAIN, script: "script.sh" });
  assert.deepEqual(parsed(false, "--norc", "-s", "arg"), PLAIN);
  assert.deepEqual(parsed(false, "-i"), { ...PLAIN, forcesInteractive: true });
});

Deno.test("recordedText() leaves nothing out of what runs", () => {
  const text = (...args: string[]) => recordedText(parseInvocation(false, args));
  assert.equal(text("-c", "uptime"), "uptime");
  assert.equal(text("-c", 'eval "$1"', "x", "id -u"), "eval \"$1\"\n# with $0 and arguments: x 'id -u'");
  assert.equal(text("s.sh", "it's", "b"), "s.sh 'it'\\''s' b");
  assert.equal(text("-s", "a"), undefined);
});
