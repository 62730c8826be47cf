import assert from "node:assert/strict";
import {
  assertRefused,
  BOTH,
  Client,
  document,
  issueOf,
  rich,
  TASK,
  testOn,
} from "../support/jira/client.ts";
import { userNamed } from "../support/jira/exchange.ts";

testOn(
  ["cloud"],
  "finds users by query or accountId, and keeps a hidden mail to itself",
  async (client, jira) => {
    const alice = await client.get("/user/search?query=alice@corp");
    assert.deepEqual(alice.at("*.displayName"), ["Alice Archer"]);
    const bob = await client.get("/user/search?query=bob@corp.example");
    assert.deepEqual(bob.at("*.emailAddress"), [undefined]);
    assert.deepEqual((await client.get("/user/search?query=bob@")).at("*.accountId"), []);
    const { accountId } = userNamed(jira.world, "carol");
    const carol = await client.get(`/user/search?accountId=${encodeURIComponent(accountId)}`);
    assert.equal(carol.at("0.active"), false);
    assertRefused(await client.get("/user/search"), 400, { message: /was not provided/ });
    assertRefused(await client.get("/user/search?username=alice"), 400, { message: /username/ });
  },
);

testOn(
  ["server"],
  "finds users by username, closed accounts only where they are asked for",
  async (client) => {
    const names = async (query: string) => (await client.get(`/user/search?${query}`)).at("*.name");
    assert.deepEqual(await names("username=alice"), ["alice"]);
    assert.deepEqual(await names("username=carol"), []);
    assert.deepEqual(await names("username=carol&includeInactive=true"), ["carol"]);
    assertRefused(await client.get("/user/search?query=alice"), 400, { message: /'query'/ });
  },
);

testOn(BOTH, "knows who can be assigned where", async (client, jira) => {
  const found = await client.get("/user/assignable/search?project=OPS&maxResults=100");
  assert.deepEqual(found.at("*.displayName"), [
    "srvAudit",
    "Alice Archer",
    "Bob Baker",
  ]);
  const person = jira.edition === "cloud" ? "query=bob" : "username=bob";
  assert.equal((await client.get(`/user/assignable/search?issueKey=OPS-1&${person}`)).at("length"), 1);
  assertRefused(await client.get(`/user/assignable/search?${person}`), 400, {
    message: /needs to be provided/,
  });
});

testOn(BOTH, "shows projects, and hides those that one may not browse", async (client, jira) => {
  const ops = await client.get("/project/OPS");
  assert.deepEqual(ops.at("issueTypes.*.name"), ["Task", "Bug"]);
  assertRefused(await client.get("/project/SECRET"), 404, {
    message: /No project could be found with key 'SECRET'\./,
  });
  const listed = jira.edition === "cloud"
    ? (await client.get("/project/search")).at("values.*.key")
    : (await client.get("/project")).at("*.key");
  assert.deepEqual(listed, ["OPS", "WEB"]);
});

testOn(BOTH, "says what a new issue demands, by pages", async (client, jira) => {
  const cloud = jira.edition === "cloud";
  const types = await client.get("/issue/createmeta/OPS/issuetypes");
  assert.deepEqual(types.at(cloud ? "issueTypes.*.name" : "values.*.name"), ["Task", "Bug"]);
  const path = `/issue/createmeta/OPS/issuetypes/${types.at(cloud ? "issueTypes.0.id" : "values.0.id")}`;
  const seen: { fieldId: string; required: boolean; hasDefaultValue: boolean; allowedValues?: unknown[] }[] =
    [];
  for (let startAt = 0, total = 1; startAt < total; startAt += 3) {
    const page = await client.get(`${path}?startAt=${startAt}&maxResults=3`);
    seen.push(...page.at(cloud ? "fields" : "values") as typeof seen);
    total = page.at("total") as number;
  }
  const demanded = seen.filter((field) => field.required && !field.hasDefaultValue).map((field) =>
    field.fieldId
  );
  assert.deepEqual(demanded, ["issuetype", "project", "summary", "customfield_10040", "customfield_10041"]);
  const environment = await client.get(`${path}?startAt=8&maxResults=1`);
  assert.deepEqual(environment.at(`${cloud ? "fields" : "values"}.0.allowedValues.*.value`), [
    "production",
    "staging",
  ]);
  assert.equal((await client.get("/issue/createmeta/SECRET/issuetypes")).status, cloud ? 400 : 403);
});

testOn(BOTH, "makes an issue when all that is demanded is there", async (client, jira) => {
  const alice = jira.edition === "cloud"
    ? { accountId: userNamed(jira.world, "alice").accountId }
    : { name: "alice" };
  const got = await client.post("/issue", { fields: { ...TASK, summary: "Swap the fan", assignee: alice } });
  assert.equal(got.status, 201, got.text);
  assert.deepEqual(Object.keys(got.json as object), ["id", "key", "self"]);
  assert.equal(got.at("key"), "OPS-18");
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
    const carol = userNamed(jira.world, "carol");
    assertRefused(await with_(cloud ? { accountId: carol.accountId } : { name: "carol" }), 400, {
      field: "assignee",
    });
    assertRefused(
      await with_(cloud ? { name: "alice" } : { accountId: userNamed(jira.world, "alice").accountId }),
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
    assert.equal(got.at("key"), "OPS-17");
    assert.deepEqual(Object.keys(got.at("fields") as object).sort(), ["status", "summary"]);
    assert.equal(got.at("fields.status.statusCategory.key"), "new");
    const message = jira.edition === "cloud"
      ? /^Issue does not exist or you do not have permission to see it\.$/
      : /^Issue Does Not Exist$/;
    assertRefused(await client.get("/issue/OPS-999"), 404, { message });
    assertRefused(await client.get("/issue/SECRET-1"), 404, { message });
    assert.equal((await client.as("alice").get("/issue/SECRET-1")).status, 200);
  },
);

testOn(
  BOTH,
  "offers the transitions that the status and the account allow, and takes no others",
  async (client, jira) => {
    const offered = async (from: Client, key: string) =>
      (await from.get(`/issue/${key}/transitions`)).at("transitions.*.name");
    assert.deepEqual(await offered(client, "OPS-1"), ["Start work"]);
    assert.deepEqual(await offered(client, "OPS-2"), ["Wait", "Resolve", "Put back"]);
    assert.deepEqual(await offered(client.as("alice"), "OPS-1"), [
      "Start work",
      "Cancel",
    ]);
    const go = (id: unknown) => client.post("/issue/OPS-1/transitions", { transition: { id } });
    assertRefused(await go("31"), 400, { message: /Transition id '31' is not valid for this issue\./ });
    assertRefused(await go("61"), 400, { message: /Transition id '61'/ });
    assertRefused(await go(undefined), 400, { message: /Missing 'transition' identifier/ });
    assert.equal((await go("11")).status, 204);
    assert.equal(issueOf(jira, "OPS-1").status, "In Progress");
    const history = await client.get("/issue/OPS-1?fields=summary&expand=changelog");
    assert.equal(history.at("changelog.histories.0.items.0.fromString"), "To Do");
    assert.equal(history.at("changelog.histories.0.items.0.toString"), "In Progress");
  },
);

testOn(
  BOTH,
  "demands a resolution where the transition's screen does, and nowhere else",
  async (client, jira) => {
    const path = "/issue/OPS-2/transitions";
    const offered = await client.get(`${path}?expand=transitions.fields`);
    assert.equal(offered.at("transitions.1.fields.resolution.required"), true);
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
  const ids: unknown[] = [];
  for (const text of ["one", "two", "three"]) {
    const got = await client.post(path, { body: rich(jira.edition, text) });
    assert.equal(got.status, 201, got.text);
    ids.push(got.at("id"));
  }
  const second = await client.get(`${path}?startAt=1&maxResults=1`);
  assert.deepEqual([second.at("total"), second.at("comments.0.id")], [3, ids[1]]);
  assert.equal((await client.get(`${path}?orderBy=-created`)).at("comments.0.id"), ids[2]);
  assertRefused(await client.get(`${path}?orderBy=author`), 400, { message: /order/ });
  const edited = await client.put(`${path}/${ids[0]}`, { body: rich(jira.edition, "first") });
  assert.deepEqual(edited.at("body"), rich(jira.edition, "first"));
  const bob = client.as("bob");
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
    assert.equal(got.at("started"), "2025-03-01T11:00:00.000+0000");
    assert.equal((await client.get(path)).at("worklogs.0.timeSpentSeconds"), 90);
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
    assert.deepEqual((await client.get("/issue/OPS-1/transitions")).at("transitions"), []);
    const mine = await client.get("/mypermissions?permissions=BROWSE_PROJECTS,ADD_COMMENTS&projectKey=OPS");
    assert.equal(mine.at("permissions.BROWSE_PROJECTS.havePermission"), true);
    assert.equal(mine.at("permissions.ADD_COMMENTS.havePermission"), false);
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

testOn(["cloud"], "has the history of an issue by pages", async (client) => {
  for (const id of ["21", "41", "11"]) await client.post("/issue/OPS-2/transitions", { transition: { id } });
  const got = await client.get("/issue/OPS-2/changelog?startAt=1&maxResults=1");
  assert.deepEqual([got.at("total"), got.at("isLast"), got.at("values.0.items.0.toString")], [
    3,
    false,
    "To Do",
  ]);
});

testOn(BOTH, "lists statuses with their categories, and fields", async (client) => {
  const statuses = await client.get("/status");
  assert.deepEqual(statuses.at("*.statusCategory.key"), [
    "new",
    "indeterminate",
    "indeterminate",
    "done",
    "done",
  ]);
  const fields = await client.get("/field");
  assert.ok((fields.at("*.name") as string[]).includes("Change reason"));
});
