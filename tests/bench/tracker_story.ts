/** What the story of a session costs: requests, bytes, and the agent's own time. */

import { agentSettings } from "../../src/config/agent_settings.ts";
import { DEFAULT_MASK } from "../../src/config/mask_patterns.ts";
import { Mask } from "../../src/net/mask.ts";
import { openTracker } from "../../src/trackers/open_tracker.ts";
import { command, opened, shellStarted, T0 } from "../support/evidence_events.ts";
import { isThere } from "../support/needs.ts";
import { StoryHost, storySettings } from "../support/story_host.ts";
import { MemoryStorybook, trackerWith } from "../support/storybook.ts";
import { microseconds, milliseconds, notMeasured, type Row } from "./report.ts";
import { takeTurns } from "./timing.ts";
import { type RemoteTracker, startJira, startRedmine } from "./tracked_host.ts";

/** A session is told every storySeconds, and so many commands were typed meanwhile: one every three seconds. */
const WAVE = 10;
const STORY_SECONDS = 30;
const ROUNDS = 2;
/** How many commands of each of the sessions. */
const LENGTHS = { Redmine: [100, 1000], Jira: [100, 1000, 4000], own: [100, 1000] } as const;

/** What one session's story came to. */
interface Cost {
  commands: number;
  requests: number;
  sent: number;
  received: number;
  comments: number;
}

/** Sessions of ever more commands, told a real Redmine and a Jira in both editions. */
export async function measureStories(): Promise<Row[]> {
  const rows: Row[] = [];
  if (isThere("Redmine")) {
    await using redmine = await startRedmine();
    rows.push(...await growth(redmine, LENGTHS.Redmine));
  } else rows.push(notMeasured("tracker: a session's story", "needs Redmine"));
  for (const edition of ["cloud", "server"] as const) {
    await using jira = await startJira(edition);
    rows.push(...await growth(jira, LENGTHS.Jira));
  }
  rows.push(...await ownTime());
  return rows;
}

async function growth(remote: RemoteTracker, lengths: readonly number[]): Promise<Row[]> {
  const keys = await remote.tickets(lengths.length);
  const costs: Cost[] = [];
  for (const [i, commands] of lengths.entries()) {
    const settings = agentSettings(
      [...remote.config, `storySeconds="${STORY_SECONDS}"`].join("\n"),
      "config",
    );
    using tracker = openTracker(settings, { hostTickets: "" });
    using host = new StoryHost(undefined, settings.tracker, new Mask(settings.mask), tracker);
    remote.proxy.reset();
    const comments = await tell(host, keys[i] ?? "", commands);
    costs.push({ commands, ...remote.proxy.traffic, comments });
  }
  return costs.map((cost, i) => {
    const { commands, requests, sent, received, comments } = cost;
    const before = costs[i - 1];
    return {
      what: `tracker: the story of ${commands} commands, ${WAVE} for each update, ${remote.name}`,
      measured: `${requests} requests, ${kilobytes(sent)} sent, ${
        kilobytes(received)
      } received; ${comments} comments`,
      against: before
        ? `of ${before.commands}: ${before.requests} requests, ${kilobytes(before.sent)} sent`
        : "",
      result: `a command: ${(requests / commands).toFixed(2)} requests, ${
        Math.round(sent / commands)
      } bytes sent, ${Math.round(received / commands)} received`,
    };
  });
}

/** Types, and ends. @returns how many comments it is told in */
async function tell(host: StoryHost, ticket: string, commands: number): Promise<number> {
  const [session = 0] = host.put(opened("019ab000-0000-7000-8000-000000000001", { ticket }));
  const [shell = 0] = host.put(shellStarted(session));
  await host.pass(4);
  for (let number = 1; number <= commands; number += WAVE) {
    host.put(...Array.from({ length: Math.min(WAVE, commands - number + 1) }, (_, i) => typed(number + i)));
    await host.pass(STORY_SECONDS + 3);
  }
  host.put({
    kind: "session closed",
    atUs: T0 + 1e9,
    session,
    shell: null,
    uid: 1000,
    data: { how: "logout", exitCode: 0 },
  });
  await host.pass(4);
  const left = host.store.database.prepare(
    "select count(*) as count from story where waiting_us is not null or not is_over",
  );
  if (left.get()?.count !== 0) throw new Error("the story was not told to its end");
  return Number(host.store.database.prepare("select count(*) as count from story_part").get()?.count);

  function typed(number: number) {
    const atUs = T0 + number * 3_000_000;
    const end = { endUs: atUs + 20_000, exitCode: number % 20 === 0 ? 1 : 0, pipeStates: [0, 0] };
    return command(`grep -rn 'needle ${number}' /var/log | head`, {
      session,
      shell,
      number,
      ticket,
      directory: "/home/alice/projects",
      atUs,
      end,
    });
  }
}

/** What it takes the agent itself, against what it takes it to have the same commands in evidence. */
async function ownTime(): Promise<Row[]> {
  const mask = new Mask(DEFAULT_MASK);
  const rows: Row[] = [];
  for (const commands of LENGTHS.own) {
    const figures = await takeTurns(ROUNDS, {
      told: async () => {
        const book = new MemoryStorybook();
        const settings = storySettings({ storySeconds: STORY_SECONDS });
        using host = new StoryHost(book, settings, mask, trackerWith(book));
        return await spent(() => tell(host, "17", commands));
      },
      // Nobody is told anything where there is no storybook.
      kept: async () => {
        using host = new StoryHost(new MemoryStorybook(), storySettings(), mask, trackerWith(undefined));
        return await spent(() => tell(host, "17", commands));
      },
    });
    const each = (figures.told - figures.kept) / commands * 1000;
    rows.push({
      what: `agent: telling a story of ${commands} commands, ${WAVE} for each update`,
      measured: milliseconds(figures.told),
      against: `evidence alone: ${milliseconds(figures.kept)}`,
      result: `+${microseconds(each)} a command, +${milliseconds(each * WAVE / 1000)} an update`,
    });
  }
  return rows;
}

async function spent(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(bytes < 100_000 ? 1 : 0)} kB`;
}
