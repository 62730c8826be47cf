/** What the tests of the fake Jira ask it with: a client that does just what a test says. */

import assert from "node:assert/strict";
import { userNamed } from "./exchange.ts";
import { FakeJira, type FakeOptions } from "./fake_jira.ts";
import type { Edition, Issue, User } from "./world.ts";

/** What came back. */
export class Got {
  readonly json: unknown;

  constructor(readonly status: number, readonly headers: Headers, readonly text: string) {
    const isJson = headers.get("content-type")?.startsWith("application/json") ?? false;
    this.json = isJson && text !== "" ? JSON.parse(text) : undefined;
  }

  /** What there is in the body: `issues.*.key` gives the keys of all issues, and what is not there is undefined. */
  at(path: string): unknown {
    return within(this.json, path.split("."));
  }
}

function within(value: unknown, [name, ...rest]: string[]): unknown {
  if (name === undefined) return value;
  if (name === "*") return (value as unknown[]).map((one) => within(one, rest));
  return within((value as Record<string, unknown> | undefined)?.[name], rest);
}

/** Somebody who asks. */
export class Client {
  constructor(readonly jira: FakeJira, readonly user: User = userNamed(jira.world, jira.world.service)) {}

  /** The same Jira, asked by somebody else. */
  as(name: string): Client {
    return new Client(this.jira, userNamed(this.jira.world, name));
  }

  get authorization(): string {
    return this.jira.edition === "cloud"
      ? `Basic ${btoa(`${this.user.emailAddress}:${this.user.token}`)}`
      : `Bearer ${this.user.token}`;
  }

  urlOf(path: string): string {
    return `${this.jira.url}/rest/api/${this.jira.edition === "cloud" ? 3 : 2}${path}`;
  }

  async send(
    method: string,
    path: string,
    options: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Got> {
    const { body, headers } = options;
    const reply = await fetch(this.urlOf(path), {
      method,
      headers: {
        authorization: this.authorization,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return new Got(reply.status, reply.headers, await reply.text());
  }

  get(path: string): Promise<Got> {
    return this.send("GET", path);
  }

  post(path: string, body: unknown): Promise<Got> {
    return this.send("POST", path, { body });
  }

  put(path: string, body: unknown): Promise<Got> {
    return this.send("PUT", path, { body });
  }

  search(jql: string): Promise<Got> {
    return this.post(this.jira.edition === "cloud" ? "/search/jql" : "/search", { jql, fields: ["summary"] });
  }

  /** The keys of the issues that a query finds. */
  async keys(jql: string): Promise<unknown> {
    const got = await this.search(jql);
    assert.equal(got.status, 200, got.text);
    return got.at("issues.*.key");
  }
}

export const BOTH: Edition[] = ["cloud", "server"];

/** Registers a test for each edition, with a Jira of its own. */
export function testOn(
  editions: Edition[],
  name: string,
  fn: (client: Client, jira: FakeJira) => Promise<void>,
  options?: Partial<FakeOptions>,
): void {
  for (const edition of editions) {
    Deno.test(`the fake Jira (${edition}) ${name}`, async () => {
      await using jira = await FakeJira.start({ edition, ...options });
      await fn(new Client(jira), jira);
    });
  }
}

/** Checks that Jira said no, in its own shape. */
export function assertRefused(
  got: Got,
  status: number,
  said: { message?: RegExp; field?: string; fault?: RegExp },
): void {
  assert.equal(got.status, status, got.text);
  const { errorMessages, errors } = got.json as { errorMessages: string[]; errors: Record<string, string> };
  assert.ok(Array.isArray(errorMessages) && typeof errors === "object", got.text);
  if (said.message) assert.match(errorMessages.join("\n"), said.message);
  if (said.field) assert.match(errors[said.field] ?? "", said.fault ?? /./, got.text);
}

/** An issue of a Jira's world. */
export function issueOf(jira: FakeJira, key: string): Issue {
  return jira.world.issues.find((issue) => issue.key === key) ?? assert.fail(`there is no ${key}`);
}

/** A document of Atlassian's. */
export function document(...content: unknown[]) {
  return { version: 1, type: "doc", content };
}

/** A text as each edition has it. */
export function rich(edition: Edition, text: string): unknown {
  return edition === "cloud" ? document({ type: "paragraph", content: [{ type: "text", text }] }) : text;
}

/** What a new Task in OPS demands, but for its summary. */
export const TASK = {
  project: { key: "OPS" },
  issuetype: { name: "Task" },
  customfield_10040: { value: "staging" },
  customfield_10041: "routine",
};
