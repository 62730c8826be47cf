/** The agent is killed again and again while stories go out to a real Redmine over a network that cuts its answers. */

import assert from "node:assert/strict";
import type { Faults } from "../support/broken_proxy.ts";
import { Login } from "../support/login.ts";
import { testThatNeeds } from "../support/needs.ts";
import { markOf, RedmineHost } from "../support/redmine_host.ts";
import { until } from "../support/sshd.ts";

/** How often it is killed. */
const KILLS = 4;
/** How long a person needs for a command, in milliseconds. */
const TYPING_MS = 100;

testThatNeeds(
  ["root", "sshd", "sqlite3", "Redmine"],
  "the agent is killed while it tells stories: each comment is there once, and every command in one of them",
  async () => {
    await using at = await RedmineHost.start({ people: ["alice", "bob"] });
    const { host, agent, proxy } = at;
    await using alice = await Login.open(host, at.user(0), { ticket: "1" });
    await using bob = await Login.open(host, at.user(1), { ticket: "2" });
    let isOver = false;
    const typing = [alice, bob].map(async (login) => {
      let count = 0;
      for (; !isOver; count++) {
        await login.run(`echo ${count}`);
        await new Promise((resolve) => setTimeout(resolve, TYPING_MS));
      }
      return count;
    });
    for (let kill = 0; kill < KILLS; kill++) {
      const faults: Faults[] = [
        {},
        { dropAnswers: true },
        { cutAfterBytes: Math.floor(Math.random() * 2000) },
        { drop: true },
      ];
      // What is told is the beginning, and changes of it: each of both is to be cut short.
      const asked = proxy.asked.length + 2 + Math.floor(Math.random() * 6);
      await until("requests", () => Promise.resolve(proxy.asked.length >= asked));
      proxy.faults = faults[kill % faults.length] ?? {};
      const once = proxy.asked.length + 1 + Math.floor(Math.random() * 3);
      await until("one more", () => Promise.resolve(proxy.asked.length >= once));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      await agent.end("SIGKILL");
      proxy.faults = {};
      await agent.start();
    }
    isOver = true;
    const counts = await Promise.all(typing);
    for (const login of [alice, bob]) await login.leave("that was all");
    for (const [i, key] of [1, 2].entries()) {
      const parts = await at.ended(key);
      assert.deepEqual(parts.map((part) => markOf(part).part), parts.map((_, i) => i + 1));
      assert.equal((await at.issue(key)).journals.length, parts.length);
      const story = parts.join("\n");
      const told = [...story.matchAll(/\$ echo (\d+)$/gm)].map(([, count]) => Number(count));
      assert.deepEqual(told, Array.from({ length: counts[i] ?? 0 }, (_, count) => count));
      assert.match(story, /> that was all\n/);
      assert.match(story, /\* Ended: .*: logged out, exit 0\n/);
    }
  },
);
