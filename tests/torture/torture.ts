/**
 * `make torture`: real shells type as fast as they go, while the agent is killed and disks fill. Then what they wrote is
 * counted against evidence.
 *
 *     unshare --mount --propagation private deno run -A tests/torture/torture.ts [--short] [--seed N]
 *
 * Needs root, and `make build`. Ends with exit code 1 if anything is lost, doubled or wrong.
 */

import { parseArgs } from "node:util";
import { run } from "../support/run.ts";
import { TestAgent } from "../support/agent.ts";
import { TestHost, type TestUser } from "../support/sshd.ts";
import { commandsIn, type Count, count, countTaken, type Expected } from "./count.ts";
import { Dice, pause } from "./dice.ts";
import { killAgain, type Lives } from "./mortal_agent.ts";
import { SmallDisk } from "./small_disk.ts";
import { type Ending, ENDINGS, STARTUP, Typist } from "./typist.ts";

/** What is done to whom. */
interface Act {
  name: string;
  shells: number;
  users: number;
  kills: number;
  /** Which disk is small, and how often it is filled. */
  small?: { disk: "evidence" | "spool"; fills: number };
}

const LONG: readonly Act[] = [
  { name: "kills", shells: 20, users: 5, kills: 200 },
  {
    name: "evidence's disk fills",
    shells: 20,
    users: 5,
    kills: 40,
    small: { disk: "evidence", fills: 8 },
  },
  { name: "the spool's disk fills", shells: 20, users: 5, kills: 40, small: { disk: "spool", fills: 8 } },
];

const SHORT: readonly Act[] = [
  {
    name: "kills, and evidence's disk fills",
    shells: 5,
    users: 2,
    kills: 15,
    small: { disk: "evidence", fills: 1 },
  },
];

const DISKS = {
  evidence: { folder: "var/lib/srvaudit", mode: "0700", mebibytes: 384 },
  spool: { folder: "var/spool/srvaudit", mode: "0711", mebibytes: 96 },
} as const;

/** How long evidence may take for all that has gathered, in milliseconds. */
const CATCH_UP_MS = 120_000;

/** What an act has shown. */
interface Outcome extends Count {
  act: string;
  shells: number;
  seconds: number;
  catchUpSeconds: number;
  kills: number;
  ends: number;
  fills: number;
  /** Typed, but not in the spool, since there was no room. */
  unrecorded: number;
  /** Shells that have said so. */
  complaints: number;
  /** Shells that did not say so, or whose own list is not what was typed. */
  dishonest: number;
  verify: string;
}

async function play(act: Act, seed: number): Promise<Outcome> {
  const dice = new Dice(seed);
  await using host = await TestHost.start();
  await using stack = new AsyncDisposableStack();
  const small = act.small && DISKS[act.small.disk];
  const disk = small &&
    stack.use(await SmallDisk.mount(`${host.root}/${small.folder}`, small.mebibytes, small.mode));
  const agent = stack.use(await TestAgent.start(host));
  const users: TestUser[] = [];
  for (let i = 0; i < act.users; i++) users.push(await addUser(host, i));
  const typists: Typist[] = [];
  for (let number = 1; number <= act.shells; number++) {
    const user = users[number % users.length];
    if (user) typists.push(stack.use(await Typist.login(host, user, number, new Dice(seed + number))));
  }
  const began = performance.now();
  const lives: Lives = { kills: 0, ends: 0 };
  await agent.end("SIGKILL");
  let isOver = false;
  const typing = typists.map(async (typist) => {
    while (!isOver) await typist.typeSome();
  });
  await Promise.all([
    killAgain(host, dice, act.kills, lives),
    fillAgain(disk, new Dice(seed + 1000), act.small?.fills ?? 0),
  ]);
  isOver = true;
  await Promise.all(typing);
  // Half of the sessions end while there is no agent.
  const endings = new Map<Typist, Ending>(typists.map((typist, i) => [typist, ENDINGS[i % 3] ?? "logout"]));
  const leave = (some: readonly Typist[]) =>
    Promise.all(some.map((typist) => typist.leave(endings.get(typist) ?? "logout")));
  const half = typists.length >> 1;
  await leave(typists.slice(0, half));
  const typedSeconds = (performance.now() - began) / 1000;
  await agent.start();
  await leave(typists.slice(half));
  const expected = typists.map((typist): Expected => ({
    typist,
    commands: act.small?.disk === "spool" ? commandsIn(contentOf(typist.spool)) : typist.typed,
    closed: { logout: "logout 3", hangup: "hangup 129", killed: "killed " }[endings.get(typist) ?? "logout"],
  }));
  const catchUp = performance.now();
  await caughtUp(host, expected);
  const catchUpSeconds = (performance.now() - catchUp) / 1000;
  await agent.end();
  const counted = count(host.root, expected);
  const verified = await run(host.asRoot([host.program("srvaudit"), "verify"]));
  const typed = typists.reduce((sum, typist) => sum + typist.typed.length, 0);
  const outcome: Outcome = {
    act: act.name,
    shells: typists.length,
    seconds: typedSeconds,
    catchUpSeconds,
    ...lives,
    fills: act.small?.fills ?? 0,
    unrecorded: typed - counted.commands,
    complaints: typists.filter((typist) => typist.hasComplained).length,
    dishonest: 0,
    verify: verified.code === 0 ? "ok" : `${verified.code}: ${verified.text}${verified.errors}`,
    ...counted,
  };
  for (const { typist, commands } of expected) {
    const isShort = commands.length < typist.typed.length;
    const listed = (await typist.ownList()).join("\n");
    const called = typist.typed.flatMap(({ text }) => /\bt (\d+ \d+) /.exec(text)?.[1] ?? []).join("\n");
    if (listed === called && (!isShort || typist.hasComplained)) continue;
    outcome.dishonest++;
    outcome.firsts.push(
      `shell ${typist.number}: ${listed === called ? "did not say that it cannot record" : "its own list"}`,
    );
  }
  return outcome;
}

/** Every other user has Debian's startup files (HISTCONTROL=ignoreboth), the others nothing but ours. */
async function addUser(host: TestHost, index: number): Promise<TestUser> {
  const user = await host.addUser();
  const theirs = index % 2 === 0 ? await Deno.readTextFile(`${user.files}/.bashrc`) : "PS1='\\$ '\n";
  await host.write(user, ".bashrc", theirs + STARTUP);
  return user;
}

/** Fills the disk, and empties it again, at moments by chance. */
async function fillAgain(disk: SmallDisk | undefined, dice: Dice, fills: number): Promise<void> {
  for (let i = 0; disk && i < fills; i++) {
    await pause(dice.between(300, 1500));
    await disk.fill();
    await pause(dice.between(500, 3000));
    await disk.empty();
  }
}

/** Waits until evidence has everything, or does not grow any more. */
async function caughtUp(host: TestHost, expected: readonly Expected[]): Promise<void> {
  const wanted = expected.reduce((sum, { commands }) => sum + commands.length, 0);
  const deadline = performance.now() + CATCH_UP_MS;
  while (performance.now() < deadline) {
    const { commands, closed } = countTaken(host.root);
    if (commands >= wanted && closed >= expected.length) return;
    await pause(100);
  }
}

function contentOf(file: Deno.FsFile): Uint8Array {
  const bytes = new Uint8Array(file.statSync().size);
  file.seekSync(0, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return bytes;
}

const FIGURES = [
  "kills",
  "ends",
  "fills",
  "shells",
  "commands",
  "events",
  "lost",
  "doubled",
  "invented",
  "disordered",
  "wrongEnds",
  "wrongSessions",
  "chainBreaks",
  "tamper",
  "unrecorded",
  "complaints",
  "dishonest",
] as const satisfies readonly (keyof Outcome)[];

/** Whether nothing was wrong. Where the spool's disk was full, commands are unrecorded, and nobody is to blame. */
function isGood(outcome: Outcome, { small }: Act): boolean {
  const { lost, doubled, invented, disordered, wrongEnds, wrongSessions, chainBreaks, dishonest } = outcome;
  const sum = lost + doubled + invented + disordered + wrongEnds + wrongSessions + chainBreaks + dishonest;
  const isHonest = outcome.tamper === 0 && (small?.disk === "spool" || outcome.unrecorded === 0);
  return sum === 0 && isHonest && outcome.verify === "ok";
}

const { values } = parseArgs({
  options: { short: { type: "boolean" }, seed: { type: "string" }, act: { type: "string" } },
});
if (Deno.uid() !== 0) {
  console.error("torture: shells of several users, and disks to be filled: start it as root");
  Deno.exit(1);
}
const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
console.log(`seed ${seed}`);
let isAllGood = true;
for (const act of (values.short ? SHORT : LONG).filter(({ name }) => name.includes(values.act ?? ""))) {
  const outcome = await play(act, seed);
  const good = isGood(outcome, act);
  isAllGood &&= good;
  const figures = FIGURES.map((name) => `${name} ${outcome[name]}`).join(", ");
  const seconds = `${outcome.seconds.toFixed(1)} s, then ${outcome.catchUpSeconds.toFixed(1)} s to catch up`;
  console.log(`${act.name}: ${good ? "ok" : "WRONG"}: ${seconds}; ${figures}; verify: ${outcome.verify}`);
  for (const first of outcome.firsts.slice(0, 20)) console.log(`  ${first}`);
}
Deno.exit(isAllGood ? 0 : 1);
