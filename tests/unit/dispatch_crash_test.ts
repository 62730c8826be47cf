import assert from "node:assert/strict";
import fc from "fast-check";
import type { NewEvent } from "../../src/evidence/event.ts";
import { agentEvent, closed, command, opened } from "../support/evidence_events.ts";
import { ALL } from "../support/deliver.ts";
import { BAD, DispatchHost, type Fate, MemoryReceiver, sinkSettings } from "../support/dispatch_host.ts";

type Action =
  | { what: "open" }
  | { what: "type"; session: number; texts: string[] }
  | { what: "close"; session: number }
  | { what: "agent" }
  | { what: "fate"; sink: number; fates: Fate[] }
  | { what: "kill" | "start" | "restart" | "rest" | "tick" | "reload" | "redeliver" }
  | { what: "kill before"; transactions: number };

const text = fc.oneof(
  { weight: 8, arbitrary: fc.constant("ls") },
  { weight: 1, arbitrary: fc.constantFrom(BAD.whole, BAD.one, BAD.huge) },
);
const fate = fc.constantFrom<Fate>(
  "taken",
  "unavailable",
  "denied",
  "faulty",
  "taken unseen",
  "killed",
  "killed after",
  "killed writing",
);
const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.constant({ what: "open" as const }) },
    {
      weight: 6,
      arbitrary: fc.record({
        what: fc.constant("type" as const),
        session: fc.nat(2),
        texts: fc.array(text, { minLength: 1, maxLength: 12 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant("close" as const), session: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.constant({ what: "agent" as const }) },
    {
      weight: 4,
      arbitrary: fc.record({
        what: fc.constant("fate" as const),
        sink: fc.nat(1),
        fates: fc.array(fate, { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        what: fc.constantFrom(
          "kill" as const,
          "restart" as const,
          "rest" as const,
          "tick" as const,
          "reload" as const,
          "redeliver" as const,
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constant("kill before" as const), transactions: fc.nat(3) }),
    },
  ),
  { minLength: 1, maxLength: 25 },
);

/** What is in evidence, as the test knows it. */
interface Known {
  seq: number;
  session: number | null;
  isNews: boolean;
  isCommand: boolean;
  isBad: boolean;
}

class Run {
  readonly known: Known[] = [];
  readonly #open: number[] = [];
  isHarmed = false;

  constructor(readonly host: DispatchHost) {}

  async take(action: Action): Promise<void> {
    const { host } = this;
    if (host.isDead) host.start();
    switch (action.what) {
      case "open":
        return this.#put([opened(crypto.randomUUID())], null).forEach((seq) => this.#open.push(seq));
      case "type": {
        const session = this.#open[action.session] ?? null;
        this.#put(action.texts.map((text) => command(text, { session })), session);
        return;
      }
      case "close": {
        const session = this.#open[action.session];
        if (session !== undefined) this.#put([closed(session)], session);
        return;
      }
      case "agent":
        this.#put([agentEvent("gap")], null);
        return;
      case "fate":
        host.receivers[action.sink]?.fates.push(...action.fates);
        this.isHarmed ||= action.fates.some((fate) => fate !== "taken");
        return;
      case "kill":
        this.isHarmed = true;
        return host.kill();
      case "kill before":
        this.isHarmed = true;
        return host.killBefore(action.transactions);
      case "restart":
        return await host.restart();
      case "rest":
        return await host.rest();
      case "tick":
        try {
          host.dispatch.run();
        } catch (error) {
          // It was killed by it.
          if (!host.isDead) throw error;
        }
        return await new Promise((resolve) => setTimeout(resolve));
      case "reload":
        try {
          return host.follow();
        } catch (error) {
          if (!host.isDead) throw error;
          return;
        }
      case "redeliver":
        host.dispatch.redeliver(undefined);
        return;
    }
  }

  async end(): Promise<void> {
    const { host } = this;
    for (let more = true; more;) {
      if (host.isDead) host.start();
      await host.rest();
      more = host.isDead;
    }
  }

  #put(events: NewEvent[], session: number | null): number[] {
    const seqs = this.host.put(...events);
    events.forEach(({ kind, command }, i) => {
      const words = command ? new TextDecoder().decode(command.text) : "";
      this.known.push({
        seq: seqs[i] ?? 0,
        session: kind === "session opened" ? seqs[i] ?? 0 : session,
        isNews: kind !== "agent",
        isCommand: kind === "command",
        isBad: Object.values(BAD).includes(words),
      });
    });
    return seqs;
  }
}

/** What was heard of first, in the order in which it was. */
function firsts(seqs: readonly number[]): number[] {
  return [...new Set(seqs)];
}

Deno.test("whatever fails and is killed: each sink has all that it wants, in order; none twice without a failure; dead is what was refused", async () => {
  await fc.assert(
    fc.asyncProperty(actions, async (script) => {
      const receivers = [new MemoryReceiver("slack"), new MemoryReceiver("webhook")];
      await using host = new DispatchHost(receivers, [
        sinkSettings("slack", { ...ALL, events: "sessions" }),
        sinkSettings("webhook"),
      ]);
      const run = new Run(host);
      for (const action of script) await run.take(action);
      await run.end();
      for (const { name, taken, counts } of receivers) {
        const wanted = run.known.filter(({ isNews, isCommand }) =>
          isNews && (name === "webhook" || !isCommand)
        );
        const good = wanted.filter(({ isBad }) => !isBad).map(({ seq }) => seq);
        const bad = wanted.filter(({ isBad }) => isBad).map(({ seq }) => seq);
        assert.deepEqual(firsts(taken.map(({ seq }) => seq)), good);
        assert.deepEqual(host.dead(name), bad);
        if (!run.isHarmed) assert.deepEqual([...counts.values()].filter((count) => count > 1), []);
      }
    }),
    { numRuns: 60 },
  );
});
