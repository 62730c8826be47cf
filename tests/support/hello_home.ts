/** A host in one folder, for `hello` and `saticket` as this very user: its config, its agent's socket, its home. */

import type { Policy } from "../../src/config/policy.ts";
import { ERRORS } from "../../src/desk/protocol.ts";
import type { SessionOpened } from "../../src/record/event.ts";
import { newSessionId } from "../../src/record/session_id.ts";
import { readRecords } from "../../src/record/spool.ts";
import { type Answers, type Created, SUBJECT_QUESTION, type Ticket } from "../../src/trackers/tracker.ts";
import { start, type StartOptions, type Terminal } from "./pty.ts";
import { removeFolder } from "./remove_folder.ts";
import { type Finished, run } from "./run.ts";
import { AnsweredError, type Question, SocketAgent } from "./socket_agent.ts";

const DIST = new URL("../../dist/", import.meta.url).pathname;

/** The tickets that the agent of a `HelloHome` knows. */
const TICKETS = [
  { key: "17", subject: "Replace the disk", status: "New", open: true },
  { key: "18", subject: "Long done", status: "Closed", open: false },
];

/** Shell code that makes a shell the leader of the agent's session. */
export const LEAD = 'read -r stat </proc/$$/stat; set -- ${stat##*) }; echo "$$ ${20}" >"$HOME/leader"';

/** What the agent cannot, or will not, do now. */
export interface Mood {
  /** Its tracker does not answer. */
  isTrackerOut?: boolean;
  /** Its tracker does not answer these. */
  cannot?: string[];
  /** Its tracker says no to these, with these words. */
  refuses?: { methods: string[]; words: string };
  /** The tickets that there are, if not 17 and 18 (closed). */
  tickets?: Ticket[];
  /** Other keys that people type for them. */
  aliases?: Record<string, string>;
  /** Which statuses may come next, if not Closed alone. */
  statuses?: string[];
  /** It does not answer these at all. */
  hangsAt?: string[];
  /** What it says to the answers about a new ticket; by default it wants a subject. */
  form?: (answers: Answers) => Created;
  /** Where its tickets are seen. */
  url?: string;
  /** The session that everybody is in. */
  session?: { id: string; ticket: string | null };
}

/** The ticket that is made of these answers. */
export function madeOf({ subject = "" }: Answers): Created {
  return { ticket: { key: "19", subject, status: "New", open: true } };
}

function wantsSubject(answers: Answers): Created {
  return answers.subject ? madeOf(answers) : { questions: [SUBJECT_QUESTION] };
}

/** The host. */
export class HelloHome implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync();
  readonly spool = `${this.path}/.ash/spool`;
  readonly hostSpool = `${this.path}/var/spool/srvaudit`;
  #agent: SocketAgent | undefined;

  /** Writes the config of a host without an agent. */
  configure(...lines: string[]): void {
    Deno.mkdirSync(`${this.path}/etc/srvaudit`, { recursive: true });
    Deno.writeTextFileSync(`${this.path}/etc/srvaudit/config`, lines.map((line) => `${line}\n`).join(""));
  }

  /** Publishes a policy, as an agent does: from then on one is expected. */
  publish(policy: Partial<Policy>): void {
    Deno.mkdirSync(`${this.path}/run/srvaudit`, { recursive: true });
    Deno.writeTextFileSync(`${this.path}/run/srvaudit/policy.json`, JSON.stringify(policy));
  }

  /** Lets an agent of that mood answer. */
  startAgent(policy: Partial<Policy>, mood: Mood = {}): SocketAgent {
    this.publish(policy);
    Deno.mkdirSync(this.hostSpool, { recursive: true });
    const socket = `${this.path}/run/srvaudit/agent.sock`;
    this.#agent = new SocketAgent(socket, (question) => this.#answer(question, mood));
    return this.#agent;
  }

  /** Ends the agent; what it has published stays. */
  async stopAgent(): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]();
    this.#agent = undefined;
  }

  #answer({ method, params }: Question, mood: Mood): unknown {
    const { isTrackerOut, cannot, hangsAt, session, tickets = TICKETS, aliases = {} } = mood;
    if (hangsAt?.includes(method)) return undefined;
    if ((isTrackerOut && method.startsWith("ticket.")) || cannot?.includes(method)) {
      throw new AnsweredError(ERRORS.trackerUnavailable, "the tracker is away");
    }
    if (mood.refuses?.methods.includes(method)) {
      throw new AnsweredError(ERRORS.ticketRefused, mood.refuses.words);
    }
    switch (method) {
      case "session.current":
        return session ? { ...session, sinceUs: 1, ticketSinceUs: 1, ...this.#leader() } : null;
      case "session.open":
        return this.#files(newSessionId());
      case "session.switch":
        return { from: session?.ticket ?? null };
      case "session.close":
        return { closed: true };
      case "shell.attach":
        return session
          ? this.#files(session.id)
          : { ...this.#files("stray"), session: null, sessionFile: null };
      case "ticket.find":
        return tickets.find(({ key }) => key === (aliases[String(params.key)] ?? params.key)) ?? null;
      case "ticket.search":
        return tickets.filter(({ subject }) => subject.toLowerCase().includes(String(params.words)));
      case "ticket.create":
        return (mood.form ?? wantsSubject)({ ...(params.answers as Answers) });
      case "ticket.details":
        return {
          ...TICKETS[0],
          ...(mood.url === undefined ? {} : { url: mood.url }),
          createdAtUs: 1,
          createdBy: "alice",
          notes: [],
          statuses: [],
        };
      case "ticket.nextStatuses":
        return mood.statuses ?? ["Closed"];
      case "ticket.setStatus":
        return { ...TICKETS[0], status: params.status };
      case "ticket.addNote":
        return null;
      default:
        throw new AnsweredError(ERRORS.unknownMethod, method);
    }
  }

  /** The process that has written its number and its start there, as `LEAD` does. */
  #leader() {
    let words: string[] = [];
    try {
      words = Deno.readTextFileSync(`${this.path}/leader`).split(" ");
    } catch {
      // Nobody has.
    }
    return { leaderPid: Number(words[0] ?? 1), leaderStartTicks: Number(words[1] ?? 1) };
  }

  #files(session: string) {
    const spool = `${this.hostSpool}/${session}.4711-1-1795343616778680.shell`;
    const sessionFile = `${this.hostSpool}/${session}.session`;
    for (const file of [spool, sessionFile]) Deno.writeTextFileSync(file, "", { append: true });
    return { session, spool, sessionFile };
  }

  /** The environment of everything here. */
  get env(): Record<string, string> {
    return { HOME: this.path, SRVAUDIT_ROOT: this.path, PATH: "/usr/bin:/bin", PS1: "READY> " };
  }

  /** `hello` on a terminal. */
  login(options: StartOptions = {}): Terminal {
    return start(`${DIST}hello`, ["--norc", "--noprofile"], this.env, { argv0: "hello", ...options });
  }

  /** One of our programs without a terminal. */
  run(
    program: "hello" | "saticket",
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Finished> {
    return run([`${DIST}${program}`, ...args], { env: { ...this.env, ...env } });
  }

  /** The openings in the user's own spool, without what differs each time. */
  openings(): Partial<SessionOpened>[] {
    return this.own("session").flatMap((file) =>
      readRecords(Deno.readFileSync(file)).records.flatMap(({ record }) =>
        record.type === "event" && record.event.kind === "session opened" ? [record.event] : []
      )
    ).map(({ mode, ticket, unverified, wanted, emergency, exempt }) =>
      JSON.parse(JSON.stringify({ mode, ticket, unverified, wanted, emergency, exempt }))
    );
  }

  /** The plain files of that kind in the user's own spool. */
  own(kind: "session" | "shell"): string[] {
    try {
      return [...Deno.readDirSync(this.spool)].filter(({ name, isFile }) =>
        isFile && name.endsWith(`.${kind}`)
      )
        .map(({ name }) => `${this.spool}/${name}`).sort();
    } catch {
      return [];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAgent();
    await removeFolder(this.path);
  }
}
