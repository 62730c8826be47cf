import assert from "node:assert/strict";
import { EvidenceReader } from "../../src/evidence/reading.ts";
import { MIGRATIONS, SCHEMA_VERSION } from "../../src/evidence/schema.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { verifyEvidence } from "../../src/evidence/verify.ts";
import { openDatabase, schemaVersion } from "../../src/sqlite/database.ts";
import { closed, command, EvidenceFolder, opened, T0 } from "../support/evidence_events.ts";

/** Evidence as the first srvAudit has made it. */
function makeFirstVersion(file: string): void {
  const database = openDatabase(file, { busyTimeoutMs: 0 });
  for (const [version, script] of MIGRATIONS.entries()) {
    if (version > 0) {
      for (const [, type, name] of script.matchAll(/^create (table|index|view|trigger) (\w+)/gm)) {
        database.exec(`drop ${type} if exists ${name}`);
      }
    }
  }
  database.exec("pragma user_version = 1");
  database.close();
}

Deno.test("evidence of the first version can be read and verified as it is, and goes on in the present one", () => {
  using place = new EvidenceFolder();
  place.write((store) => {
    const session = store.append(opened("a"), T0);
    store.append(command("ls", { session }), T0);
    store.append(closed(session), T0);
  });
  makeFirstVersion(place.file);
  {
    using evidence = new EvidenceReader(place.file);
    assert.equal(evidence.sessions({ limit: 10 }).length, 1);
    assert.equal(evidence.extent().last, 3);
  }
  assert.deepEqual(verifyEvidence(place.file).altered, []);
  assert.equal(verifyEvidence(place.file).isIntact, true);
  using store = new EvidenceStore(place.file);
  assert.equal(schemaVersion(store.database), SCHEMA_VERSION);
  assert.equal(store.transaction(() => store.append(command("id"), T0)), 4);
  const verified = verifyEvidence(place.file);
  assert.deepEqual([verified.isIntact, verified.altered, verified.events], [true, [], 4]);
});
