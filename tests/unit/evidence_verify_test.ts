import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import {
  canonicalText,
  type Cell,
  chainHash,
  COLUMN_NAMES,
  COLUMNS,
  NO_HASH,
} from "../../src/evidence/chain.ts";
import { formatHead, parseHead } from "../../src/evidence/head.ts";
import { Outbox } from "../../src/evidence/outbox.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { verifyEvidence } from "../../src/evidence/verify.ts";
import { openDatabase } from "../../src/sqlite/database.ts";
import {
  agentEvent,
  closed,
  command,
  EvidenceFolder,
  opened,
  shellEnded,
  shellStarted,
  T0,
} from "../support/evidence_events.ts";
import { findProgram, testThatNeeds } from "../support/needs.ts";
import { succeed } from "../support/run.ts";

const ODD = new Uint8Array([0x61, 0xff, 0, 0x62]);

/** 1: started, 2: opened, 3: shell, 4 to 1203: commands, 1204: shell ended, 1205: closed. */
function fill(place: EvidenceFolder): void {
  place.write((store) => {
    store.append(agentEvent("started"), T0);
    const session = store.append(opened("the-session"), T0);
    const shell = store.append(shellStarted(session), T0);
    for (let number = 1; number <= 1200; number++) {
      const text = number === 5 ? ODD : number === 6 ? "echo \ufffd \u{1f600}" : `echo ${number}`;
      store.append(command(text, { session, shell, number, atUs: T0 + number }), T0);
    }
    store.append(shellEnded(session, shell), T0);
    store.append(closed(session), T0);
  });
}

/** Opens the file as who is root may: with the seat belt off, and on again. */
function forge(place: EvidenceFolder, work: (database: DatabaseSync) => void): void {
  const database = openDatabase(place.file, { busyTimeoutMs: 1000 });
  try {
    const triggers = database.prepare("select name, sql from sqlite_master where type = 'trigger'").all();
    for (const { name } of triggers) database.exec(`drop trigger ${name}`);
    work(database);
    for (const { sql } of triggers) database.exec(String(sql));
  } finally {
    database.close();
  }
}

/** Makes the hashes anew from a row on, as a forger with time can. */
function rehash(database: DatabaseSync, from: number): void {
  const rows = database.prepare("select * from event where seq >= ? order by seq").all(from - 1);
  let previous = rows.shift()?.hash as Uint8Array ?? NO_HASH;
  for (const row of rows) {
    previous = chainHash(previous, canonicalText(COLUMN_NAMES.map((name) => row[name] as Cell)));
    database.prepare("update event set hash = ? where seq = ?").run(previous, Number(row.seq));
  }
}

/** What verify says after a forgery. */
function broken(work: (database: DatabaseSync) => void) {
  using place = new EvidenceFolder();
  fill(place);
  forge(place, work);
  const result = verifyEvidence(place.file);
  assert.equal(result.isIntact, false);
  assert(result.broken);
  const { kind, seq, session, user, atUs } = result.broken;
  return { kind, seq, session, user, atUs };
}

const lies = { session: "the-session", user: "alice" };

Deno.test("verifyEvidence() finds nothing wrong with what the agent wrote", () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  assert.equal(verifyEvidence(place.file).isIntact, true);
  fill(place);
  const result = verifyEvidence(place.file);
  assert.deepEqual(result, {
    isIntact: true,
    file: place.file,
    events: 1205,
    anchor: { seq: 0, hash: NO_HASH },
    head: store.head(),
    broken: null,
    altered: [],
    since: null,
  });
});

Deno.test("it finds a row that was edited, in whichever column", () => {
  for (const name of COLUMN_NAMES.filter((name) => name !== "seq")) {
    const values = { number: `ifnull(${name}, 0) + 1`, text: `ifnull(${name}, '') || '1'`, bytes: "x'00'" };
    const found = broken((database) => {
      const value = values[COLUMNS[name]];
      database.exec(`update event set ${name} = ${value} where seq = 500`);
    });
    assert.equal(found.seq, 500, name);
    assert.equal(found.kind, "hash differs", name);
    if (name !== "session" && name !== "at_us") {
      assert.deepEqual(found, { kind: "hash differs", seq: 500, ...lies, atUs: T0 + 497 });
    }
  }
  assert.equal(broken((database) => database.exec("update event set hash = x'00' where seq = 7")).seq, 7);
  assert.equal(broken((database) => database.exec("update event set hash = 'x' where seq = 7")).seq, 7);
});

Deno.test("it finds what readers would not show, or show as the same", () => {
  const cases: Record<string, string> = {
    "behind a NUL": "update event set text = text || char(0) || 'hidden' where seq = 500",
    "instead of U+FFFD": "update event set text = cast(x'6563686f20ff20f09f9880' as text) where seq = 9",
    "as many bytes as U+FFFD":
      "update event set text = cast(x'6563686f20f09f9820f09f9880' as text) where seq = 9",
    "bytes for text": "update event set text = cast(text as blob) where seq = 500",
    "text for bytes": "update event set text_bytes = '61ff0062' where seq = 8",
    "a number beyond doubles": "update event set number = 9007199254740993 where seq = 500",
  };
  for (const [name, sql] of Object.entries(cases)) {
    assert.equal(broken((database) => database.exec(sql)).kind, "not readable", name);
  }
});

Deno.test("it finds removed rows, at the beginning and in the middle", () => {
  assert.deepEqual(broken((database) => database.exec("delete from event where seq = 500")), {
    kind: "missing",
    seq: 500,
    ...lies,
    atUs: T0 + 498,
  });
  const first = broken((database) => database.exec("delete from event where seq < 3"));
  assert.deepEqual([first.kind, first.seq], ["missing", 1]);
  // And with the numbers closed up.
  const closedUp = broken((database) => {
    database.exec("delete from event where seq = 500; update event set seq = seq - 1 where seq > 500");
  });
  assert.deepEqual([closedUp.kind, closedUp.seq], ["hash differs", 500]);
});

Deno.test("it finds a swapped pair, and an inserted row", () => {
  const swapped = broken((database) => {
    database.exec(`update event set seq = -1 where seq = 600; update event set seq = 600 where seq = 601;
      update event set seq = 601 where seq = -1`);
  });
  assert.deepEqual([swapped.kind, swapped.seq], ["hash differs", 600]);
  const copy = COLUMN_NAMES.slice(1).join();
  const inserted = broken((database) => {
    database.exec(`update event set seq = -seq where seq >= 700; update event set seq = 1 - seq where seq < 0;
      insert into event (seq, ${copy}, hash) select 700, ${copy}, hash from event where seq = 699`);
  });
  assert.deepEqual([inserted.kind, inserted.seq], ["hash differs", 700]);
  for (const seq of ["0", "-3", "9223372036854775807"]) {
    const outside = broken((database) => {
      database.exec(
        `insert into event (seq, ${copy}, hash) select ${seq}, ${copy}, hash from event where seq = 699`,
      );
    });
    assert.equal(outside.kind, "out of place", seq);
  }
});

Deno.test("rows removed at the end are found by an earlier head, or by a consumer that was told of them", () => {
  using place = new EvidenceFolder();
  fill(place);
  const head = formatHead(verifyEvidence(place.file).head);
  const since = parseHead(head);
  assert(since);
  assert.equal(verifyEvidence(place.file, { since }).since, "found");
  forge(place, (database) => database.exec("delete from event where seq > 1200"));
  assert.equal(verifyEvidence(place.file).isIntact, true);
  const result = verifyEvidence(place.file, { since });
  assert.deepEqual([result.isIntact, result.since, result.broken], [false, "end missing", null]);

  using other = new EvidenceFolder();
  fill(other);
  {
    using store = new EvidenceStore(other.file);
    const outbox = new Outbox(store);
    outbox.register("slack", T0);
    outbox.delivered("slack", 1205, T0);
  }
  forge(other, (database) => database.exec("delete from event where seq > 1200"));
  const told = verifyEvidence(other.file).broken;
  assert.deepEqual([told?.kind, told?.seq], ["end missing", 1201]);
});

Deno.test("a tail whose hashes were made anew is convicted by an earlier head alone", () => {
  using place = new EvidenceFolder();
  fill(place);
  const since = parseHead(formatHead(verifyEvidence(place.file).head));
  const before = { seq: 400, hashHex: hashAt(place, 400) };
  assert(since);
  forge(place, (database) => {
    database.exec("update event set text = 'true' where seq = 500");
    rehash(database, 500);
  });
  assert.equal(verifyEvidence(place.file).isIntact, true);
  const result = verifyEvidence(place.file, { since });
  assert.deepEqual([result.isIntact, result.since, result.broken], [false, "rewritten", null]);
  assert.equal(verifyEvidence(place.file, { since: before }).since, "found");
  assert.equal(
    verifyEvidence(place.file, { since: { ...before, hashHex: before.hashHex.toUpperCase() } }).since,
    "found",
  );
});

function hashAt(place: EvidenceFolder, seq: number): string {
  using store = new EvidenceStore(place.file);
  return String(
    store.database.prepare("select lower(hex(hash)) as hash from event where seq = ?").get(seq)?.hash,
  );
}

Deno.test("a break before an earlier head leaves it unreached", () => {
  using place = new EvidenceFolder();
  fill(place);
  const since = { seq: 600, hashHex: hashAt(place, 600) };
  forge(place, (database) => database.exec("update event set uid = 0 where seq = 500"));
  const result = verifyEvidence(place.file, { since });
  assert.deepEqual([result.since, result.broken?.seq], ["not reached", 500]);
});

Deno.test("an anchor that no retention has confirmed is found", () => {
  const found = broken((database) => {
    database.exec(`insert into anchor select 1, seq, hash from event where seq = 300;
      delete from event where seq <= 300`);
  });
  assert.deepEqual([found.kind, found.seq], ["anchor not confirmed", 300]);
});

Deno.test("views, tables and triggers that are not ours are named", () => {
  const altered = (sql: string) => {
    using place = new EvidenceFolder();
    fill(place);
    forge(place, (database) => database.exec(sql));
    const result = verifyEvidence(place.file);
    assert.equal(result.isIntact, false);
    return result.altered;
  };
  const lying = "drop view commands; create view commands as select * from event where uid <> 0";
  assert.deepEqual(altered(lying), ["commands"]);
  assert.deepEqual(altered("drop view sessions"), ["sessions"]);
  const eater = "create trigger eater after insert on event begin delete from event where uid = 0; end";
  assert.deepEqual(altered(eater), ["eater"]);
});

Deno.test("an index of the admin's own alters nothing", () => {
  using place = new EvidenceFolder();
  fill(place);
  forge(place, (database) => database.exec("create index mine on event (uid); analyze"));
  assert.equal(verifyEvidence(place.file).isIntact, true);
});

Deno.test("verifyEvidence() says what cannot be verified at all", () => {
  using place = new EvidenceFolder();
  assert.throws(() => verifyEvidence(place.file), Deno.errors.NotFound);
  fill(place);
  forge(place, (database) => database.exec("pragma user_version = 99"));
  assert.throws(() => verifyEvidence(place.file), { name: "EvidenceError", reason: "newer" });
});

Deno.test("heads are written and read as SEQ:HASH", () => {
  const head = { seq: 17, hash: new Uint8Array(32).fill(0xab) };
  assert.equal(formatHead(head), `17:${"ab".repeat(32)}`);
  assert.deepEqual(parseHead(` 17:${"AB".repeat(32)}\n`), { seq: 17, hashHex: "ab".repeat(32) });
  for (const text of ["", "17", "17:ab", `x:${"ab".repeat(32)}`, `17:${"ab".repeat(33)}`]) {
    assert.equal(parseHead(text), undefined);
  }
});

testThatNeeds(["python3"], "the walk in chain.ts that a stranger is given finds the same", async () => {
  using place = new EvidenceFolder();
  fill(place);
  const source = Deno.readTextFileSync(new URL("../../src/evidence/chain.ts", import.meta.url));
  const lines = /```py\n([\s\S]*?)\n \* ```/.exec(source)?.[1]?.split("\n").map((line) => line.slice(3)) ??
    [];
  assert(lines.length > 5);
  const walk = [
    findProgram("python3") ?? "",
    "-c",
    lines.join("\n").replace("file:evidence.db", `file:${place.file}`),
  ];
  await succeed(walk);
  forge(place, (database) => database.exec("update event set text_bytes = x'61' where seq = 8"));
  await assert.rejects(succeed(walk), /the chain breaks at 8/);
});
