import assert from "node:assert/strict";
import { testThatNeeds } from "../support/needs.ts";
import { succeed } from "../support/run.ts";

/** Ubuntu 18.04's; CentOS 8 has 2.28. */
const OLDEST = { major: 2, minor: 27 };
const SOURCES = new URL("../../src/posix/", import.meta.url);
const EXECUTABLE = new URL("../../dist/srvaudit", import.meta.url).pathname;

function isOlder([major = 0, minor = 0]: number[]): boolean {
  return major < OLDEST.major || (major === OLDEST.major && minor <= OLDEST.minor);
}

/** The versions of libc by which objdump knows a name, each as its numbers. */
function versionsIn(text: string): number[][] {
  return [...text.matchAll(/GLIBC_([0-9.]+)/g)].map(([, version = ""]) => version.split(".").map(Number));
}

testThatNeeds(["objdump"], "the oldest hosts' libc has every call that we make of it by name", async () => {
  const libc =
    (await succeed(["sh", "-c", "ldd \"$1\" | sed -n 's/.*=> \\(.*libc.so.6\\).*/\\1/p'", "sh", EXECUTABLE]))
      .trim();
  const table = (await succeed(["objdump", "-T", libc])).split("\n");
  const calls = new Set<string>();
  for (const { name } of Deno.readDirSync(SOURCES)) {
    const text = Deno.readTextFileSync(new URL(name, SOURCES));
    for (const [, call = ""] of text.matchAll(/^ {2}(\w+): \{\s*parameters:/gm)) calls.add(call);
  }
  assert.ok(calls.size > 30, `only ${calls.size} calls were found in the sources`);
  for (const call of calls) {
    const versions = versionsIn(table.filter((line) => line.endsWith(` ${call}`)).join("\n"));
    assert.ok(
      versions.some(isOlder),
      `${call} is not in the libc of Ubuntu 18.04: ${JSON.stringify(versions)}`,
    );
  }
});

testThatNeeds(
  ["objdump"],
  "the executable itself asks for no newer libc than the oldest hosts have",
  async () => {
    const versions = versionsIn(await succeed(["objdump", "-T", EXECUTABLE]));
    assert.ok(versions.length > 0);
    assert.deepEqual(versions.filter((version) => !isOlder(version)), []);
  },
);
