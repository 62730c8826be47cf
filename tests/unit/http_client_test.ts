import assert from "node:assert/strict";
import * as z from "zod/mini";
import {
  HttpError,
  HttpReplyError,
  type HttpRequest,
  HttpStatusError,
  HttpUnreachableError,
} from "../../src/net/http.ts";
import { HttpClient } from "../../src/net/http_client.ts";
import { proxyFor } from "../../src/net/proxy.ts";
import { retryAfterMs } from "../../src/net/retry_after.ts";
import { BrokenProxy } from "../support/broken_proxy.ts";

const KEY = "s3cret-key";
const ANSWER = z.object({ answer: z.number() });
const NETWORK = { proxy: "", noProxy: [], caFile: "" };

/** A service on loopback that answers so, and its client. */
async function withService(
  answer: (request: Request) => Response | Promise<Response>,
  use: (http: HttpClient, url: string, stop: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  const url = `http://127.0.0.1:${server.addr.port}`;
  using http = clientOf(url);
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await server.shutdown();
  };
  try {
    await use(http, url, stop);
  } finally {
    http[Symbol.dispose]();
    await stop();
  }
}

function clientOf(url: string): HttpClient {
  return new HttpClient({ service: "Redmine", url, headers: { "X-Redmine-API-Key": KEY }, network: NETWORK });
}

async function unpacked(bytes: Uint8Array): Promise<Uint8Array> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).bytes();
}

function get(path: string, signal = AbortSignal.timeout(10_000)): HttpRequest {
  return { method: "GET", path, query: { token: "query-s3cret" }, signal };
}

/** The error of a request; it must have no secret in it, nor in what it holds. */
async function errorOf(work: Promise<unknown>): Promise<HttpError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof HttpError, String(error));
    const shown = Deno.inspect(error) + error.stack + error.message + Deno.inspect(error.cause);
    assert.ok(!shown.includes("s3cret"), shown);
    assert.match(error.message, /^Redmine: [A-Z]+ \/[^?]*: /);
    return error;
  }
  assert.fail("there is no error");
}

Deno.test("HttpClient sends what is to be sent, and checks what comes", async () => {
  const seen: { url: string; headers: Record<string, string>; body: string; method: string }[] = [];
  await withService(async (request) => {
    const headers = Object.fromEntries(request.headers);
    seen.push({ url: request.url, headers, body: await request.text(), method: request.method });
    return Response.json({ answer: 42, more: true });
  }, async (http, url) => {
    const signal = AbortSignal.timeout(10_000);
    const request: HttpRequest = {
      method: "POST",
      path: `/issues/${encodeURIComponent("a/b ?#")}.json`,
      query: { words: "a&b=c d", none: undefined, limit: 3 },
      headers: { "X-Redmine-Switch-User": "alice" },
      body: { text: "\ud800 é \u0000" },
      signal,
    };
    assert.equal((await http.json(request, ANSWER)).answer, 42);
    await http.nothing({ method: "DELETE", path: "/x", signal });
    const [first, second] = seen;
    assert.equal(first?.url, `${url}/issues/a%2Fb%20%3F%23.json?words=a%26b%3Dc+d&limit=3`);
    assert.deepEqual(JSON.parse(first.body), { text: "\ud800 é \u0000" });
    assert.equal(first.headers["x-redmine-api-key"], KEY);
    assert.equal(first.headers["x-redmine-switch-user"], "alice");
    assert.equal(first.headers["content-type"], "application/json");
    assert.equal(first.headers["accept"], "application/json");
    assert.match(first.headers["user-agent"] ?? "", /^srvAudit\//);
    assert.equal(second?.method, "DELETE");
    assert.equal(second.headers["content-type"], undefined);
  });
});

Deno.test("HttpClient sends bytes as they are, packed where that is asked for, and gives back what is no JSON", async () => {
  const seen: { headers: Headers; body: Uint8Array }[] = [];
  await withService(async (request) => {
    seen.push({ headers: request.headers, body: await request.bytes() });
    return new Response("ok");
  }, async (http) => {
    const signal = AbortSignal.timeout(10_000);
    const bytes = new Uint8Array([0, 255, 10, 34]);
    const contentType = "application/x-protobuf";
    const post = { method: "POST", path: "/x", signal } as const;
    assert.deepEqual(await http.text({ ...post, raw: { bytes, contentType } }), { status: 200, text: "ok" });
    assert.deepEqual(await http.text({ ...post, raw: { bytes, contentType }, gzip: true }), {
      status: 200,
      text: "ok",
    });
    await http.nothing({ ...post, body: { text: "é".repeat(200_000) }, gzip: true });
    await http.nothing({ ...post, raw: { bytes, contentType, encoding: "zstd" } });
    const [plain, packed, json, other] = seen;
    assert.ok(plain && packed && json && other);
    assert.deepEqual([...plain.body], [...bytes]);
    assert.deepEqual(
      [plain.headers.get("content-type"), plain.headers.get("content-encoding")],
      [contentType, null],
    );
    assert.equal(packed.headers.get("content-type"), contentType);
    assert.equal(packed.headers.get("content-encoding"), "gzip");
    assert.deepEqual([...await unpacked(packed.body)], [...bytes]);
    assert.ok(json.body.length < 10_000);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(await unpacked(json.body))), {
      text: "é".repeat(200_000),
    });
    assert.equal(other.headers.get("content-encoding"), "zstd");
  });
});

Deno.test("HttpClient asks an address that is a secret itself, with a query or not, and says no more of it than its host", async () => {
  let seen = "";
  let answer = () => new Response("ok");
  await withService((request) => {
    seen = new URL(request.url).pathname + new URL(request.url).search;
    return answer();
  }, async (_, url) => {
    for (const path of ["/services/s3cret", "/hook?token=s3cret", "/hook/s3cret/?a=%20b", ""]) {
      using http = new HttpClient({
        service: "Redmine",
        url: url + path,
        headers: {},
        network: NETWORK,
        configKeys: { url: "slackURL", secret: "slackURL" },
        isUrlSecret: true,
      });
      const post: HttpRequest = { method: "POST", path: "", signal: AbortSignal.timeout(10_000) };
      answer = () => new Response("ok");
      assert.equal((await http.text(post)).text, "ok");
      assert.equal(seen, path || "/");
      for (
        const response of [
          new Response("no_service", { status: 404 }),
          new Response("x", { status: 403 }),
          new Response(null, { status: 302, headers: { location: `${url}/login/s3cret?s3cret` } }),
        ]
      ) {
        answer = () => response;
        const error: unknown = await http.text(post).catch((error) => error);
        assert.ok(error instanceof HttpStatusError);
        assert.ok(!Deno.inspect(error).includes("s3cret"), error.message);
        assert.match(error.message, /^Redmine: POST: answered [0-9]{3}/);
        if (response.status === 404) assert.equal(error.text, "no_service");
      }
      const unreadable: unknown = await http.text({ ...post, signal: AbortSignal.abort() }).catch((e) => e);
      assert.ok(unreadable instanceof HttpUnreachableError);
      assert.ok(!Deno.inspect(unreadable).includes("s3cret"), unreadable.message);
    }
  });
});

Deno.test("HttpClient goes nowhere but below its service's address", async () => {
  let asked = 0;
  await withService(() => {
    asked += 1;
    return Response.json({ answer: 1 });
  }, async (_, url) => {
    using http = clientOf(`${url}/redmine`);
    for (
      const path of [
        "/../x",
        "/a/../../x",
        "/%2e%2e/x",
        "/./x",
        "/x?y",
        "/x#y",
        "/a\\b",
        "/a b",
        "@elsewhere/x",
      ]
    ) {
      await assert.rejects(http.json(get(path), ANSWER), HttpError, path);
    }
    assert.equal(asked, 0);
    const path = "/a!'()*~.json";
    assert.equal((await http.json(get(path), ANSWER)).answer, 1);
  });
});

Deno.test("HttpClient says of each status what it means, and keeps what the service says", async () => {
  let answer = new Response();
  await withService(() => answer, async (http) => {
    const statusOf = async (response: Response) => {
      answer = response;
      const error = await errorOf(http.json(get("/issues.json"), ANSWER));
      assert.ok(error instanceof HttpStatusError);
      return error;
    };
    const unauthorized = await statusOf(new Response("<html>", { status: 401 }));
    assert.equal(
      unauthorized.message,
      "Redmine: GET /issues.json: answered 401: it does not take the key: see redmineKey",
    );
    assert.equal(unauthorized.body, undefined);
    const refused = await statusOf(Response.json({ errors: ["Subject cannot be blank"] }, { status: 422 }));
    assert.equal(refused.message, "Redmine: GET /issues.json: answered 422");
    assert.deepEqual(refused.body, { errors: ["Subject cannot be blank"] });
    const busy = await statusOf(new Response("", { status: 429, headers: { "retry-after": "7" } }));
    assert.equal(busy.retryAfterMs, 7000);
    assert.match(busy.message, /answered 429: too many requests: again in 7 s$/);
    assert.match(
      (await statusOf(new Response("", { status: 500 }))).message,
      /answered 500: an error of its own: see its log$/,
    );
    assert.match((await statusOf(new Response("", { status: 418 }))).message, /answered 418$/);
    assert.equal((await statusOf(new Response("", { status: 503 }))).retryAfterMs, undefined);
  });
});

Deno.test("HttpClient hands on no key that a service, or what stands before it, repeats in its words", async () => {
  let answer = (_: string) => new Response();
  await withService((request) => answer(request.headers.get("X-Redmine-API-Key") ?? ""), async (http) => {
    answer = (key) =>
      new Response(`{"errors":["you sent ${key}","or ${key.replace("s", "\\u0073")}"]}`, { status: 422 });
    const refused = await errorOf(http.json(get("/issues.json"), ANSWER));
    assert.ok(refused instanceof HttpStatusError);
    assert.deepEqual(refused.body, { errors: ["you sent *****", "or *****"] });
    answer = (key) => new Response(`<pre>X-Redmine-API-Key: ${key}</pre>`, { status: 400 });
    await errorOf(http.json(get("/issues.json"), ANSWER));
    answer = (key) => new Response(null, { status: 302, headers: { location: `https://b.example/${key}` } });
    assert.match((await errorOf(http.json(get("/issues.json"), ANSWER))).message, /b\.example\/\*{5}:/);
  });
});

Deno.test("HttpClient hands on no key in an answer that is a success, either", async () => {
  const answer = (request: Request) => new Response(`you are ${request.headers.get("x-redmine-api-key")}`);
  await withService(answer, async (http) => {
    assert.deepEqual(await http.text(get("/whoami")), { status: 200, text: "you are *****" });
  });
});

Deno.test("HttpClient follows no redirection: it says where to", async () => {
  let elsewhere = 0;
  await withService(() => {
    elsewhere += 1;
    return Response.json({ answer: 1 });
  }, async (_, other) => {
    for (const status of [301, 302, 303, 307, 308]) {
      const location = `${other.replace("//", "//user:s3cret@")}/login?back=s3cret#x`;
      await withService(() => new Response(null, { status, headers: { location } }), async (http) => {
        const error = await errorOf(http.nothing(get("/x")));
        assert.ok(error instanceof HttpStatusError);
        assert.equal(error.status, status);
        assert.ok(
          error.message.includes(`on to ${other}/login: if that is right, put its address into redmineURL`),
        );
      });
    }
    assert.equal(elsewhere, 0);
  });
});

Deno.test("HttpClient refuses what is no JSON, or not the one that is meant", async () => {
  let answer = new Response();
  await withService(() => answer, async (http) => {
    const wordsOf = async (response: Response) => {
      answer = response;
      const error = await errorOf(http.json(get("/x"), ANSWER));
      assert.ok(error instanceof HttpReplyError, error.name);
      return error.message;
    };
    const html = new Response("<html>s3cret</html>", {
      headers: { "content-type": "text/html; charset=utf-8" },
    });
    assert.match(await wordsOf(html), /answered 200, but with text\/html in place of JSON: see redmineURL$/);
    assert.match(
      await wordsOf(new Response(null, { status: 204 })),
      /answered 204, but with nothing in place/,
    );
    assert.match(
      await wordsOf(Response.json({ answer: "s3cret" })),
      /not as Redmine should: answer \(invalid_type\)/,
    );
    assert.match(await wordsOf(Response.json([])), /not as Redmine should: the whole \(invalid_type\)/);
    answer = new Response("what it says does not count");
    await http.nothing(get("/x"));
  });
});

Deno.test("HttpClient unpacks what is packed, and reads no more than 16 MiB of it", async () => {
  const gzipped = (bytes: BlobPart) =>
    new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip")), {
      headers: { "content-encoding": "gzip" },
    });
  const huge = new Uint8Array(17 * 1024 * 1024).fill(32);
  const answers = [
    gzipped('{"answer":7}'),
    gzipped(huge),
    new Response(huge),
    new Response(huge, { status: 500 }),
  ];
  await withService(() => answers.shift() ?? new Response(), async (http) => {
    assert.equal((await http.json(get("/x"), ANSWER)).answer, 7);
    for (let time = 0; time < 2; time += 1) {
      const error = await errorOf(http.json(get("/x"), ANSWER));
      assert.ok(error instanceof HttpReplyError);
      assert.match(error.message, /the reply is longer than 16 MiB: see redmineURL$/);
    }
    assert.ok(await errorOf(http.json(get("/x"), ANSWER)) instanceof HttpStatusError);
  });
});

Deno.test("HttpClient says why there is no answer", async () => {
  await withService(() => Response.json({ answer: 1 }), async (_, url, stop) => {
    using proxy = new BrokenProxy(url);
    using http = clientOf(proxy.url);
    const wordsOf = async (request = get("/x")) => {
      const error = await errorOf(http.json(request, ANSWER));
      assert.ok(error instanceof HttpUnreachableError, error.message);
      return error.message;
    };
    proxy.faults = { cutAfterBytes: 80 };
    assert.match(await wordsOf(), /: the reply ended early$/);
    proxy.faults = { cutAfterBytes: 0 };
    assert.match(await wordsOf(), /: the reply ended early$/);
    proxy.faults = { drop: true };
    assert.match(await wordsOf(), /: the reply ended early$/);
    proxy.faults = { hang: true };
    assert.match(await wordsOf(get("/x", AbortSignal.timeout(300))), /: no answer in 0\.[3-9] s$/);
    const aborting = new AbortController();
    const waiting = wordsOf(get("/x", aborting.signal));
    aborting.abort();
    assert.match(await waiting, /: given up after 0\.[0-9] s$|: given up after 0 s$/);
    proxy.faults = { delayMs: 50 };
    assert.equal((await http.json(get("/x"), ANSWER)).answer, 1);
    proxy[Symbol.dispose]();
    const { host } = new URL(proxy.url);
    const refused = await wordsOf();
    assert.ok(refused.endsWith(`: connection refused by ${host}: is it running? See redmineURL`), refused);
    await stop();
  });
  using nowhere = clientOf("http://nowhere.invalid");
  const { message } = await errorOf(nowhere.nothing(get("/x")));
  assert.match(
    message,
    /: no such host: nowhere\.invalid: see redmineURL$|: the name nowhere\.invalid cannot be looked up/,
  );
});

Deno.test("HttpClient bounds the reading of a body, too, by the caller's patience", async () => {
  const endless = () => {
    let timer = 0;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        timer = setInterval(() => controller.enqueue(new Uint8Array([32])), 20);
      },
      cancel() {
        clearInterval(timer);
      },
    });
    return new Response(body);
  };
  await withService(endless, async (http) => {
    const error = await errorOf(http.json(get("/x", AbortSignal.timeout(300)), ANSWER));
    assert.ok(error instanceof HttpUnreachableError);
    assert.match(error.message, /: no answer in 0\.[3-9] s$/);
  });
});

Deno.test("HttpClient says that what listens there does not speak HTTP, or not TLS", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const chatter = (async () => {
    for (let times = 0; times < 2; times += 1) {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode("220 mail.example ESMTP\r\n"));
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  using plain = clientOf(`http://127.0.0.1:${port}`);
  assert.match(
    (await errorOf(plain.nothing(get("/x")))).message,
    /: what listens there does not speak HTTP$/,
  );
  using encrypted = clientOf(`https://127.0.0.1:${port}`);
  const { message } = await errorOf(encrypted.nothing(get("/x")));
  assert.ok(
    message.endsWith(`127.0.0.1:${port} does not speak TLS: see redmineURL (another port, or http)`),
    message,
  );
  await chatter;
});

Deno.test("HttpClient uses one connection for what is asked one after the other", async () => {
  await withService(() => Response.json({ answer: 1 }), async (_, url, stop) => {
    using proxy = new BrokenProxy(url);
    using http = clientOf(proxy.url);
    for (let time = 0; time < 5; time += 1) await http.json(get("/x"), ANSWER);
    assert.deepEqual([proxy.traffic.connections, proxy.traffic.requests], [1, 5]);
    assert.equal(proxy.asked[0], "GET /x?token=query-s3cret");
    proxy.hangUp();
    await stop();
  });
});

Deno.test("HttpClient goes by the config's proxy alone, whatever the environment says", async () => {
  const before = Deno.env.get("HTTP_PROXY");
  Deno.env.set("HTTP_PROXY", "http://127.0.0.1:1");
  try {
    await withService(() => Response.json({ answer: 1 }), async (http) => {
      assert.equal((await http.json(get("/x"), ANSWER)).answer, 1);
    });
    assert.equal(Deno.env.get("HTTP_PROXY"), "http://127.0.0.1:1");
  } finally {
    if (before === undefined) Deno.env.delete("HTTP_PROXY");
    else Deno.env.set("HTTP_PROXY", before);
  }
});

Deno.test("HttpClient says which file of CAs it cannot use", () => {
  const network = { ...NETWORK, caFile: "/nowhere/ca.pem" };
  assert.throws(
    () => new HttpClient({ service: "Redmine", url: "https://x.example", headers: {}, network }),
    (error) =>
      error instanceof HttpError && error.message.startsWith('caFile="/nowhere/ca.pem" cannot be used: '),
  );
});

Deno.test("HttpClient sends no header that is none", async () => {
  await withService(() => new Response(), async (http) => {
    for (const value of ["a\r\nX-Other: b", "a\0b", "é", "\n"]) {
      const request = { ...get("/x"), headers: { "X-Redmine-Switch-User": value } };
      const { message } = await errorOf(http.nothing(request));
      assert.equal(message, "Redmine: GET /x: the header X-Redmine-Switch-User cannot have such a value");
    }
  });
});

Deno.test("proxyFor() asks the proxy for every host but those of noProxy, and what is below them", () => {
  const asked = (url: string, noProxy: string[], proxy = "http://u:p@proxy.example:3128") =>
    proxyFor(new URL(url), { proxy, noProxy })?.host;
  assert.equal(asked("https://redmine.example", []), "proxy.example:3128");
  assert.equal(asked("https://redmine.example", [], ""), undefined);
  assert.equal(asked("https://redmine.corp.example", ["corp.example"]), undefined);
  assert.equal(asked("https://corp.example", ["corp.example"]), undefined);
  assert.equal(asked("https://notcorp.example", ["corp.example"]), "proxy.example:3128");
  assert.equal(asked("https://REDMINE.Corp.Example:8443/x", ["redmine.corp.example"]), undefined);
  assert.equal(asked("http://[::1]:3000", ["::1"]), undefined);
  assert.equal(asked("http://10.0.0.1", ["*"]), undefined);
});

Deno.test("retryAfterMs() reads seconds and dates, and waits no longer than a day", () => {
  const nowMs = Date.parse("Wed, 21 Oct 2026 07:28:00 GMT");
  assert.equal(retryAfterMs("30"), 30_000);
  assert.equal(retryAfterMs(" 0 "), 0);
  assert.equal(retryAfterMs("Wed, 21 Oct 2026 07:29:00 GMT", nowMs), 60_000);
  assert.equal(retryAfterMs("Wed, 21 Oct 2020 07:29:00 GMT", nowMs), 0);
  assert.equal(retryAfterMs("99999999999"), 86_400_000);
  for (const nothing of [null, "", "soon", "-1", "1.5", "2026-10-21"]) {
    assert.equal(retryAfterMs(nothing), undefined, String(nothing));
  }
});

Deno.test("HttpClient finishes what is under way when it is closed, and begins nothing more", async () => {
  const asked = Promise.withResolvers<void>();
  const mayAnswer = Promise.withResolvers<void>();
  await withService(async () => {
    asked.resolve();
    await mayAnswer.promise;
    return Response.json({ answer: 1 });
  }, async (http) => {
    const answer = http.json(get("/x"), ANSWER);
    await asked.promise;
    http[Symbol.dispose]();
    const { message } = await errorOf(http.nothing(get("/x")));
    assert.equal(message, "Redmine: GET /x: not asked any more: another config holds now");
    mayAnswer.resolve();
    assert.equal((await answer).answer, 1);
  });
});

Deno.test("HttpClient asks once more where a connection that was kept has ended, unless that could change something twice", async () => {
  await withService(() => Response.json({ answer: 1 }), async (_, url, stop) => {
    using proxy = new BrokenProxy(url);
    using http = clientOf(proxy.url);
    proxy.faults = { dropAnswers: true };
    await errorOf(http.json(get("/x"), ANSWER));
    assert.deepEqual(proxy.asked.map((line) => line.split("?")[0]), ["GET /x", "GET /x"]);
    proxy.reset();
    await errorOf(http.nothing({ ...get("/y"), method: "POST", body: {} }));
    await errorOf(http.nothing({ ...get("/z"), method: "PUT", body: {} }));
    assert.deepEqual(proxy.asked.map((line) => line.split("?")[0]), ["POST /y", "PUT /z"]);
    proxy.hangUp();
    await stop();
  });
});
