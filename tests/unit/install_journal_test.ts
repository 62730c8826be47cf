import assert from "node:assert/strict";
import {
  entryOf,
  readJournal,
  recordBegin,
  recordChange,
  recordFinish,
  recordUndone,
  removeJournal,
} from "../../src/install/journal.ts";
import type { Target } from "../../src/install/target.ts";

function targetAt(root: string): Target {
  return {
    root,
    family: "debian",
    init: "none",
    hasSelinux: false,
    library: "/usr/lib/srvaudit",
    hello: "/usr/bin/hello-srvaudit",
  };
}

async function withHost(work: (target: Target, file: string) => void): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    work(targetAt(root), `${root}/var/lib/srvaudit/install.journal`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const CHANGE = { run: 1, kind: "file", about: "/usr/bin/x", args: { sum: "1" }, before: null };

Deno.test("a host that was never installed on has an empty journal, and none is made by reading it", async () => {
  await withHost((target, file) => {
    const nothing = { entries: [], firstRun: 0, lastRun: 0, isFinished: true, begunMs: new Map() };
    assert.deepEqual(readJournal(target), nothing);
    assert.throws(() => Deno.statSync(file), Deno.errors.NotFound);
  });
});

Deno.test("the journal is root's alone, and knows which run has not come to its end", async () => {
  await withHost((target, file) => {
    recordBegin(target, 1, "0.1.0");
    recordChange(target, CHANGE);
    assert.equal(readJournal(target).isFinished, false);
    recordFinish(target, 1);
    recordBegin(target, 2, "0.1.0");
    const { firstRun, lastRun, isFinished } = readJournal(target);
    assert.deepEqual([firstRun, lastRun, isFinished], [1, 2, false]);
    assert.equal((Deno.statSync(file).mode ?? 0) & 0o777, 0o600);
    assert.equal((Deno.statSync(`${target.root}/var/lib/srvaudit`).mode ?? 0) & 0o777, 0o700);
  });
});

Deno.test("a change that is made again stands there once, where it stood first", async () => {
  await withHost((target) => {
    recordChange(target, CHANGE);
    recordChange(target, { ...CHANGE, about: "/usr/bin/y" });
    recordChange(target, { ...CHANGE, args: { sum: "2" } });
    const { entries } = readJournal(target);
    assert.deepEqual(entries.map(({ run, about }) => [run, about]), [[1, "/usr/bin/x"], [1, "/usr/bin/y"]]);
    assert.deepEqual(entryOf(readJournal(target), "file", "/usr/bin/x")?.args, { sum: "2" });
  });
});

Deno.test("what is undone is not there to be undone again", async () => {
  await withHost((target) => {
    recordChange(target, CHANGE);
    recordUndone(target, CHANGE);
    assert.deepEqual(readJournal(target).entries, []);
    removeJournal(target);
    removeJournal(target);
  });
});

Deno.test("a line that a kill has torn counts for nothing, and the next one does not run into it", async () => {
  await withHost((target, file) => {
    recordChange(target, CHANGE);
    const whole = Deno.readTextFileSync(file);
    for (let length = 1; length < whole.length; length++) {
      Deno.writeTextFileSync(file, whole + whole.slice(0, length));
      assert.equal(readJournal(target).entries.length, 1);
      recordChange(target, { ...CHANGE, about: "/usr/bin/y" });
      assert.deepEqual(readJournal(target).entries.map(({ about }) => about), ["/usr/bin/x", "/usr/bin/y"]);
    }
  });
});

Deno.test("a journal that is not ours is named, with the line, instead of being taken for empty", async () => {
  await withHost((target, file) => {
    for (
      const text of [
        "no JSON",
        "null",
        "3",
        "[]",
        '"run"',
        "{}",
        '{"run":1}',
        '{"run":"1","begun":""}',
        '{"undone":null}',
        '{"undone":{"run":1,"kind":"file"}}',
        '{"run":1,"kind":"file","about":"/usr/bin/x"}',
        '{"kind":"file","about":"/usr/bin/x","args":{},"before":null}',
      ]
    ) {
      Deno.removeSync(target.root, { recursive: true });
      recordChange(target, CHANGE);
      Deno.writeTextFileSync(file, `${text}\n`, { append: true });
      assert.throws(() => readJournal(target), /install\.journal:2 is not a line of srvAudit's/, text);
    }
  });
});
