import assert from "node:assert/strict";
import { SpoolTidy } from "../../src/agent/spool_tidy.ts";
import { protect } from "../../src/posix/file_flags.ts";
import { newSessionId } from "../../src/record/session_id.ts";
import { alive, command, exit, opened, shell } from "../support/spool_files.ts";
import { say, shellFile, SpoolsAndEvidence } from "../support/taking_in.ts";
import { testThatNeeds } from "../support/needs.ts";

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
protect("/dev/null/none", "none");

const MUCH = { days: 30, maxBytes: 1e9 };
const names = (at: SpoolsAndEvidence) => [...Deno.readDirSync(at.host.path)].map(({ name }) => name).sort();

/** A session that is over, and what its user's own spool has of it. */
function overAndDone(at: SpoolsAndEvidence): { session: string; file: string } {
  const session = newSessionId();
  const file = shellFile(session);
  at.add(`${session}.session`, say(opened({ session, uid: at.uid })));
  at.add(file, shell({ session }), ...command(1), exit(0));
  Deno.symlinkSync(`${at.host.path}/${file}`, `${at.own.path}/999999999-1.shell`);
  Deno.symlinkSync(`${at.host.path}/${session}.session`, `${at.own.path}/${session}.session`);
  return { session, file };
}

Deno.test("a file of the host's goes when both its user's history and evidence have it", () => {
  using at = new SpoolsAndEvidence();
  const tidy = new SpoolTidy(at.store, at.takeIn.spools);
  const { session } = overAndDone(at);
  const links = ["999999999-1.shell", `${session}.session`];
  assert.deepEqual(tidy.taken(at.own, links), []);
  at.settle();
  assert.equal(tidy.tidy(MUCH).removed, 0);
  assert.deepEqual(tidy.taken(at.own, [...links, "../host/x.shell", "4711-1.shell"]), links);
  assert.deepEqual(tidy.tidy(MUCH), { removed: 2, early: 0, sealed: [] });
  assert.deepEqual(names(at), []);
  at.settle();
  assert.deepEqual(at.tampers(), []);
  // The links that are left speak of nothing any more.
  assert.deepEqual(tidy.taken(at.own, links), links);
  at.restart();
  at.settle();
  assert.deepEqual(at.tampers(), []);
});

Deno.test("a file of the user's own goes when evidence has it, and is forgotten then", () => {
  using at = new SpoolsAndEvidence();
  const tidy = new SpoolTidy(at.store, at.takeIn.spools);
  const name = "999999999-1.shell";
  at.addOwn(name, shell(), ...command(1), exit(0));
  assert.deepEqual(tidy.taken(at.own, [name]), []);
  at.settle();
  assert.deepEqual(tidy.taken(at.own, [name]), [name]);
  Deno.removeSync(`${at.own.path}/${name}`);
  at.settle();
  assert.deepEqual(at.tampers(), []);
  assert.deepEqual(at.store.followed(), []);
});

Deno.test("nobody has another user's files removed", () => {
  using at = new SpoolsAndEvidence();
  const tidy = new SpoolTidy(at.store, at.takeIn.spools);
  const { session } = overAndDone(at);
  at.settle();
  const other = { path: at.own.path, owner: { uid: 4711, gid: 4711 } };
  if (Deno.uid() !== 0) assert.deepEqual(tidy.taken(other, ["999999999-1.shell", `${session}.session`]), []);
  else {
    Deno.chmodSync(at.root, 0o755);
    Deno.chmodSync(at.own.path, 0o755);
    assert.deepEqual(tidy.taken(other, ["999999999-1.shell", `${session}.session`]), []);
  }
});

Deno.test("a file that no history asks for goes after its days", () => {
  using at = new SpoolsAndEvidence();
  const tidy = new SpoolTidy(at.store, at.takeIn.spools);
  const { file, session } = overAndDone(at);
  at.settle();
  const old = new Date(Date.now() - 31 * 24 * 3600 * 1000);
  Deno.utimeSync(`${at.host.path}/${file}`, old, old);
  assert.equal(tidy.tidy(MUCH).removed, 1);
  assert.deepEqual(names(at), [`${session}.session`]);
});

Deno.test("where the spool is too large, what evidence has goes first, the oldest before the others, and it is on record", () => {
  using at = new SpoolsAndEvidence();
  const tidy = new SpoolTidy(at.store, at.takeIn.spools);
  for (const i of [1, 2, 3]) {
    at.add(shellFile(null, undefined, i), shell(), ...command(1, "x".repeat(1000)), exit(0));
    const then = new Date(Date.now() - i * 1000);
    Deno.utimeSync(`${at.host.path}/${shellFile(null, undefined, i)}`, then, then);
  }
  at.settle();
  // However short they are, each takes a block of the disk.
  assert.deepEqual(tidy.tidy({ days: 30, maxBytes: 9000 }), { removed: 1, early: 1, sealed: [] });
  assert.deepEqual(names(at), [shellFile(null, undefined, 1), shellFile(null, undefined, 2)]);
  assert.equal(at.data("agent")[0]?.what, "spool full");
});

testThatNeeds(["root"], "a living shell's file that is too long is sealed, once, and it is on record", () => {
  using at = new SpoolsAndEvidence();
  const tidy = new SpoolTidy(at.store, at.takeIn.spools);
  const name = shellFile(null, alive());
  at.add(name, shell(alive()), ...command(1, "x".repeat(2000)));
  Deno.chownSync(`${at.host.path}/${name}`, 30_001, 30_001);
  at.settle();
  assert.deepEqual(tidy.tidy({ days: 30, maxBytes: 4000 }).sealed, [name]);
  assert.deepEqual(tidy.tidy({ days: 30, maxBytes: 4000 }).sealed, []);
  at.settle();
  assert.deepEqual(at.tampers().map(({ what }) => what), ["capped"]);
  const isImmutable = (() => {
    try {
      at.add(name, ...command(2));
      return false;
    } catch {
      return true;
    }
  })();
  const info = Deno.statSync(`${at.host.path}/${name}`);
  assert.ok(isImmutable || info.uid === 0);
  assert.equal(at.ask("select uid from spool")[0]?.uid, 30_001);
  protect(`${at.host.path}/${name}`, "none");
});
