import assert from "node:assert/strict";
import { FakeJira, type FakeOptions } from "../support/jira/fake_jira.ts";
import type { Edition, Issue, User } from "../support/jira/world.ts";

interface Got {
  status: number;
  headers: Headers;
  text: string;
  // What a reply has in it is what the tests are about: they look into it as they find it.
  // deno-lint-ignore no-explicit-any
  json: any;
}

/** A client that does just what a test says. */
class Client {
  constructor(readonly jira: FakeJira, readonly user: User = userOf(jira, jira.world.service)) {}

  get authorization(): string {
    return this.jira.edition === "cloud"
      ? `Basic ${btoa(`${this.user.emailAddress}:${this.user.token}`)}`
      : `Bearer ${this.user.token}`;
  }

  async send(
    method: string,
    path: string,
    options: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Got> {
    const headers: Record<string, string> = { authorization: this.authorization };
    if (options.body !== undefined) headers["content-type"] = "application/json";
    const version = this.jira.edition === "cloud" ? 3 : 2;
    const reply = await fetch(`${this.jira.url}/rest/api/${version}${path}`, {
      method,
      headers: { ...headers, ...options.headers },
      ...(options.body === undefined
        ? {}
        : { body: typeof options.body === "string" ? options.body : JSON.stringify(options.body) }),
    });
    const text = await reply.text();
    const isJson = reply.headers.get("content-type")?.startsWith("application/json") ?? false;
    return {
      status: reply.status,
      headers: reply.headers,
      text,
      json: isJson && text !== "" ? JSON.parse(text) : undefined,
    };
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
    return this.jira.edition === "cloud"
      ? this.post("/search/jql", { jql, fields: ["summary"] })
      : this.post("/search", { jql, fields: ["summary"] });
  }

  async keys(jql: string): Promise<string[]> {
    const { status, text, json } = await this.search(jql);
    assert.equal(status, 200, text);
    return json.issues.map((issue: { key: string }) => issue.key);
  }
}

function userOf(jira: FakeJira, name: string): User {
  return jira.world.users.find((user) => user.name === name) as User;
}

function issueOf(jira: FakeJira, key: string): Issue {
  return jira.world.issues.find((issue) => issue.key === key) as Issue;
}

function document(...content: unknown[]) {
  return { version: 1, type: "doc", content };
}

function paragraph(text: string) {
  return { type: "paragraph", content: [{ type: "text", text }] };
}

/** Text as each edition has it. */
function rich(edition: Edition, text: string): unknown {
  return edition === "cloud" ? document(paragraph(text)) : text;
}

function testOn(
  editions: Edition[],
  name: string,
  fn: (client: Client, jira: FakeJira) => Promise<void>,
  options?: Partial<FakeOptions>,
) {
  for (const edition of editions) {
    Deno.test(`the fake Jira (${edition}): ${name}`, async () => {
      await using jira = await FakeJira.start({ edition, ...options });
      await fn(new Client(jira), jira);
    });
  }
}

const BOTH: Edition[] = ["cloud", "server"];

function assertRefused(
  got: Got,
  status: number,
  said: { message?: RegExp; field?: string; fault?: RegExp },
): void {
  assert.equal(got.status, status, got.text);
  assert.ok(Array.isArray(got.json.errorMessages) && typeof got.json.errors === "object", got.text);
  if (said.message) assert.match(got.json.errorMessages.join("\n"), said.message);
  if (said.field) assert.match(got.json.errors[said.field] ?? "", said.fault ?? /./, got.text);
}

testOn(BOTH, "says what it is to everybody", async (client, jira) => {
  const got = await (await fetch(`${jira.url}/rest/api/2/serverInfo`)).json();
  assert.equal(got.deploymentType, jira.edition === "cloud" ? "Cloud" : "Server");
  assert.equal(got.baseUrl, jira.url);
  const wrong = await client.send("GET", "/serverInfo", { headers: { authorization: "Bearer wrong" } });
  assert.equal(wrong.status, 401);
});

testOn(["server"], "has no version 3", async (_client, jira) => {
  const got = await fetch(`${jira.url}/rest/api/3/serverInfo`);
  await got.text();
  assert.equal(got.status, 404);
}, { contextPath: "/jira" });

testOn(BOTH, "knows whose token it is, and refuses all else with 401", async (client, jira) => {
  const got = await client.get("/myself");
  assert.equal(got.json.displayName, "srvAudit");
  assert.equal("accountId" in got.json, jira.edition === "cloud");
  assert.equal("name" in got.json, jira.edition === "server");
  assert.equal(got.headers.get("x-ausername"), jira.edition === "server" ? "srvaudit" : null);
  const wrong = await client.send("GET", "/myself", {
    headers: {
      authorization: jira.edition === "cloud" ? `Basic ${btoa(`${jira.mail}:wrong`)}` : "Bearer wrong",
    },
  });
  assert.equal(wrong.status, 401);
  assert.equal(wrong.headers.get("x-seraph-loginreason"), "AUTHENTICATED_FAILED");
  assert.match(wrong.headers.get("www-authenticate") ?? "", /^OAuth realm=/);
  assert.match(wrong.text, /Client must be authenticated to access this resource\./);
  const nobody = await fetch(`${jira.url}/rest/api/latest/myself`);
  assert.equal(nobody.status, 401);
  await nobody.text();
});

testOn(["cloud"], "takes no Bearer, nor a closed account's token", async (client, jira) => {
  assert.equal(
    (await client.send("GET", "/myself", { headers: { authorization: `Bearer ${jira.token}` } })).status,
    401,
  );
  assert.equal((await new Client(jira, userOf(jira, "carol")).get("/myself")).status, 401);
});

testOn(
  ["cloud"],
  "demands a CAPTCHA after three wrong tokens, of the right one too",
  async (client, jira) => {
    const wrong = { headers: { authorization: `Basic ${btoa(`${jira.mail}:wrong`)}` } };
    for (let time = 0; time < 3; time++) {
      assert.equal(
        (await client.send("GET", "/myself", wrong)).status,
        401,
      );
    }
    const got = await client.get("/myself");
    assert.equal(got.status, 403);
    assert.match(got.headers.get("x-authentication-denied-reason") ?? "", /^CAPTCHA_CHALLENGE; login-url=/);
    jira.world.failedLogins = {};
    assert.equal((await client.get("/myself")).status, 200);
  },
);

testOn(BOTH, "takes JSON alone, whole JSON, and no browser's forgeries", async (client) => {
  const path = "/issue/OPS-1/comment";
  const form = await client.send("POST", path, { body: "{}", headers: { "content-type": "text/plain" } });
  assert.equal(form.status, 415);
  assertRefused(await client.send("POST", path, { body: '{"body":' }), 400, { message: /./ });
  assertRefused(
    await client.send("POST", path, { body: {}, headers: { "user-agent": "Mozilla/5.0" } }),
    403,
    {
      message: /XSRF check failed/,
    },
  );
});

testOn(
  BOTH,
  "knows no paths, methods, query parameters and fields but those of the reference",
  async (client) => {
    assert.equal((await client.get("/issues/OPS-1")).status, 404);
    assert.equal((await client.send("PUT", "/myself", { body: {} })).status, 405);
    assertRefused(await client.get("/issue/OPS-1?field=summary"), 400, { message: /'field'/ });
    assertRefused(await client.post("/issue/OPS-1/comment", { text: "x" }), 400, { message: /./ });
  },
);

testOn(
  ["cloud"],
  "finds users by query or accountId, and keeps a hidden mail to itself",
  async (client, jira) => {
    const alice = await client.get("/user/search?query=alice@corp");
    assert.deepEqual(alice.json.map((user: { displayName: string }) => user.displayName), ["Alice Archer"]);
    const bob = await client.get("/user/search?query=bob@corp.example");
    assert.deepEqual(bob.json.map((user: object) => "emailAddress" in user), [false]);
    assert.deepEqual((await client.get("/user/search?query=bob@")).json, []);
    const { accountId } = userOf(jira, "carol");
    const carol = await client.get(`/user/search?accountId=${encodeURIComponent(accountId)}`);
    assert.equal(carol.json[0].active, false);
    assertRefused(await client.get("/user/search"), 400, { message: /was not provided/ });
    assertRefused(await client.get("/user/search?username=alice"), 400, { message: /username/ });
  },
);

testOn(
  ["server"],
  "finds users by username, closed accounts only where they are asked for",
  async (client) => {
    const names = async (query: string) =>
      (await client.get(`/user/search?${query}`)).json.map((user: { name: string }) => user.name);
    assert.deepEqual(await names("username=alice"), ["alice"]);
    assert.deepEqual(await names("username=carol"), []);
    assert.deepEqual(await names("username=carol&includeInactive=true"), ["carol"]);
    assertRefused(await client.get("/user/search?query=alice"), 400, { message: /'query'/ });
  },
);

testOn(BOTH, "knows who can be assigned where", async (client, jira) => {
  const found = await client.get("/user/assignable/search?project=OPS&maxResults=100");
  assert.deepEqual(found.json.map((user: { displayName: string }) => user.displayName), [
    "srvAudit",
    "Alice Archer",
    "Bob Baker",
  ]);
  const person = jira.edition === "cloud" ? "query=bob" : "username=bob";
  assert.equal((await client.get(`/user/assignable/search?issueKey=OPS-1&${person}`)).json.length, 1);
  assertRefused(await client.get(`/user/assignable/search?${person}`), 400, {
    message: /needs to be provided/,
  });
});

testOn(BOTH, "shows projects, and hides those that one may not browse", async (client, jira) => {
  const ops = await client.get("/project/OPS");
  assert.deepEqual(ops.json.issueTypes.map((type: { name: string }) => type.name), ["Task", "Bug"]);
  assertRefused(await client.get("/project/SECRET"), 404, {
    message: /No project could be found with key 'SECRET'\./,
  });
  const listed = jira.edition === "cloud"
    ? (await client.get("/project/search")).json.values
    : (await client.get("/project")).json;
  assert.deepEqual(listed.map((project: { key: string }) => project.key), ["OPS", "WEB"]);
});

testOn(BOTH, "says what a new issue demands, by pages", async (client, jira) => {
  const cloud = jira.edition === "cloud";
  const types = await client.get("/issue/createmeta/OPS/issuetypes");
  const listed = types.json[cloud ? "issueTypes" : "values"];
  assert.deepEqual(listed.map((type: { name: string }) => type.name), ["Task", "Bug"]);
  const seen: {
    fieldId: string;
    required: boolean;
    hasDefaultValue: boolean;
    allowedValues?: { value: string }[];
  }[] = [];
  for (let startAt = 0, total = 1; startAt < total; startAt += 3) {
    const page = await client.get(
      `/issue/createmeta/OPS/issuetypes/${listed[0].id}?startAt=${startAt}&maxResults=3`,
    );
    seen.push(...page.json[cloud ? "fields" : "values"]);
    total = page.json.total;
  }
  const demanded = seen.filter((field) => field.required && !field.hasDefaultValue).map((field) =>
    field.fieldId
  );
  assert.deepEqual(demanded, ["issuetype", "project", "summary", "customfield_10040", "customfield_10041"]);
  const environment = seen.find((field) => field.fieldId === "customfield_10040");
  assert.deepEqual(environment?.allowedValues?.map(({ value }) => value), ["production", "staging"]);
  assert.equal((await client.get("/issue/createmeta/SECRET/issuetypes")).status, cloud ? 400 : 403);
});

const TASK = {
  project: { key: "OPS" },
  issuetype: { name: "Task" },
  customfield_10040: { value: "staging" },
  customfield_10041: "routine",
};

testOn(BOTH, "makes an issue when all that is demanded is there", async (client, jira) => {
  const alice = jira.edition === "cloud" ? { accountId: userOf(jira, "alice").accountId } : { name: "alice" };
  const got = await client.post("/issue", { fields: { ...TASK, summary: "Swap the fan", assignee: alice } });
  assert.equal(got.status, 201, got.text);
  assert.deepEqual(Object.keys(got.json), ["id", "key", "self"]);
  assert.equal(got.json.key, "OPS-18");
  const { summary, assignee, reporter, fields } = issueOf(jira, "OPS-18");
  assert.deepEqual({ summary, assignee, reporter }, {
    summary: "Swap the fan",
    assignee: "alice",
    reporter: "srvaudit",
  });
  assert.deepEqual(fields.customfield_10040, { id: "10101", value: "staging" });
});

testOn(BOTH, "says by field what a new issue lacks or has too much", async (client) => {
  const { json } = await client.post("/issue", {
    fields: {
      project: { key: "OPS" },
      issuetype: { name: "Task" },
      customfield_10040: { value: "moon" },
      colour: "red",
    },
  });
  assert.deepEqual(json, {
    errorMessages: [],
    errors: {
      customfield_10040: "Option value 'moon' is not valid",
      colour: "Field 'colour' cannot be set. It is not on the appropriate screen, or unknown.",
      customfield_10041: "Change reason is required.",
      summary: "You must specify a summary of the issue.",
    },
  });
  assertRefused(await client.post("/issue", { fields: { project: { key: "SECRET" } } }), 400, {
    field: "project",
  });
  assertRefused(
    await client.post("/issue", { fields: { project: { key: "OPS" }, issuetype: { name: "Story" } } }),
    400,
    {
      field: "issuetype",
    },
  );
});

testOn(BOTH, "takes summaries of one line of 255 characters", async (client) => {
  const summed = (summary: string) => client.post("/issue", { fields: { ...TASK, summary } });
  assert.equal((await summed("x".repeat(255))).status, 201);
  assertRefused(await summed("x".repeat(256)), 400, { field: "summary", fault: /255 characters/ });
  assertRefused(await summed("one\ntwo"), 400, { field: "summary", fault: /newline characters/ });
  assertRefused(await summed("bell \u0007"), 400, { field: "summary" });
});

testOn(
  BOTH,
  "takes for assignees those only who can be assigned, by their own edition's name",
  async (client, jira) => {
    const cloud = jira.edition === "cloud";
    const with_ = (assignee: unknown) =>
      client.post("/issue", { fields: { ...TASK, summary: "s", assignee } });
    const carol = userOf(jira, "carol");
    assertRefused(await with_(cloud ? { accountId: carol.accountId } : { name: "carol" }), 400, {
      field: "assignee",
    });
    assertRefused(
      await with_(cloud ? { name: "alice" } : { accountId: userOf(jira, "alice").accountId }),
      400,
      {
        field: "assignee",
      },
    );
  },
);

testOn(
  BOTH,
  "shows an issue, the fields that are asked for, and hides what one may not browse",
  async (client, jira) => {
    const got = await client.get("/issue/ops-17?fields=summary,status");
    assert.equal(got.json.key, "OPS-17");
    assert.deepEqual(Object.keys(got.json.fields).sort(), ["status", "summary"]);
    assert.equal(got.json.fields.status.statusCategory.key, "new");
    const message = jira.edition === "cloud"
      ? /^Issue does not exist or you do not have permission to see it\.$/
      : /^Issue Does Not Exist$/;
    assertRefused(await client.get("/issue/OPS-999"), 404, { message });
    assertRefused(await client.get("/issue/SECRET-1"), 404, { message });
    assert.equal((await new Client(jira, userOf(jira, "alice")).get("/issue/SECRET-1")).status, 200);
  },
);

testOn(
  BOTH,
  "offers the transitions that the status and the account allow, and takes no others",
  async (client, jira) => {
    const offered = async (from: Client, key: string) =>
      (await from.get(`/issue/${key}/transitions`)).json.transitions.map((one: { name: string }) => one.name);
    assert.deepEqual(await offered(client, "OPS-1"), ["Start work"]);
    assert.deepEqual(await offered(client, "OPS-2"), ["Wait", "Resolve", "Put back"]);
    assert.deepEqual(await offered(new Client(jira, userOf(jira, "alice")), "OPS-1"), [
      "Start work",
      "Cancel",
    ]);
    const go = (id: unknown) => client.post("/issue/OPS-1/transitions", { transition: { id } });
    assertRefused(await go("31"), 400, { message: /Transition id '31' is not valid for this issue\./ });
    assertRefused(await go("61"), 400, { message: /Transition id '61'/ });
    assertRefused(await go(undefined), 400, { message: /Missing 'transition' identifier/ });
    assert.equal((await go("11")).status, 204);
    assert.equal(issueOf(jira, "OPS-1").status, "In Progress");
    const history =
      (await client.get("/issue/OPS-1?fields=summary&expand=changelog")).json.changelog.histories;
    assert.equal(history[0].items[0].fromString, "To Do");
    assert.equal(history[0].items[0].toString, "In Progress");
  },
);

testOn(
  BOTH,
  "demands a resolution where the transition's screen does, and nowhere else",
  async (client, jira) => {
    const path = "/issue/OPS-2/transitions";
    const resolve = (await client.get(`${path}?expand=transitions.fields`)).json.transitions[1];
    assert.equal(resolve.fields.resolution.required, true);
    assertRefused(await client.post(path, { transition: { id: "31" } }), 400, {
      field: "resolution",
      fault: /is required/,
    });
    assertRefused(
      await client.post(path, { transition: { id: "21" }, fields: { resolution: { name: "Done" } } }),
      400,
      {
        field: "resolution",
        fault: /not on the appropriate screen/,
      },
    );
    const done = await client.post(path, {
      transition: { id: "31" },
      fields: { resolution: { name: "Done" } },
    });
    assert.equal(done.status, 204);
    assert.equal(issueOf(jira, "OPS-2").resolution, "Done");
  },
);

testOn(BOTH, "keeps comments, by pages, and lets everybody change his own", async (client, jira) => {
  const path = "/issue/OPS-1/comment";
  const ids: string[] = [];
  for (const text of ["one", "two", "three"]) {
    const got = await client.post(path, { body: rich(jira.edition, text) });
    assert.equal(got.status, 201, got.text);
    ids.push(got.json.id);
  }
  const second = await client.get(`${path}?startAt=1&maxResults=1`);
  assert.deepEqual([second.json.total, second.json.comments[0].id], [3, ids[1]]);
  assert.equal((await client.get(`${path}?orderBy=-created`)).json.comments[0].id, ids[2]);
  assertRefused(await client.get(`${path}?orderBy=author`), 400, { message: /order/ });
  const edited = await client.put(`${path}/${ids[0]}`, { body: rich(jira.edition, "first") });
  assert.deepEqual(edited.json.body, rich(jira.edition, "first"));
  const bob = new Client(jira, userOf(jira, "bob"));
  assertRefused(await bob.put(`${path}/${ids[0]}`, { body: rich(jira.edition, "x") }), 400, {
    message: /permission to edit/,
  });
  jira.world.projects[0]?.permissions.bob?.push("EDIT_ALL_COMMENTS");
  assert.equal((await bob.put(`${path}/${ids[0]}`, { body: rich(jira.edition, "x") })).status, 200);
  assertRefused(await client.put(`${path}/1`, { body: rich(jira.edition, "x") }), 404, {
    message: /comment for the id: 1\./,
  });
});

testOn(["cloud"], "takes documents of the published schema alone", async (client) => {
  const comment = (body: unknown) => client.post("/issue/OPS-1/comment", { body });
  assertRefused(await comment("plain"), 400, { field: "comment", fault: /Comment body is not valid!/ });
  const bad = [
    document({ type: "paragraph", content: [{ type: "text", text: "" }] }),
    document({ type: "codeBlock", content: [{ type: "text", text: "x", marks: [{ type: "strong" }] }] }),
    document({ type: "heading", content: [] }),
    { type: "doc", content: [] },
  ];
  for (const body of bad) assertRefused(await comment(body), 400, { message: /^INVALID_INPUT$/ });
  assertRefused(await comment(document()), 400, { field: "comment", fault: /can not be empty/ });
  assertRefused(
    await client.post("/issue", { fields: { ...TASK, summary: "s", description: "plain" } }),
    400,
    {
      field: "description",
      fault: /Operation value must be an Atlassian Document/,
    },
  );
});

testOn(BOTH, "takes comments of 32767 characters, and none that XML cannot have", async (client, jira) => {
  const cloud = jira.edition === "cloud";
  const around = cloud ? JSON.stringify(rich("cloud", "")).length : 0;
  const comment = (text: string) => client.post("/issue/OPS-1/comment", { body: rich(jira.edition, text) });
  assert.equal((await comment("x".repeat(32767 - around))).status, 201);
  const long = await comment("x".repeat(32768 - around));
  if (cloud) assertRefused(long, 400, { message: /^CONTENT_LIMIT_EXCEEDED$/ });
  else assertRefused(long, 400, { field: "comment", fault: /allowed limit of 32,767 characters/ });
  for (const odd of ["\u0000", "\u001b[31m", "\ud800", "\uffff"]) {
    assertRefused(await comment(`a${odd}b`), 400, { field: "comment" });
  }
  assert.equal((await comment("tab\tline\n\u0085 😀")).status, 201);
});

testOn(
  BOTH,
  "keeps worklogs of a minute and more, that start at a date in its own format",
  async (client, jira) => {
    const path = "/issue/OPS-1/worklog";
    const started = "2025-03-01T12:00:00.000+0100";
    const got = await client.post(path, {
      started,
      timeSpentSeconds: 90,
      comment: rich(jira.edition, "work"),
    });
    assert.equal(got.status, 201, got.text);
    assert.equal(got.json.started, "2025-03-01T11:00:00.000+0000");
    assert.equal((await client.get(path)).json.worklogs[0].timeSpentSeconds, 90);
    assertRefused(await client.post(path, { started, timeSpentSeconds: 59 }), 400, { field: "timeLogged" });
    assertRefused(await client.post(path, { started }), 400, {
      field: "timeLogged",
      fault: /must indicate the time/,
    });
    for (
      const odd of ["2025-03-01T12:00:00.000Z", "2025-03-01T12:00:00+0100", "2025-03-01T12:00:00.000+01:00"]
    ) {
      const refused = await client.post(path, { started: odd, timeSpentSeconds: 60 });
      assertRefused(refused, jira.edition === "cloud" ? 400 : 500, { message: /./ });
    }
  },
);

testOn(
  BOTH,
  "refuses by permission: to create, to comment, to log work, to take a transition",
  async (client, jira) => {
    const granted = jira.world.projects[0]?.permissions ?? {};
    granted.srvaudit = ["BROWSE_PROJECTS"];
    assertRefused(await client.post("/issue", { fields: { ...TASK, summary: "s" } }), 400, {
      field: "project",
    });
    assertRefused(await client.post("/issue/OPS-1/comment", { body: rich(jira.edition, "x") }), 400, {
      message: /permission to comment/,
    });
    assertRefused(await client.post("/issue/OPS-1/worklog", { timeSpentSeconds: 60 }), 400, {
      message: /permission/,
    });
    assert.deepEqual((await client.get("/issue/OPS-1/transitions")).json.transitions, []);
    const mine = await client.get("/mypermissions?permissions=BROWSE_PROJECTS,ADD_COMMENTS&projectKey=OPS");
    assert.equal(mine.json.permissions.BROWSE_PROJECTS.havePermission, true);
    assert.equal(mine.json.permissions.ADD_COMMENTS.havePermission, false);
    assertRefused(await client.get("/mypermissions?permissions=FLY"), 400, {
      message: /Unrecognized permission/,
    });
  },
);

testOn(BOTH, "lets nothing archived be changed or found, though it can be read", async (client, jira) => {
  assert.equal((await client.get("/issue/OLD-1")).status, 200);
  assertRefused(await client.post("/issue/OLD-1/comment", { body: rich(jira.edition, "x") }), 400, {
    message: /archived/,
  });
  assert.deepEqual(await client.keys("summary ~ punch"), []);
});

testOn(BOTH, "finds by JQL what a client asks for", async (client, jira) => {
  const alice = jira.edition === "cloud" ? userOf(jira, "alice").accountId : "alice";
  assert.deepEqual(await client.keys("project in (OPS, WEB) AND statusCategory != Done ORDER BY key ASC"), [
    "OPS-1",
    "OPS-2",
    "OPS-17",
    "WEB-1",
    "WEB-2",
  ]);
  assert.deepEqual(await client.keys(`assignee = "${alice}" and project = 'OPS' order by created desc`), [
    "OPS-17",
    "OPS-2",
  ]);
  issueOf(jira, "OPS-1").assignee = "srvaudit";
  assert.deepEqual(await client.keys("assignee = currentUser()"), ["OPS-1"]);
  assert.deepEqual(await client.keys("project = WEB and assignee is EMPTY"), ["WEB-1"]);
  assert.deepEqual(await client.keys("not (project = OPS or key = WEB-2)"), ["WEB-1"]);
  assert.deepEqual(await client.keys('text ~ "mail.corp.example certificates"'), ["OPS-17"]);
  assert.deepEqual(await client.keys('text ~ "\\"the kernel\\""'), ["OPS-2"]);
  assert.deepEqual(await client.keys('summary ~ "cert*"'), ["OPS-17"]);
  assert.deepEqual(await client.keys('summary ~ "disk -replace"'), []);
  assert.deepEqual(await client.keys('summary ~ "db1\\\\-"'), ["OPS-1"]);
});

testOn(BOTH, "refuses JQL that is broken, or names what is not there", async (client, jira) => {
  const broken: [string, RegExp][] = [
    ["project = ", /Expecting either a value, list or function/],
    ["project OPS", /Expecting operator but got 'OPS'/],
    ["project = OPS AND", /Expecting field name/],
    ["project = OPS)", /Expecting either 'OR' or 'AND' but got '\)'/],
    ['summary ~ "x', /has not been completed/],
    ['summary ~ "\\x"', /illegal JQL escape sequence/],
    ["summary ~ and", /'and' is a reserved JQL word/],
    ["summary ~ a/b", /'\/' is a reserved JQL character/],
    ["colour = red", /Field 'colour' does not exist or you do not have permission to view it\./],
    ["project = OPS order by colour", /Field 'colour' does not exist/],
    ["project = SECRET", /The value 'SECRET' does not exist for the field 'project'\./],
    ["summary = x", /The operator '=' is not supported by the 'summary' field\./],
    ["assignee = nobody", /The value 'nobody' does not exist for the field 'assignee'\./],
    [
      "key = SECRET-1",
      jira.edition === "cloud" ? /Issue does not exist/ : /An issue with key 'SECRET-1' does not exist/,
    ],
    ['text ~ "a/b"', /Unable to parse the text/],
    ['text ~ "(a"', /Unable to parse the text/],
    ['text ~ "*a"', /not allowed to start with character '\*'/],
    ['text ~ ""', /searching for an empty string/],
  ];
  for (const [jql, message] of broken) assertRefused(await client.search(jql), 400, { message });
});

testOn(
  ["cloud"],
  "searches by pages with a token, gives ids alone by default, and has no old search",
  async (client) => {
    const jql = "project = OPS";
    const first = (await client.post("/search/jql", { jql, maxResults: 3 })).json;
    assert.deepEqual(Object.keys(first.issues[0]), ["id"]);
    assert.deepEqual([first.issues.length, first.isLast, "total" in first], [3, false, false]);
    const next =
      (await client.post("/search/jql", { jql, maxResults: 3, nextPageToken: first.nextPageToken })).json;
    assert.deepEqual([next.issues.length, next.isLast, "nextPageToken" in next], [1, true, false]);
    const byGet = await client.get(`/search/jql?jql=${encodeURIComponent(jql)}&fields=summary&maxResults=1`);
    assert.equal(byGet.json.issues[0].fields.summary, "Renew the certificates of mail.corp.example");
    assertRefused(
      await client.post("/search/jql", { jql: "key = OPS-1", nextPageToken: first.nextPageToken }),
      400,
      {
        message: /token/,
      },
    );
    assertRefused(await client.post("/search/jql", { jql, startAt: 0 }), 400, {
      message: /Invalid request payload/,
    });
    assertRefused(await client.post("/search/jql", { jql: "order by created" }), 400, {
      message: /Unbounded JQL/,
    });
    assertRefused(await client.get("/search?jql=project=OPS"), 410, { message: /CHANGE-2046/ });
  },
);

testOn(["server"], "searches by pages with startAt", async (client) => {
  const got = await client.post("/search", { jql: "project = OPS", startAt: 3, maxResults: 2 });
  assert.deepEqual([got.json.total, got.json.issues.length], [4, 1]);
  assert.ok(got.json.issues[0].fields.status);
  assertRefused(await client.post("/search", { jql: "", nextPageToken: "x" }), 400, {
    message: /Unrecognized field/,
  });
  assert.equal((await client.get("/search/jql?jql=project=OPS")).status, 404);
});

testOn(["cloud"], "has the history of an issue by pages", async (client) => {
  for (const id of ["21", "41", "11"]) await client.post("/issue/OPS-2/transitions", { transition: { id } });
  const got = await client.get("/issue/OPS-2/changelog?startAt=1&maxResults=1");
  assert.deepEqual([got.json.total, got.json.isLast, got.json.values[0].items[0].toString], [
    3,
    false,
    "To Do",
  ]);
});

testOn(BOTH, "lists statuses with their categories, and fields", async (client) => {
  const statuses = (await client.get("/status")).json;
  assert.deepEqual(statuses.map((one: { statusCategory: { key: string } }) => one.statusCategory.key), [
    "new",
    "indeterminate",
    "indeterminate",
    "done",
    "done",
  ]);
  const fields = (await client.get("/field")).json;
  assert.ok(
    fields.some((field: { id: string; name: string }) =>
      field.id === "customfield_10041" && field.name === "Change reason"
    ),
  );
});

testOn(BOTH, "says 429 when too much was asked", async (client, jira) => {
  jira.world.rateLimit = { limit: 10, remaining: 1, retryAfterS: 7 };
  assert.equal((await client.get("/myself")).headers.get("x-ratelimit-remaining"), "0");
  const got = await client.get("/myself");
  assert.equal(got.status, 429);
  assert.equal(got.headers.get("retry-after"), "7");
  assert.equal(got.headers.get("x-ratelimit-remaining"), "0");
});

testOn(BOTH, "goes wrong as it is told, so often, and keeps a log", async (client, jira) => {
  {
    using _once = jira.fault({
      on: /^GET \/rest\/api\/\d\/myself/,
      times: 1,
      what: { kind: "status", status: 502 },
    });
    const got = await client.get("/myself");
    assert.deepEqual([got.status, got.headers.get("content-type")], [502, "text/html"]);
    assert.equal((await client.get("/myself")).status, 200);
  }
  for (const status of [400, 401, 403, 404, 409, 429, 500] as const) {
    using _fault = jira.fault({ on: /myself/, what: { kind: "status", status, retryAfterS: 3 } });
    assert.equal((await client.get("/myself")).status, status);
  }
  {
    using _cut = jira.fault({ on: /POST/, what: { kind: "cut" } });
    await assert.rejects(client.post("/issue/OPS-1/comment", { body: rich(jira.edition, "x") }));
    assert.equal(issueOf(jira, "OPS-1").comments.length, 1);
  }
  {
    using _slow = jira.fault({ on: /myself/, what: { kind: "slow", ms: 1 } });
    assert.equal((await client.get("/myself")).status, 200);
  }
  const { method, path, requestBytes, replyBytes, status } = jira.requests.findLast((one) =>
    one.method === "POST"
  ) ?? assert.fail();
  assert.match(path, /\/rest\/api\/\d\/issue\/OPS-1\/comment$/);
  assert.deepEqual([method, status], ["POST", 201]);
  assert.ok(requestBytes > 10 && replyBytes > 100);
});

testOn(BOTH, "can say nothing at all, whether or not it did what it was asked", async (client, jira) => {
  for (const carriedOut of [false, true]) {
    using _silent = jira.fault({ on: /comment/, what: { kind: "silent", carriedOut } });
    const gaveUp = new AbortController();
    const count = jira.requests.length;
    const asked = fetch(`${jira.url}/rest/api/${jira.edition === "cloud" ? 3 : 2}/issue/OPS-1/comment`, {
      method: "POST",
      signal: gaveUp.signal,
      headers: { authorization: client.authorization, "content-type": "application/json" },
      body: JSON.stringify({ body: rich(jira.edition, "x") }),
    });
    while (jira.requests.length === count) await new Promise((resolve) => setTimeout(resolve, 1));
    gaveUp.abort();
    await assert.rejects(asked, { name: "AbortError" });
    assert.equal(issueOf(jira, "OPS-1").comments.length, carriedOut ? 1 : 0);
    assert.equal(jira.requests.at(-1)?.status, 0);
  }
});
