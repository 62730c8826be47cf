import assert from "node:assert/strict";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { verifyEvidence } from "../../src/evidence/verify.ts";
import { agentEvent, EvidenceFolder, T0 } from "../support/evidence_events.ts";

/** Says after each transaction of five events how many are on the disk; and as far in the spool file's row. */
const WRITER = `
import { EvidenceStore } from "${new URL("../../src/evidence/store.ts", import.meta.url)}";
const store = new EvidenceStore(Deno.args[0]);
const file = { folder: "", name: "x.shell", inode: "1", session: null, shell: null, uid: 0, pid: null,
  startTicks: null, lastNumber: 0, openCommand: null, lastUs: 0, leaving: false, gone: false, done: false, taken: false };
while (true) {
  const seq = store.transaction(() => {
    let seq = 0;
    for (let i = 0; i < 5; i++) {
      seq = store.append({ kind: "agent", atUs: 1, session: null, shell: null, uid: null, data: { i } }, 1);
    }
    store.saveFollowed({ ...file, position: seq });
    return seq;
  });
  Deno.stdout.writeSync(new TextEncoder().encode(seq + "\\n"));
}`;

Deno.test("a writer that is killed at any moment leaves whole transactions and a whole chain", async () => {
  using place = new EvidenceFolder();
  const script = `${place.folder}/writer.ts`;
  Deno.writeTextFileSync(script, WRITER);
  for (let round = 1; round <= 5; round++) {
    const writer = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script, place.file],
      cwd: new URL("../../", import.meta.url).pathname,
      stdout: "piped",
    }).spawn();
    let said = "";
    const decoder = new TextDecoder();
    let lines = 0;
    for await (const chunk of writer.stdout) {
      said += decoder.decode(chunk);
      lines = said.split("\n").length;
      // Somewhere in the work of the next ones.
      if (lines > 20 * round) break;
    }
    writer.kill("SIGKILL");
    await writer.status;
    const onDisk = Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1));
    assert(onDisk >= 100 * round);
    using store = new EvidenceStore(place.file);
    const { isIntact, head } = verifyEvidence(place.file);
    assert(isIntact);
    // Nothing that was said to be on the disk is missing, and nothing is there in part.
    assert(head.seq >= onDisk);
    assert.equal(head.seq % 5, round - 1);
    assert.equal(store.followedFile("", "x.shell")?.position, head.seq);
    // Not a multiple of five any more: what was left goes on.
    assert.equal(store.transaction(() => store.append(agentEvent("x"), T0)), head.seq + 1);
  }
  assert(verifyEvidence(place.file).isIntact);
});
