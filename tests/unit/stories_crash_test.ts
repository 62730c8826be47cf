import assert from "node:assert/strict";
import fc from "fast-check";
import { textile } from "../../src/trackers/markup/textile.ts";
import {
  TicketRefusedError,
  TrackerDeniedError,
  TrackerUnavailableError,
} from "../../src/trackers/tracker.ts";
import { closed, command, ended, opened, shellStarted, switched, T0 } from "../support/evidence_events.ts";
import { StoryHost, storySettings } from "../support/story_host.ts";
import { type Fate, MemoryStorybook } from "../support/storybook.ts";

const TICKETS = ["1", "2", "3"];
/** What comments take at most: some thirty commands. */
const LIMIT = 4000;

type Action =
  | { what: "open"; ticket: string | null }
  | { what: "type"; session: number; count: number; runs: boolean; long: boolean }
  | { what: "end"; session: number; exitCode: number }
  | { what: "note" | "status" | "tamper" | "close" | "remove"; session: number }
  | { what: "switch"; session: number; ticket: string }
  | { what: "fail"; how: "down" | "denied" | "refused" | "killed"; when: Fate["when"]; after: number }
  | { what: "write"; after: number }
  | { what: "pass"; seconds: number }
  | { what: "restart" };

const session = fc.nat(3);
const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ what: fc.constant("open" as const), ticket: fc.constantFrom(null, ...TICKETS) }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        what: fc.constant("type" as const),
        session,
        count: fc.integer({ min: 1, max: 40 }),
        runs: fc.boolean(),
        long: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ what: fc.constant("end" as const), session, exitCode: fc.nat(255) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        what: fc.constantFrom(
          "note" as const,
          "status" as const,
          "tamper" as const,
          "close" as const,
          "remove" as const,
        ),
        session,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        what: fc.constant("switch" as const),
        session,
        ticket: fc.constantFrom(...TICKETS),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        what: fc.constant("fail" as const),
        how: fc.constantFrom("down" as const, "denied" as const, "refused" as const, "killed" as const),
        when: fc.constantFrom("before" as const, "after" as const),
        after: fc.nat(3),
      }),
    },
    { weight: 2, arbitrary: fc.record({ what: fc.constant("write" as const), after: fc.nat(5) }) },
    {
      weight: 6,
      arbitrary: fc.record({ what: fc.constant("pass" as const), seconds: fc.integer({ min: 1, max: 40 }) }),
    },
    { weight: 1, arbitrary: fc.constant({ what: "restart" as const }) },
  ),
  { minLength: 5, maxLength: 60 },
);

/** A session of the model: what is to be told of it, by ticket, in order. */
interface Model {
  id: string;
  seq: number;
  shell: number;
  ticket: string | null;
  isOpen: boolean;
  /** The tickets that somebody has removed a comment from: it comes back with the next update of its part alone. */
  robbed: Set<string | undefined>;
  running: { seq: number; ticket: string | null }[];
  /** What its stories say, each a word that is in nothing else; before there is a ticket under null. */
  words: Map<string | null, string[]>;
}

/** The host, and what its stories should be. */
class World implements Disposable {
  readonly book = new MemoryStorybook({ ...textile, limit: LIMIT });
  readonly host = new StoryHost(this.book, storySettings({ storySeconds: 10, logsTime: true }));
  readonly sessions: Model[] = [];
  #words = 0;

  async do(action: Action): Promise<void> {
    const { host, book } = this;
    if (host.isDead) host.start();
    if (action.what === "open") return this.#open(action.ticket);
    if (action.what === "fail") return this.#fail(action);
    if (action.what === "write") return host.killBefore(action.after);
    if (action.what === "pass") return await host.pass(action.seconds, 5);
    if (action.what === "restart") {
      host.kill();
      return host.start();
    }
    const model = this.sessions.at(action.session % Math.max(1, this.sessions.length));
    if (!model) return;
    if (action.what === "remove") {
      const at = book.comments.findIndex(({ body }) => body.includes(model.id));
      if (at >= 0) model.robbed.add(book.comments.splice(at, 1)[0]?.ticket);
      return;
    }
    if (!model.isOpen) return;
    this.#say(model, action);
  }

  #open(ticket: string | null): void {
    const id = `019ab000-0000-7000-8000-${String(this.sessions.length).padStart(12, "0")}`;
    const [seq = 0] = this.host.put(opened(id, { ticket }));
    const [shell = 0] = this.host.put(shellStarted(seq));
    this.sessions.push({
      id,
      seq,
      shell,
      ticket,
      isOpen: true,
      robbed: new Set(),
      running: [],
      words: new Map(),
    });
  }

  #say(model: Model, action: Action): void {
    const { host } = this;
    const { seq, shell, ticket } = model;
    const event = (kind: "note" | "status" | "tamper", data: Record<string, unknown>) =>
      host.put({ kind, atUs: T0 + 3e6, session: seq, shell: null, uid: 1000, data });
    switch (action.what) {
      case "type":
        for (let i = 0; i < action.count; i++) {
          const runs = action.runs && i === action.count - 1;
          const text = `echo ${this.#word(model)} ${action.long ? "@x".repeat(i * 20) : ""}`;
          const [one = 0] = host.put(
            command(text, { session: seq, shell, ticket, ...(runs ? { end: null } : {}) }),
          );
          if (runs) model.running.push({ seq: one, ticket });
        }
        return;
      case "end": {
        const last = model.running.shift();
        if (!last) return;
        const end = { endUs: T0 + 5e6, exitCode: action.exitCode, pipeStates: [action.exitCode] };
        host.put(ended(last.seq, end, { session: seq }));
        return;
      }
      case "note":
        if (ticket !== null) event("note", { ticket, text: `a note: ${this.#word(model)}` });
        return;
      case "status":
        if (ticket !== null) event("status", { ticket, from: "New", to: this.#word(model) });
        return;
      case "tamper":
        event("tamper", { what: "foreign", words: this.#word(model) });
        return;
      case "switch":
        if (ticket === action.ticket) return;
        host.put({
          ...switched(seq, "", action.ticket),
          data: { from: ticket, to: action.ticket },
        });
        if (ticket === null) model.words.set(action.ticket, model.words.get(null) ?? []);
        model.ticket = action.ticket;
        if (!model.words.has(action.ticket)) model.words.set(action.ticket, []);
        return;
      case "close":
        model.isOpen = false;
        host.put(closed(seq));
    }
  }

  #fail({ how, when, after }: Extract<Action, { what: "fail" }>): void {
    let left = after;
    this.book.fate = () => {
      if (left-- > 0) return undefined;
      this.book.fate = () => undefined;
      const errors = {
        down: () => Promise.reject(new TrackerUnavailableError("it is down")),
        denied: () => Promise.reject(new TrackerDeniedError("not with that key")),
        refused: () => Promise.reject(new TicketRefusedError("not that ticket")),
        killed: this.host.killed,
      };
      return { when, how: errors[how] };
    };
  }

  #word(model: Model): string {
    const word = `w${String(++this.#words).padStart(6, "0")}w`;
    const words = model.words.get(model.ticket) ?? [];
    model.words.set(model.ticket, [...words, word]);
    return word;
  }

  /** Lets everything come to its end, and compares. */
  async check(): Promise<void> {
    const { host, book, sessions } = this;
    book.fate = () => undefined;
    if (host.isDead) host.start();
    for (const model of sessions) if (model.isOpen) this.#say(model, { what: "close", session: 0 });
    // Whoever hangs in a pause, or is held, is let go by a reload.
    host.kill();
    host.start();
    await host.pass(60);
    await host.pass(30 * 3600, 3600);
    await host.pass(60);
    const left = host.store.database.prepare("select * from story where waiting_us is not null").all();
    assert.deepEqual(left, [], "nothing waits");
    for (const { body } of book.comments) {
      assert.ok(book.markup.sizeOf(body) <= LIMIT, "a comment is too long");
    }
    let comments = 0;
    for (const model of sessions) {
      for (const ticket of TICKETS) {
        const own = book.comments.filter((one) => one.ticket === ticket && one.body.includes(model.id));
        comments += own.length;
        const numbers = own.map(({ body }) => Number(/ part ([0-9]+) [0-9a-f]{16}/.exec(body)?.[1]));
        numbers.sort((one, other) => one - other);
        const expected = model.words.get(ticket) ?? [];
        if (model.robbed.has(ticket)) {
          assert.equal(new Set(numbers).size, numbers.length, "no part twice");
          continue;
        }
        assert.deepEqual(numbers, numbers.map((_, i) => i + 1), "each part once");
        if (model.ticket !== ticket && expected.length === 0) continue;
        const inOrder = numbers.map((number) =>
          own.find(({ body }) => body.includes(` part ${number} `))?.body ?? ""
        );
        const words = inOrder.join("").match(/w[0-9]{6}w/g) ?? [];
        assert.deepEqual(words, expected, "all that happened, each once, in its order");
        assert.ok(inOrder[0]?.includes("exit 0") || inOrder[0]?.includes("went on"), "part 1 tells the end");
        assert.equal(
          book.times.filter((time) => time.ticket === ticket && time.comment.includes(model.id)).length,
          1,
          "the time is logged once",
        );
      }
    }
    assert.equal(comments, book.comments.length, "no comment of nobody's");
  }

  [Symbol.dispose](): void {
    this.host[Symbol.dispose]();
  }
}

Deno.test("whatever happens, fails and is killed, each story is told once, whole and in its order", async () => {
  await fc.assert(
    fc.asyncProperty(actions, async (list) => {
      using world = new World();
      for (const action of list) {
        try {
          await world.do(action);
        } catch (error) {
          // What a kill leaves behind is a closed database.
          if (!world.host.isDead) throw error;
        }
      }
      await world.check();
    }),
    { numRuns: Number(Deno.env.get("STORY_RUNS") ?? 60) },
  );
});
