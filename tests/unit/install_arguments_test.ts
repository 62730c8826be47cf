import assert from "node:assert/strict";
import { parse } from "@optique/core/parser";
import { installParser } from "../../src/srvaudit/install_arguments.ts";

/** What a command line asks for; undefined where it is called wrongly. */
function asked(line: string): Record<string, unknown> | undefined {
  const result = parse(installParser, line.split(" "));
  return result.success ? { ...result.value } : undefined;
}

Deno.test("install without a word asks its questions, and a dry run is one of everything", () => {
  for (
    const [line, expected] of [
      ["install", { action: "install", yes: false, dryRun: false, set: [] }],
      ["install --dry-run", { action: "install", yes: false, dryRun: true, users: undefined }],
      ["install --dry-run --users alice", { action: "install", dryRun: true, users: "alice" }],
      ["install -y --set pms=0 --all", { action: "install", yes: true, set: ["pms=0"], all: true }],
      ["install --hooks-only", { action: "install hooks", dryRun: false }],
      ["install --hooks-only --dry-run", { action: "install hooks", dryRun: true }],
      ["install --dry-run --hooks-only", { action: "install hooks", dryRun: true }],
      ["install --confirm", { action: "install confirm" }],
    ] as const
  ) {
    const found = asked(line);
    assert.ok(found, line);
    for (const [key, value] of Object.entries(expected)) {
      assert.deepEqual(found[key], value, `${line}: ${key}`);
    }
  }
});

Deno.test("install: what is for a confirmation, or for hooks alone, goes with nothing else", () => {
  for (
    const line of ["install --confirm -y", "install --confirm --users alice", "install --hooks-only --all"]
  ) {
    assert.equal(asked(line), undefined, line);
  }
});
