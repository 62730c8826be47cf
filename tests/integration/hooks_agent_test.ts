/** The hooks on a host with an agent: where they write, and that nothing of it holds a shell up. */

import assert from "node:assert/strict";
import { effectiveUid } from "../../src/posix/libc.ts";
import { testThatNeeds } from "../support/needs.ts";
import { until } from "../support/sshd.ts";
import {
  type MakeFile,
  makeShellFile,
  nameFor,
  NOBODY,
  READY,
  SpoolHost,
  textsOf,
} from "../support/spool_host.ts";

const SHELLS = ["bash", "zsh", "fish"];
const ME = effectiveUid();

for (const shell of SHELLS) {
  for (const uid of [0, NOBODY]) {
    const needs = ["root", "chattr", ...(uid === 0 ? [] : ["setpriv"]), shell];
    testThatNeeds(
      needs,
      `${shell}, as ${uid === 0 ? "root" : "nobody"}: writes to the agent's append-only file alone`,
      async () => {
        await using host = new SpoolHost(uid);
        {
          await using terminal = await host.shell(shell);
          await terminal.send("echo on re''cord\r");
          await terminal.expect(/on record[^]*READY> /);
          await terminal.send(`cat /dev/null >${host.hostSpool}/*\r`);
          await terminal.expect(READY);
          await terminal.send("exit 3\r");
          assert.equal(await terminal.close(), 3);
          assert.doesNotMatch(terminal.transcript(), /NOT being recorded/);
        }
        const [[name, records] = [], ...more] = host.records("host");
        assert.equal(more.length, 0);
        assert.equal(records?.[0]?.type, "shell");
        assert.equal(textsOf(records)[0], "echo on re''cord");
        assert.deepEqual(records?.at(-1)?.type, "exit");
        assert.deepEqual([host.records("own").size, host.asked.length], [0, 1]);
        const [, pid, us] = /\.([0-9]+)-[0-9]+-([0-9]+)\./.exec(name ?? "") ?? [];
        assert.equal(
          Deno.readLinkSync(`${host.home}/.ash/spool/${pid}-${us}.shell`),
          `${host.hostSpool}/${name}`,
        );
        const scratch = [...Deno.readDirSync(`${host.home}/.ash/spool`)].map((entry) => entry.name);
        assert.deepEqual(scratch, [`${pid}-${us}.shell`]);
      },
    );
  }

  testThatNeeds(
    [shell],
    `${shell}: takes the file that hello has brought along, and asks nobody`,
    async () => {
      await using host = new SpoolHost(ME);
      const file = await leaderFile(host, shell, async (type) => {
        await type("echo one");
        // It becomes another shell, and goes on in the same file.
        await type(`exec ${host.line(shell)}`);
        await type("echo two");
      });
      assert.equal(host.asked.length, 0);
      const records = host.records("host").get(file) ?? [];
      assert.deepEqual(records.filter(({ type }) => type === "shell").length, 2);
      assert.deepEqual(
        textsOf(records).filter((text) => text !== "exit"),
        ["echo one", `exec ${host.line(shell)}`, "echo two"],
      );
      assert.equal(host.records("own").size, 0);
    },
  );

  testThatNeeds(
    [shell],
    `${shell}: takes no file that a variable, or a program in attach's place, names elsewhere`,
    async () => {
      await using host = new SpoolHost(ME);
      const forged = `${host.home}/stray.$$-\${stat[19]}-1.shell`;
      const before = [
        "read -r stat </proc/$$/stat; stat=(${stat##*) }); export SRVAUDIT_LEADER_PID=$$",
        `export SRVAUDIT_SPOOL_FILE=${forged}; : >$SRVAUDIT_SPOOL_FILE`,
        `export SRVAUDIT_BIN=${host.home}; printf '#!/bin/sh\\necho "$SRVAUDIT_SPOOL_FILE"\\n' >$SRVAUDIT_BIN/srvaudit`,
        `chmod 755 $SRVAUDIT_BIN/srvaudit; ln -s ${host.program}/shell $SRVAUDIT_BIN/shell`,
      ].join("\n");
      await using terminal = await host.shell(shell, before);
      await terminal.send("echo one\r");
      await terminal.expect(READY);
      await terminal.send("exit\r");
      await terminal.close();
      const [forgery] = [...Deno.readDirSync(host.home)].filter(({ name }) => name.startsWith("stray."));
      assert.equal(Deno.readTextFileSync(`${host.home}/${forgery?.name}`), "");
      const records = [...host.records("own").values(), ...host.records("host").values()];
      assert.ok(records.flatMap((all) => textsOf(all)).includes("echo one"));
    },
  );

  for (const inner of SHELLS) {
    testThatNeeds(
      [shell, inner],
      `${inner} within ${shell}: has a file of its own from the agent`,
      async () => {
        await using host = new SpoolHost(ME);
        const file = await leaderFile(host, shell, async (type) => {
          await type(host.line(inner));
          await type("echo inner");
          await type("exit");
          await type("echo outer");
        });
        assert.equal(host.asked.length, 1);
        const files = host.records("host");
        const texts = (name: string) => textsOf(files.get(name)).filter((text) => text !== "exit");
        assert.deepEqual(texts(file), [host.line(inner), "echo outer"]);
        const others = [...files.keys()].filter((name) => name !== file);
        assert.deepEqual(others.map(texts), [["echo inner"]]);
        assert.equal(host.records("own").size, 0);
      },
    );
  }

  /** What is no file for this shell, whoever says so. */
  const LIES: Record<string, MakeFile> = {
    "another process's file": (host, pid) => makeShellFile(host, pid, Deno.pid),
    "a link": (host, pid) => {
      const link = `${host.hostSpool}/${nameFor(pid)}`;
      Deno.symlinkSync(`${host.root}/target`, link);
      Deno.writeTextFileSync(`${host.root}/target`, "");
      return link;
    },
    "a folder": (host, pid) => {
      const folder = `${host.hostSpool}/${nameFor(pid)}`;
      Deno.mkdirSync(folder);
      return folder;
    },
    "a file that is not there": (host, pid) => `${host.hostSpool}/${nameFor(pid)}`,
    "no path": () => "--help",
  };
  for (const [lie, makeFile] of Object.entries(LIES)) {
    testThatNeeds([shell], `${shell}: does not take ${lie} for its own`, async () => {
      await using host = new SpoolHost(ME, makeFile);
      await typeOne(host, shell);
      assert.deepEqual([...host.records("own").values()].map((one) => textsOf(one)[0]), ["echo one"]);
    });
  }

  testThatNeeds(
    [shell],
    `${shell}: starts, and records in the home, where the agent never answers`,
    async () => {
      await using host = new SpoolHost(ME, () => undefined);
      await typeOne(host, shell);
      assert.equal(host.asked.length, 1);
      assert.deepEqual([...host.records("own").values()].map((one) => textsOf(one)[0]), ["echo one"]);
    },
  );

  testThatNeeds(
    [shell],
    `${shell}: waits but once for an agent that never answers, even where the home cannot be written`,
    async () => {
      await using host = new SpoolHost(ME, () => undefined);
      Deno.writeTextFileSync(`${host.home}/.ash`, "");
      await typeOne(host, shell);
      assert.equal(host.asked.length, 1);
    },
  );

  testThatNeeds(
    [shell],
    `${shell}: a Ctrl-C while the agent is waited for takes no recording away`,
    async () => {
      await using host = new SpoolHost(ME, () => undefined);
      await using terminal = await host.shell("bash");
      await terminal.send(`${host.line(shell)}\r`);
      await until("a second question", () => Promise.resolve(host.asked.length === 2));
      await terminal.send("\x03");
      await terminal.send("echo sa''id\r");
      await terminal.expect(/said/);
      await terminal.send("exit\r");
      await terminal.expect(READY);
      const texts = [...host.records("own").values()].flatMap((records) => textsOf(records));
      assert.ok(texts.includes("echo sa''id"), texts.join("\n"));
      assert.equal(host.asked.length, 2);
    },
  );
}

/** Types one command, and ends the shell. */
async function typeOne(host: SpoolHost, shell: string): Promise<void> {
  await using terminal = await host.shell(shell);
  await terminal.send("echo one\r");
  await terminal.expect(READY);
  await terminal.send("exit\r");
  await terminal.close();
}

/**
 * Starts a shell as hello does, whose file is there before it, and ends it again.
 *
 * @returns the file's name
 */
async function leaderFile(
  host: SpoolHost,
  shell: string,
  work: (type: (line: string) => Promise<void>) => Promise<void>,
): Promise<string> {
  const before = [
    "read -r stat </proc/$$/stat; stat=(${stat##*) }); export SRVAUDIT_LEADER_PID=$$",
    `export SRVAUDIT_SPOOL_FILE=${host.hostSpool}/stray.$$-\${stat[19]}-1.shell; : >$SRVAUDIT_SPOOL_FILE`,
  ].join("\n");
  await using terminal = await host.shell(shell, before);
  await work(async (line) => {
    await terminal.send(`${line}\r`);
    await terminal.expect(READY);
  });
  await terminal.send("exit\r");
  await terminal.close();
  const name = [...host.records("host").keys()].find((one) => one.endsWith("-1.shell"));
  assert.ok(name);
  return name;
}
