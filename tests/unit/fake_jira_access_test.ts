import assert from "node:assert/strict";
import { assertRefused, BOTH, issueOf, rich, testOn } from "../support/jira/client.ts";

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
  assert.equal(got.at("displayName"), "srvAudit");
  assert.equal(got.at("accountId") !== undefined, jira.edition === "cloud");
  assert.equal(got.at("name") !== undefined, jira.edition === "server");
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
  assert.equal((await client.as("carol").get("/myself")).status, 401);
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
