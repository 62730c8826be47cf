import assert from "node:assert/strict";
import fc from "fast-check";
import type { SessionEvent, SpoolRecord } from "../../src/record/event.ts";
import { appendEvent, encodeRecord, readRecords } from "../../src/record/spool.ts";

const encoder = new TextEncoder();

/** What a shell's variable can hold, and does not begin like a record's end. */
const text = fc.string({ unit: "binary", maxLength: 30 }).map((value) => value.replaceAll("\0", ""))
  .filter((value) => !value.startsWith("\x1e\n"));
const textOrNull = fc.oneof(text, fc.constant(null));
/** Bytes without a NUL, rich in those that records are made of. */
const bytes = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 255 }).map((byte) => [byte]) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("\x1e", "\x1eSA1", "\x1e\n", "SA1", "end", "\n").map((
        part,
      ) => [...encoder.encode(part)]),
    },
  ),
  { maxLength: 20 },
).map((parts) => new Uint8Array(parts.flat()));
const count = fc.nat();
const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

const event: fc.Arbitrary<SessionEvent> = fc.oneof<fc.Arbitrary<SessionEvent>[]>(
  fc.record({
    kind: fc.constant("session opened" as const),
    session: text,
    atUs: time,
    user: text,
    uid: count,
    host: text,
    tty: text,
    from: text,
    mode: fc.constantFrom("interactive" as const, "command" as const),
    shell: text,
    ticket: textOrNull,
    leaderPid: count,
    leaderStartTicks: time,
    bootId: text,
  }),
  fc.record({
    kind: fc.constant("ticket switched" as const),
    session: text,
    atUs: time,
    from: textOrNull,
    to: text,
  }),
  fc.record({
    kind: fc.constant("note" as const),
    session: text,
    atUs: time,
    ticket: text,
    text: fc.string({ unit: "binary" }),
  }),
  fc.record({
    kind: fc.constant("status" as const),
    session: text,
    atUs: time,
    ticket: text,
    from: text,
    to: text,
  }),
  fc.record({
    kind: fc.constant("session closed" as const),
    session: text,
    atUs: time,
    how: fc.constantFrom("logout" as const, "hangup" as const, "killed" as const),
  }),
).map((value) => ({ ...value }));

const record: fc.Arbitrary<SpoolRecord> = fc.oneof<fc.Arbitrary<SpoolRecord>[]>(
  fc.record({
    type: fc.constant("shell" as const),
    shell: text,
    pid: count,
    parentPid: count,
    startTicks: time,
    atUs: time,
    tty: text,
    uid: count,
    effectiveUid: count,
    user: text,
    host: text,
    timeZone: text,
    shellLevel: count,
    session: text,
    sshClient: text,
    sshConnection: text,
    sudoUser: text,
    sudoUid: text,
  }),
  fc.record({
    type: fc.constant("start" as const),
    number: count,
    atUs: time,
    shellLevel: count,
    tty: text,
    effectiveUid: count,
    textState: fc.constantFrom("whole" as const, "partial" as const, "missing" as const),
    // The shells give absolute paths.
    directory: bytes.map((path) => join(encoder.encode("/"), path)),
    text: bytes,
  }),
  fc.record({
    type: fc.constant("end" as const),
    number: count,
    atUs: time,
    exitCode: fc.integer(),
    pipeStates: fc.array(fc.nat({ max: 255 }), { maxLength: 4 }),
  }),
  fc.record({ type: fc.constant("exit" as const), atUs: time, exitCode: fc.integer() }),
  fc.record({ type: fc.constant("event" as const), event }),
).map((value) => ({ ...value }));

const records = fc.array(record, { maxLength: 6 });

function join(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

const encoded = (list: SpoolRecord[]) => join(...list.map(encodeRecord));
const contents = (piece: Uint8Array) => readRecords(piece).records.map((placed) => placed.record);

function start(directory: string, command: string, number = 1): SpoolRecord {
  return {
    type: "start",
    number,
    atUs: 1,
    shellLevel: 1,
    tty: "",
    effectiveUid: 0,
    textState: "whole",
    directory: encoder.encode(directory),
    text: encoder.encode(command),
  };
}

Deno.test("readRecords() gives back any records that were written", () => {
  fc.assert(fc.property(records, (list) => {
    const whole = encoded(list);
    const reading = readRecords(whole);
    assert.deepEqual(reading.records.map((placed) => placed.record), list);
    assert.equal(reading.consumed, whole.length);
    assert.equal(reading.damaged, 0);
  }));
});

Deno.test("readRecords() keeps a torn record for later, wherever it is torn", () => {
  fc.assert(fc.property(records, record, fc.nat(), (before, last, cut) => {
    const head = encoded(before);
    const tail = encodeRecord(last);
    const torn = tail.subarray(0, cut % tail.length);
    const early = readRecords(join(head, torn));
    assert.deepEqual(early.records.map((placed) => placed.record), before);
    assert.equal(early.consumed, head.length);
    assert.equal(early.damaged, 0);
    const whole = join(head, tail);
    assert.deepEqual(contents(whole.subarray(early.consumed)), [last]);
  }));
});

Deno.test("readRecords() skips damage to the next record and counts it", () => {
  fc.assert(fc.property(records, bytes, record, records, (before, damage, next, after) => {
    fc.pre(damage.length > 0);
    const reading = readRecords(join(encoded(before), damage, encodeRecord(next), encoded(after)));
    assert.deepEqual(reading.records.map((placed) => placed.record), [...before, next, ...after]);
    assert.equal(reading.damaged, 1);
  }));
});

Deno.test("readRecords() finds the record that follows a torn one", () => {
  fc.assert(fc.property(record, fc.nat(), record, (torn, cut, next) => {
    const bytes = encodeRecord(torn);
    // Torn within its last field but one or before: a shell's record whose last fields are cut may take the next
    // record's fields for its own.
    fc.pre(torn.type !== "shell");
    const piece = bytes.subarray(0, 1 + cut % (bytes.length - 1));
    const reading = readRecords(join(piece, encodeRecord(next)));
    assert.deepEqual(reading.records.map((placed) => placed.record), [next]);
    assert.equal(reading.damaged, 1);
  }));
});

Deno.test("readRecords() gives the same for a file read in pieces as for the whole of it", () => {
  const part = fc.oneof(
    { weight: 4, arbitrary: record.map(encodeRecord) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
    { weight: 1, arbitrary: bytes },
    {
      weight: 1,
      arbitrary: fc.tuple(record, fc.nat()).map(([one, cut]) => {
        const whole = encodeRecord(one);
        return whole.subarray(0, cut % whole.length);
      }),
    },
  );
  fc.assert(fc.property(fc.array(part, { maxLength: 8 }), fc.integer({ min: 1, max: 200 }), (parts, step) => {
    const file = join(...parts);
    const whole = readRecords(file);
    const found: SpoolRecord[] = [];
    let position = 0;
    let damaged = 0;
    for (let end = 0; end < file.length;) {
      end = Math.min(file.length, end + step);
      const reading = readRecords(file.subarray(position, end));
      found.push(...reading.records.map((placed) => placed.record));
      position += reading.consumed;
      damaged += reading.damaged;
    }
    assert.deepEqual(found, whole.records.map((placed) => placed.record));
    assert.equal(position, whole.consumed);
    assert.equal(damaged, whole.damaged);
  }));
});

Deno.test("readRecords() throws for no bytes at all", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
    readRecords(join(noise, encoder.encode("\x1eSA1\0start\0"), noise));
  }));
});

Deno.test("a folder that is named like a record's beginning hides no command", () => {
  for (const command of ["exit", "end", "ls", "event", "shell", "start", "\x1eSA1", "x\x1eSA1"]) {
    const list = [start("/tmp/\x1eSA1", command), start("/", "ls", 2)];
    assert.deepEqual(contents(encoded(list)), list);
  }
});

Deno.test("a time may have the point or comma of bash's EPOCHREALTIME", () => {
  const at = (time: string) => contents(encoder.encode(`\x1eSA1\0exit\0${time}\0${0}\0\x1e\n`));
  const exit = { type: "exit", atUs: 1795343616000680, exitCode: 0 };
  for (const time of ["1795343616000680", "1795343616.000680", "1795343616,000680"]) {
    assert.deepEqual(at(time), [exit]);
  }
  for (
    const time of [
      "",
      ".",
      "1.",
      "1.00068",
      "1.0006800",
      "1.000.80",
      "-1",
      "1e6",
      "99999999999999999999",
      "9007199255.000000",
    ]
  ) {
    assert.deepEqual(at(time), [], time);
  }
});

Deno.test("a text that bash's `history 1` printed is the command alone", () => {
  const printed = (text: string) => {
    const [record] = contents(
      encoder.encode(`\x1eSA1\0start\x001\x001\x001\0\x000\0history\0/\0${text}\0\x1e\n`),
    );
    return record?.type === "start" ? [record.textState, new TextDecoder().decode(record.text)] : record;
  };
  assert.deepEqual(printed("    7  ls -l\n"), ["whole", "ls -l"]);
  assert.deepEqual(printed("12345* echo 'a\n  b'\n"), ["whole", "echo 'a\n  b'"]);
  assert.deepEqual(printed("123456    spaces\n"), ["whole", "  spaces"]);
});

Deno.test("a text with NULs, as zsh can have it, is read whole", () => {
  const list = [start("/", "a\0b\0\0c\x1e"), start("/", "\0", 2), start("/", "echo \x1eSA1\0end\0x", 3)];
  assert.deepEqual(contents(encoded(list)), list);
});

Deno.test("a torn text does not swallow the record behind it", () => {
  const torn = encodeRecord(start("/home", "echo half"));
  const next = start("/", "ls", 2);
  for (let length = 1; length < torn.length; length++) {
    const reading = readRecords(join(torn.subarray(0, length), encodeRecord(next)));
    assert.deepEqual(reading.records.map((placed) => placed.record), [next]);
    assert.equal(reading.damaged, 1);
  }
});

Deno.test("encodeRecord() refuses what could not be read back", () => {
  assert.throws(() => encodeRecord(start("/a\0b", "ls")), RangeError);
  assert.throws(() => encodeRecord(start("/", "a\0\x1e\nb")), RangeError);
  assert.throws(() => encodeRecord(start("\x1e\n", "ls")), RangeError);
});

Deno.test("an event that lacks what its kind must have is damage", () => {
  const good = encodeRecord({ type: "exit", atUs: 1, exitCode: 0 });
  for (
    const json of [
      "",
      "null",
      "[]",
      '{"kind":"note","session":"s","atUs":1}',
      '{"kind":"note","session":"s","atUs":1e300,"ticket":"1","text":"x"}',
      '{"kind":"session closed","session":"s","atUs":1,"how":"vanished"}',
      '{"kind":"ticket switched","session":"s","atUs":1,"from":7,"to":"1"}',
      '{"kind":"__proto__","session":"s","atUs":1}',
    ]
  ) {
    const reading = readRecords(join(encoder.encode(`\x1eSA1\0event\0${json}\0\x1e\n`), good));
    assert.equal(reading.records.length, 1, json);
    assert.equal(reading.damaged, 1, json);
  }
});

Deno.test("appendEvent() adds to the file and keeps it for its owner alone", () => {
  const file = Deno.makeTempFileSync();
  Deno.removeSync(file);
  try {
    const note: SessionEvent = { kind: "note", session: "s", atUs: 1, ticket: "1", text: "line\nline \0 ☃" };
    appendEvent(file, note);
    appendEvent(file, { ...note, atUs: 2 });
    assert.deepEqual(
      contents(Deno.readFileSync(file)),
      [note, { ...note, atUs: 2 }].map((event) => ({ type: "event", event })),
    );
    assert.equal((Deno.statSync(file).mode ?? 0) & 0o777, 0o600);
  } finally {
    Deno.removeSync(file);
  }
});

Deno.test("a million beginnings without an end are read in no more than a moment", () => {
  // Ten seconds and more if each beginning were looked at anew for its end.
  const beginning = "\x1eSA1\0start\x001\x001\x001\0\x001\0whole\0/\0";
  const bytes = encoder.encode(beginning.repeat(200_000));
  assert.deepEqual(readRecords(bytes), { records: [], consumed: 0, damaged: 0, torn: 0 });
  const ended = join(bytes, encodeRecord({ type: "exit", atUs: 1, exitCode: 0 }));
  assert.equal(readRecords(ended).records.length, 1);
});
