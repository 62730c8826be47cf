import assert from "node:assert/strict";
import { assertRefused, BOTH, issueOf, testOn } from "../support/jira/client.ts";
import { userNamed } from "../support/jira/exchange.ts";

testOn(BOTH, "finds by JQL what a client asks for", async (client, jira) => {
  const alice = jira.edition === "cloud" ? userNamed(jira.world, "alice").accountId : "alice";
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
    const first = await client.post("/search/jql", { jql, maxResults: 3 });
    assert.deepEqual(first.at("issues"), [{ id: "10117" }, { id: "10103" }, { id: "10102" }]);
    assert.deepEqual([first.at("isLast"), first.at("total")], [false, undefined]);
    const nextPageToken = first.at("nextPageToken");
    const next = await client.post("/search/jql", { jql, maxResults: 3, nextPageToken });
    assert.deepEqual(next.json, { issues: [{ id: "10101" }], isLast: true });
    const byGet = await client.get(`/search/jql?jql=${encodeURIComponent(jql)}&fields=summary&maxResults=1`);
    assert.equal(byGet.at("issues.0.fields.summary"), "Renew the certificates of mail.corp.example");
    assertRefused(
      await client.post("/search/jql", { jql: "key = OPS-1", nextPageToken }),
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
  assert.deepEqual([got.at("total"), got.at("issues.length")], [4, 1]);
  assert.ok(got.at("issues.0.fields.status"));
  assertRefused(await client.post("/search", { jql: "", nextPageToken: "x" }), 400, {
    message: /Unrecognized field/,
  });
  assert.equal((await client.get("/search/jql?jql=project=OPS")).status, 404);
});
