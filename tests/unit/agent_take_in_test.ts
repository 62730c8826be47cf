import assert from "node:assert/strict";
import fc from "fast-check";
import { EvidenceError } from "../../src/evidence/evidence_error.ts";
import { processOf } from "../../src/posix/process.ts";
import type { SpoolRecord } from "../../src/record/event.ts";
import { newSessionId } from "../../src/record/session_id.ts";
import { alive, command, end, exit, opened, shell, start, T0 } from "../support/spool_files.ts";
import { testThatNeeds } from "../support/needs.ts";
import { bytesOf, say, shellFile, SpoolsAndEvidence, type TakenCommand } from "../support/taking_in.ts";

const s = (seconds: number) => T0 + seconds * 1_000_000;
/** A process that lives as long as it is let. */
class Leader implements AsyncDisposable {
  readonly #child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  readonly pid = this.#child.pid;
  readonly startTicks = processOf(this.pid)?.startTicks ?? 0;
  readonly process = { pid: this.pid, startTicks: this.startTicks };

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.end();
    } catch {
      // It is gone already.
    }
  }
}

const texts = (commands: TakenCommand[]) => commands.map(({ text, ticket }) => `${ticket}: ${text}`);

Deno.test("a session, its shell and its commands become evidence, with their tickets", () => {
  using at = new SpoolsAndEvidence();
  const session = newSessionId();
  at.add(`${session}.session`, say(opened({ session, ticket: "A-1" })));
  at.add(shellFile(session), shell({ session }), ...command(1, "one"), ...command(3, "three"));
  at.add(
    `${session}.session`,
    say({ kind: "ticket switched", session, atUs: s(2), from: "A-1", to: "B-2" }),
  );
  at.run();
  assert.deepEqual(at.kinds(), [
    "session opened",
    "ticket switched",
    "shell started",
    "command",
    "command",
    "shell ended",
    // Number 2 is missing.
    "agent",
  ]);
  assert.deepEqual(texts(at.commands()), ["A-1: one", "B-2: three"]);
  assert.deepEqual(at.data("session opened")[0]?.source, "agent");
  assert.equal(at.data("shell started")[0]?.knownBy, "leader");
  assert.deepEqual(at.ask("select count(*) as n from event where session = 1")[0]?.n, 7);
});

Deno.test("a command that runs is in evidence at once, and its end when it comes", () => {
  using at = new SpoolsAndEvidence();
  const name = shellFile(null, alive());
  at.add(name, shell(alive()), start(1, "sleep 9"));
  at.run();
  assert.deepEqual(at.kinds(), ["shell started", "command"]);
  at.add(name, end(1, { exitCode: 7, pipeStates: [7] }), ...command(2));
  at.run();
  assert.deepEqual(at.kinds(), ["shell started", "command", "command ended", "command"]);
  assert.deepEqual(at.commands().map(({ exitCode, isOver }) => [exitCode, isOver]), [[7, true], [0, true]]);
});

Deno.test("a shell that is gone without a word has ended, and so has its command, and nobody saw how", () => {
  using at = new SpoolsAndEvidence();
  at.add(shellFile(null), shell(), start(1, "kill -9 $$"));
  at.run();
  assert.deepEqual(at.kinds(), ["shell started", "command", "command ended", "shell ended"]);
  assert.equal(at.data("shell ended")[0]?.exitCode, null);
  assert.equal(at.takeIn.spools.size, 0);
  assert.deepEqual(at.tampers(), []);
});

Deno.test("a shell that execs another one is two shells in one file", () => {
  using at = new SpoolsAndEvidence();
  at.add(
    shellFile(null),
    shell(),
    ...command(1, "ls"),
    start(2, "exec zsh"),
    shell({ shell: "zsh 5.9", atUs: s(3) }),
    start(1, "pwd", { atUs: s(4) }),
    end(1, { atUs: s(4) }),
    exit(0),
  );
  at.run();
  assert.deepEqual(at.kinds(), [
    "shell started",
    "command",
    "command",
    "command ended",
    "shell ended",
    "shell started",
    "command",
    "shell ended",
  ]);
  assert.deepEqual(at.commands().map(({ number, isOver }) => [number, isOver]), [
    [1, true],
    [2, true],
    [1, true],
  ]);
  assert.deepEqual(at.tampers(), []);
});

Deno.test("a torn record waits for its rest", () => {
  using at = new SpoolsAndEvidence();
  const name = shellFile(null, alive());
  const bytes = bytesOf(command(1, "whole"));
  at.add(name, shell(alive()), bytes.subarray(0, 30));
  at.run();
  assert.deepEqual(at.commands(), []);
  at.add(name, bytes.subarray(30));
  at.run();
  assert.deepEqual(at.commands().map(({ text }) => text), ["whole"]);
  assert.deepEqual(at.tampers(), []);
});

Deno.test("a record that is longer than a piece is taken in whole", () => {
  using at = new SpoolsAndEvidence();
  const text = "x".repeat(3 * 1024 * 1024);
  at.add(shellFile(null), shell(), ...command(1, "before"), ...command(2, text), ...command(3, "after"));
  at.run();
  assert.deepEqual(at.commands().map((one) => one.text.length), [6, text.length, 5]);
  assert.deepEqual(at.tampers(), []);
});

Deno.test("the agent closes a session whose leader is gone, as the shell's last word says, once", () => {
  for (const [code, how] of [[3, "logout"], [129, "hangup"], [undefined, "killed"]] as const) {
    using at = new SpoolsAndEvidence();
    const session = newSessionId();
    at.add(`${session}.session`, say(opened({ session })));
    at.add(
      shellFile(session),
      shell({ session }),
      ...command(1),
      ...(code === undefined ? [] : [exit(code)]),
    );
    at.settle();
    at.restart();
    at.settle();
    const closed = at.data("session closed");
    assert.deepEqual(closed.map(({ how, exitCode, source }) => [how, exitCode, source]), [[
      how,
      code,
      "agent",
    ]]);
    assert.deepEqual(at.said.map(({ kind }) => kind), ["session closed"]);
    assert.equal(at.takeIn.spools.size, 0);
    assert.deepEqual(at.tampers(), []);
  }
});

Deno.test("a session is not closed before its leader's last word is read, though nothing was known of its file", () => {
  using at = new SpoolsAndEvidence();
  const session = newSessionId();
  at.add(`${session}.session`, say(opened({ session })));
  at.run();
  at.restart();
  at.add(shellFile(session), shell({ session }), ...command(1), exit(3));
  at.settle();
  assert.deepEqual(at.data("session closed").map(({ how, exitCode }) => [how, exitCode]), [["logout", 3]]);
});

Deno.test("a switch that was written before a command is known before it, noticed or not", () => {
  using at = new SpoolsAndEvidence();
  const session = newSessionId();
  const name = shellFile(session, alive());
  at.add(`${session}.session`, say(opened({ session, ticket: "A-1" })));
  at.add(name, shell({ session, ...alive() }), ...command(1));
  at.run();
  at.add(
    `${session}.session`,
    say({ kind: "ticket switched", session, atUs: s(2), from: "A-1", to: "B-2" }),
  );
  at.add(name, ...command(2));
  at.run([{ folder: at.host, name }]);
  assert.deepEqual(texts(at.commands()), ["A-1: echo 1", "B-2: echo 2"]);
});

Deno.test("a session that somebody closed is not closed again", () => {
  using at = new SpoolsAndEvidence();
  const session = newSessionId();
  at.add(`${session}.session`, say(opened({ session })));
  at.add(shellFile(session), shell({ session }), exit(0));
  at.add(
    `${session}.session`,
    say({ kind: "session closed", session, atUs: s(9), how: "logout", exitCode: 0 }),
  );
  at.settle();
  assert.equal(at.data("session closed").length, 1);
  assert.equal(at.takeIn.spools.size, 0);
});

Deno.test("a session that began without the agent is taken in late, and the record says so", () => {
  using at = new SpoolsAndEvidence();
  const session = newSessionId();
  at.addOwn(`${session}.session`, say(opened({ session, uid: at.uid, ticket: "A-1" })));
  at.addOwn("999999999-1.shell", shell({ session, uid: at.uid }), ...command(1), exit(0));
  at.settle();
  const [opening] = at.data("session opened");
  assert.deepEqual([opening?.late, opening?.source], [true, "user"]);
  assert.equal(at.data("agent")[0]?.what, "late");
  assert.deepEqual(at.data("session closed").map(({ how, source }) => [how, source]), [["logout", "agent"]]);
  assert.deepEqual(texts(at.commands()), ["A-1: echo 1"]);
  assert.equal(at.data("shell started")[0]?.knownBy, "leader");
  assert.deepEqual(at.tampers(), []);
  assert.equal(at.takeIn.spools.size, 0);
});

Deno.test("what was said of the agent's session while there was no agent is that user's word, and the agent is told", () => {
  using at = new SpoolsAndEvidence();
  const session = newSessionId();
  at.add(`${session}.session`, say(opened({ session, uid: at.uid, ticket: "A-1" })));
  at.addOwn(
    `${session}.own.session`,
    say({ kind: "ticket switched", session, atUs: s(2), from: "A-1", to: "B-2" }),
  );
  at.run();
  assert.deepEqual(at.data("ticket switched").map(({ source }) => source), ["user"]);
  assert.deepEqual(at.said.map(({ kind }) => kind), ["ticket switched"]);
});

Deno.test("nobody speaks for another user's session, nor opens one again", () => {
  using at = new SpoolsAndEvidence();
  const [hers, his] = [newSessionId(), newSessionId()];
  at.add(`${hers}.session`, say(opened({ session: hers, uid: at.uid + 1 })));
  at.addOwn(`${hers}.own.session`, say({ kind: "note", session: hers, atUs: s(2), ticket: "1", text: "x" }));
  at.addOwn(`${hers}.session`, say(opened({ session: hers, uid: at.uid })));
  at.addOwn(`${his}.session`, say(opened({ session: his, uid: at.uid + 1 })));
  at.run();
  assert.equal(at.data("session opened").length, 1);
  assert.equal(at.data("note").length, 0);
  assert.deepEqual(at.tampers().map(({ what, why }) => [what, Object.keys(why)[0]]).sort(), [
    ["foreign", "a second opening of a session"],
    ["foreign", "another user's session"],
    ["foreign", "another user's session"],
  ]);
});

Deno.test("a file that is shorter than it was, or another one, is tampered with, and is read anew", () => {
  using at = new SpoolsAndEvidence();
  const name = "999999998-1.shell";
  at.addOwn(name, shell(alive()), ...command(1), start(2, "two"));
  at.run();
  Deno.truncateSync(`${at.own.path}/${name}`, 10);
  at.run();
  assert.deepEqual(at.tampers().map(({ what }) => what), ["shrank"]);
  at.run();
  assert.equal(at.tampers().length, 1);
  Deno.removeSync(`${at.own.path}/${name}`);
  at.addOwn(name, shell(alive()), ...command(1, "again"), ...command(2, "and again"), ...command(3, "new"));
  at.settle();
  assert.deepEqual(at.commands().at(-1)?.text, "new");
  assert.equal(at.commands().length, 5);
});

Deno.test("a file that vanishes before its time is noticed once; when it comes back it is read on", () => {
  using at = new SpoolsAndEvidence();
  const [name, away] = ["999999998-1.shell", `${at.root}/away`];
  at.addOwn(name, shell(alive()), ...command(1));
  at.run();
  Deno.renameSync(`${at.own.path}/${name}`, away);
  at.run();
  at.restart();
  at.settle();
  assert.deepEqual(at.tampers().map(({ what }) => what), ["vanished"]);
  Deno.renameSync(away, `${at.own.path}/${name}`);
  at.addOwn(name, ...command(2));
  at.settle();
  assert.deepEqual(at.commands().map(({ number }) => number), [1, 2]);
  assert.equal(at.tampers().length, 1);
});

testThatNeeds(["root"], "a file that its owner has made unreadable, and writes to, is noticed once", () => {
  using at = new SpoolsAndEvidence(30_001);
  const name = "999999998-1.shell";
  for (const mode of [0o200, 0o600]) {
    at.addOwn(name, ...(mode === 0o200 ? [shell({ ...alive(), uid: at.uid })] : command(1)));
    Deno.chmodSync(`${at.own.path}/${name}`, mode);
    at.settle();
    at.restart();
    at.settle();
    assert.deepEqual(at.tampers().map(({ why }) => why), [{ "it cannot be read": 1 }]);
  }
  assert.deepEqual(at.commands().map(({ text }) => text), ["echo 1"]);
});

testThatNeeds(["root"], "what lies in a user's own folder and is no file of hers is passed by", () => {
  using at = new SpoolsAndEvidence(30_001);
  const path = `${at.own.path}/999999998-1.shell`;
  Deno.writeFileSync(`${at.root}/secret`, bytesOf([shell(), ...command(1)]), { mode: 0o600 });
  new Deno.Command("mkfifo", { args: [`${at.own.path}/1-1.shell`] }).outputSync();
  Deno.linkSync(`${at.root}/secret`, `${at.own.path}/2-1.shell`);
  Deno.symlinkSync(`${at.root}/secret`, path);
  at.settle();
  assert.deepEqual(at.kinds(), []);
});

Deno.test("what no hook writes is foreign: each kind is on record, with how often it was seen", () => {
  const cases: [SpoolRecord | Uint8Array, string][] = [
    [bytesOf([new TextEncoder().encode("rm -rf /\n"), ...command(2)]), "bytes that are no record"],
    [start(1, "one again"), "a command's number out of turn"],
    [end(1), "an end without its start"],
    [shell({ pid: 4711, atUs: s(2) }), "another process's shell"],
    [say(opened()), "a session's event"],
  ];
  for (const [odd, why] of cases) {
    using at = new SpoolsAndEvidence();
    at.add(shellFile(null, alive()), shell(alive()), ...command(1), odd);
    at.run();
    assert.deepEqual(at.tampers().map((one) => [one.what, one.why]), [["foreign", { [why]: 1 }]]);
  }
  using at = new SpoolsAndEvidence();
  at.add(shellFile(null), ...command(1));
  at.run();
  assert.deepEqual(at.tampers()[0]?.why, { "commands without their shell": 1 });
  assert.equal(at.commands().length, 1);
});

Deno.test("no terminal's name and no pipeline is so long that it fills others' memory, or sinks' batches", () => {
  const started = { ...start(2, "rm -rf /"), tty: "x".repeat(50_000) } as SpoolRecord;
  const ended = { ...end(2), pipeStates: Array.from({ length: 20_000 }, () => 1) } as SpoolRecord;
  const cases: [SpoolRecord[], string][] = [
    [[started, end(2)], "a terminal's name longer than any"],
    [[start(2, "rm -rf /"), ended], "a pipeline of more parts than any"],
  ];
  for (const [records, why] of cases) {
    using at = new SpoolsAndEvidence();
    at.add(shellFile(null, alive()), shell(alive()), ...command(1), ...records);
    at.run();
    assert.deepEqual(at.tampers().map((one) => one.why), [{ [why]: 1 }]);
    assert.deepEqual(at.commands().map(({ exitCode }) => exitCode), [0, 0]);
    const [row] = at.ask(
      "select max(coalesce(length(tty), 0) + coalesce(length(pipe_states), 0)) as size from event",
    );
    assert.ok(Number(row?.size) < 5000, `${row?.size}`);
  }
});

Deno.test("what is missing, as where the disk was full, is on record as that, and accuses nobody", () => {
  const cases: [(SpoolRecord | Uint8Array)[], Record<string, number>][] = [
    [[start(5, "five")], { "commands that are not on record": 3 }],
    [[end(2)], { "an end without its start": 1 }],
    [[bytesOf([start(2, "two")]).subarray(0, 30), ...command(3)], {
      "a record that was not written to its end": 1,
      "commands that are not on record": 1,
    }],
  ];
  for (const [rest, why] of cases) {
    using at = new SpoolsAndEvidence();
    at.add(shellFile(null, alive()), shell(alive()), ...command(1), ...rest);
    at.run();
    assert.deepEqual(at.tampers(), []);
    assert.deepEqual(at.gaps().map((gap) => gap.why), [why]);
  }
});

Deno.test("a clock that runs backwards, or ahead, is noticed", () => {
  using at = new SpoolsAndEvidence();
  const far = Date.now() * 1000 + 3_600_000_000;
  at.add(shellFile(null), shell(), start(1, "a", { atUs: s(5) }), end(1, { atUs: s(3) }));
  at.add(shellFile(null), start(2, "b", { atUs: far }), end(2, { atUs: far }));
  at.run();
  assert.deepEqual(at.tampers().map(({ what, why }) => [what, why]), [["clock", { backwards: 1, ahead: 2 }]]);
});

Deno.test("who writes garbage fills the evidence no faster than who works", () => {
  using at = new SpoolsAndEvidence();
  const name = shellFile(null, alive());
  at.add(name, shell(alive()));
  for (let i = 0; i < 50; i++) {
    at.add(name, new TextEncoder().encode("garbage"), ...command(i + 1));
    at.run();
  }
  assert.equal(at.tampers().length, 1);
});

Deno.test("bytes without an end are read no more often than they are worth, and given up at last", () => {
  using at = new SpoolsAndEvidence();
  const name = shellFile(null, alive());
  at.add(name, shell(alive()), new Uint8Array(20 * 1024 * 1024).fill(65));
  at.run();
  at.add(name, ...command(1));
  at.settle();
  assert.deepEqual(at.commands().map(({ number }) => number), [1]);
  assert.equal(at.tampers()[0]?.what, "foreign");
});

Deno.test("where evidence cannot be written nothing is lost, and nothing is half done", () => {
  using at = new SpoolsAndEvidence();
  const session = newSessionId();
  at.add(`${session}.session`, say(opened({ session, ticket: "A-1" })));
  at.add(shellFile(session), shell({ session }), ...command(1), exit(0));
  at.store.fails = true;
  for (let i = 0; i < 3; i++) assert.throws(() => at.run(), (error) => error instanceof EvidenceError);
  assert.deepEqual(at.kinds(), []);
  at.store.fails = false;
  at.run([]);
  assert.deepEqual(texts(at.commands()), ["A-1: echo 1"]);
  at.settle();
  assert.equal(at.kinds().length, 5);
});

testThatNeeds(["root"], "no user's flood keeps another one waiting", () => {
  using at = new SpoolsAndEvidence(30_001);
  const flood = [...Array(4000).keys()].flatMap((i) => command(i + 1, "flood ".repeat(50)));
  for (let i = 0; i < 8; i++) at.addOwn(`99999999${i}-1.shell`, shell(), ...flood);
  at.add(shellFile(null), shell(), ...command(1, "mine"));
  at.takeIn.run([{ folder: at.own }]);
  at.takeIn.run([{ folder: at.host }]);
  assert.ok(at.commands().some(({ text }) => text === "mine"));
});

Deno.test("however appends fall into runs, whatever is undone and whenever the agent dies, all is in evidence once", async () => {
  const step = fc.record({
    length: fc.integer({ min: 1, max: 900 }),
    file: fc.nat({ max: 2 }),
    then: fc.constantFrom("nothing", "run", "run", "fail", "restart", "sweep"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 12 }),
      async (steps, count) => {
        using at = new SpoolsAndEvidence();
        await using leader = new Leader();
        const leads = { leaderPid: leader.pid, leaderStartTicks: leader.startTicks };
        const session = newSessionId();
        const numbers = [...Array(count).keys()].map((i) => i + 1);
        const other = { pid: alive().pid, startTicks: alive().startTicks };
        const files = [
          {
            name: `${session}.session`,
            bytes: bytesOf([
              say(opened({ session, ticket: "A-1", ...leads })),
              say({
                kind: "ticket switched",
                session,
                atUs: s(3),
                from: "A-1",
                to: "B-2",
              }),
            ]),
            done: 0,
          },
          {
            name: shellFile(session, leader),
            bytes: bytesOf([
              shell({ session, ...leader.process }),
              ...numbers.flatMap((number) => command(number)),
              exit(5),
            ]),
            done: 0,
          },
          {
            name: shellFile(session, other, 2),
            bytes: bytesOf([shell({ session, ...other }), ...numbers.map((number) => start(number, "open"))]),
            done: 0,
          },
        ];
        // A command that was started after the switch is written after it.
        const untilSwitch =
          bytesOf([shell({ session, ...leader.process }), ...command(1), ...command(2)]).length;
        const write = (file: typeof files[number], length: number) => {
          const [first] = files;
          if (first && file !== first && file.done + length > untilSwitch) write(first, Infinity);
          at.add(file.name, file.bytes.subarray(file.done, file.done + length));
          file.done = Math.min(file.bytes.length, file.done + length);
        };
        // The opening is there before the shells are.
        const [first] = files;
        if (first) write(first, bytesOf([say(opened({ session, ticket: "A-1", ...leads }))]).length);
        for (const { length, file, then } of steps) {
          const chosen = files[file];
          if (chosen) write(chosen, length);
          if (then === "run") at.run();
          if (then === "sweep") at.takeIn.sweep();
          if (then === "restart") at.restart();
          at.store.fails = then === "fail";
          try {
            if (then === "fail") at.run();
          } catch (error) {
            assert.ok(error instanceof EvidenceError);
          }
          at.store.fails = false;
        }
        for (const file of files) write(file, Infinity);
        await leader.end();
        at.settle();
        const commands = at.commands();
        const closed = commands.filter(({ text }) => text !== "open");
        const open = commands.filter(({ text }) => text === "open");
        assert.deepEqual(
          closed.map(({ number, exitCode }) => [number, exitCode]),
          numbers.map((one) => [one, 0]),
        );
        assert.deepEqual(
          open.map(({ number, isOver }) => [number, isOver]),
          numbers.map((one) => [one, one < count]),
        );
        assert.deepEqual(closed.map(({ ticket }) => ticket), numbers.map((one) => one < 3 ? "A-1" : "B-2"));
        const counts = Object.groupBy(at.kinds(), (kind) => kind);
        for (const kind of ["session opened", "ticket switched", "session closed", "shell ended"]) {
          assert.equal(counts[kind]?.length, 1, kind);
        }
        assert.equal(counts["shell started"]?.length, 2);
        assert.equal(counts.tamper, undefined);
      },
    ),
    { numRuns: 25 },
  );
});
