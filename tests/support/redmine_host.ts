/** A host whose tickets are in a real Redmine: sshd, users, the agent, and a network between the two that can fail. */

import { TestAgent } from "./agent.ts";
import { BrokenProxy } from "./broken_proxy.ts";
import { Redmine, REDMINE_KEYS } from "./redmine.ts";
import { type Finished, run } from "./run.ts";
import { TestHost, type TestUser, until } from "./sshd.ts";

/** What Redmine tells of a ticket. */
export interface RedmineIssue {
  id: number;
  subject: string;
  project: { name: string };
  tracker: { name: string };
  status: { name: string };
  author: { name: string };
  assigned_to?: { name: string };
  custom_fields?: { name: string; value: unknown }[];
  journals: RedmineJournal[];
}

/** A change of a ticket, or a note on it. */
export interface RedmineJournal {
  id: number;
  user: { name: string };
  notes: string | null;
  details: { name: string; old_value: string | null; new_value: string | null }[];
}

/** What stands in every comment of srvAudit's own. */
const MARK = /srvAudit session ([0-9a-f-]{36}) part (\d+) [0-9a-f]{16}/;

/** How the host is to be. */
export interface RedmineHostOptions {
  /** Which of Redmine's people each of the host's users is; one who is nobody there has an empty name. */
  people?: readonly string[];
  /** Further lines of the config. */
  config?: readonly string[];
}

/**
 * All of it; it ends with the test.
 *
 * @example
 * ```ts
 * await using at = await RedmineHost.start({ people: ["alice"] });
 * await playLogin(at.host, at.users[0], `login "1" ...`);
 * const [story] = await at.stories(1);
 * ```
 */
export class RedmineHost implements AsyncDisposable {
  private constructor(
    readonly redmine: Redmine,
    /** Between the agent and Redmine; one that has ended stays in the config as what refuses connections. */
    readonly proxy: BrokenProxy,
    readonly host: TestHost,
    readonly users: readonly TestUser[],
    readonly agent: TestAgent,
    /** The config, without what a test has added. */
    readonly config: readonly string[],
  ) {}

  static async start({ people = ["alice"], config = [] }: RedmineHostOptions = {}): Promise<RedmineHost> {
    await using started = new AsyncDisposableStack();
    const redmine = started.use(await Redmine.start());
    const proxy = started.use(new BrokenProxy(redmine.url));
    const host = started.use(await TestHost.start({ sshd: ["AcceptEnv SRVAUDIT_TICKET"] }));
    const users: TestUser[] = [];
    for (let i = 0; i < people.length; i++) users.push(await host.addUser());
    const map = users.flatMap(({ name }, i) => people[i] === "" ? [] : [`${name}=${people[i]}`]);
    const own = [
      'pms="Redmine"',
      `redmineURL="${proxy.url}"`,
      `redmineKey="${REDMINE_KEYS.admin}"`,
      'redmineProject="ops,closed"',
      `trackerUsers="${map.join(", ")}"`,
      'storySeconds="1"',
      'showBanner="no"',
      // A machine with two processors that has much else to do is no tracker that does not answer.
      'trackerTimeout="20"',
    ];
    await Deno.chmod(`${host.root}/etc/srvaudit/config`, 0o640);
    const agent = started.use(await TestAgent.start(host, merged(own, config)));
    started.move();
    return new RedmineHost(redmine, proxy, host, users, agent, own);
  }

  /** The user of that place in `people`. */
  user(place = 0): TestUser {
    const user = this.users[place];
    if (!user) throw new Error(`there is no user ${place}`);
    return user;
  }

  /** Goes on by another config. @param lines in place of those with the same key, or beside them */
  async configure(lines: readonly string[]): Promise<void> {
    await TestAgent.configure(this.host, merged(this.config, lines));
    const from = this.agent.said.length;
    this.agent.signal("SIGHUP");
    await until(
      "the new config",
      () => Promise.resolve(this.agent.said.slice(from).includes("was read again")),
    );
  }

  /** A ticket, as an administrator sees it. */
  async issue(key: number): Promise<RedmineIssue> {
    const { body, status } = await this.redmine.api("admin", "GET", `/issues/${key}.json?include=journals`);
    if (status !== 200) throw new Error(`there is no ticket ${key}: ${status}`);
    return (body as { issue: RedmineIssue }).issue;
  }

  /** The stories that a ticket has been told, part by part, oldest first. */
  async stories(key: number): Promise<string[]> {
    return (await this.issue(key)).journals.flatMap(({ notes }) => notes && MARK.test(notes) ? [notes] : [])
      .map((notes) => notes.replaceAll("\r\n", "\n"));
  }

  /** Waits until a ticket's stories are as wanted. @returns them */
  async told(key: number, what: string, isTold: (stories: readonly string[]) => boolean): Promise<string[]> {
    return await this.#until(key, what, async () => {
      const stories = await this.stories(key);
      return isTold(stories) && stories;
    });
  }

  /** Waits until so many sessions are over for a ticket and all of them is told. @returns its stories */
  async ended(key: number, sessions = 1): Promise<string[]> {
    const sql = `select 1 from story where ticket = '${key}'
      group by ticket having count(*) >= ${sessions} and min(is_over) = 1 and max(waiting_us) is null`;
    await this.#until(key, "the end", async () => (await this.agent.ask(sql)).length > 0);
    return await this.stories(key);
  }

  /** The subjects of all tickets, by number. */
  subjects(): string[] {
    return this.redmine.sql("SELECT subject FROM issues ORDER BY id").map(({ subject }) => String(subject));
  }

  async #until<T>(key: number, what: string, probe: () => Promise<T | false>): Promise<T> {
    return await until(`${what} on ticket ${key}`, probe).catch(async (error) => {
      const stories = (await this.stories(key)).join("\n--\n");
      throw new Error(`${error}; it has:\n${stories}\nthe agent said:\n${this.agent.said}`);
    });
  }

  /** Runs `srvaudit` as root. */
  srvaudit(...args: string[]): Promise<Finished> {
    return run(this.host.asRoot([this.host.program("srvaudit"), ...args]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    await this.host[Symbol.asyncDispose]();
    this.proxy[Symbol.dispose]();
    await this.redmine[Symbol.asyncDispose]();
  }
}

/** The session that a story's part tells of, and its number. */
export function markOf(story: string): { session: string; part: number } {
  const [, session = "", part = "0"] = MARK.exec(story) ?? [];
  return { session, part: Number(part) };
}

/** Lines of a config: of two with the same key the second one holds. */
function merged(first: readonly string[], then: readonly string[]): string[] {
  const keyOf = (line: string) => line.slice(0, line.indexOf("="));
  return [...first.filter((line) => !then.some((other) => keyOf(other) === keyOf(line))), ...then];
}
