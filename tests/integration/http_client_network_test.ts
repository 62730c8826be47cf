import assert from "node:assert/strict";
import * as z from "zod/mini";
import type { NetworkSettings } from "../../src/config/tracker_settings.ts";
import { systemCertificates } from "../../src/net/ca_certificates.ts";
import { HttpClient } from "../../src/net/http_client.ts";
import { findProgram, testThatNeeds } from "../support/needs.ts";
import { run } from "../support/run.ts";
import { until } from "../support/sshd.ts";

const NETWORK: NetworkSettings = { proxy: "", noProxy: [], caFile: "" };
const ANSWER = z.object({ answer: z.number() });

/** @returns the answer, or the words of the error without what was asked */
async function ask(url: string, network: Partial<NetworkSettings>): Promise<string> {
  using http = new HttpClient({ service: "Jira", url, headers: {}, network: { ...NETWORK, ...network } });
  try {
    const request = { method: "GET", path: "/x", signal: AbortSignal.timeout(10_000) } as const;
    return String((await http.json(request, ANSWER)).answer);
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.ok(!/s3cret/.test(Deno.inspect(error)), error.message);
    return error.message.replace(/^Jira: GET \/x: /, "");
  }
}

/** A CA of our own, and a way to have a server with a certificate of hers. */
async function withCa(
  use: (
    ca: string,
    serve: (name: string, days: string) => Promise<Deno.HttpServer<Deno.NetAddr>>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const servers: Deno.HttpServer<Deno.NetAddr>[] = [];
  const openssl = async (...args: string[]) => {
    const { code, errors } = await run(["openssl", ...args], { cwd: folder });
    assert.equal(code, 0, errors);
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  try {
    const asCa = ["-subj", "/CN=A CA of the tests", "-addext", "basicConstraints=critical,CA:TRUE"];
    await openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", ...asCa);
    await use(`${folder}/ca.pem`, async (name, days) => {
      await openssl("req", ...newKey, "-keyout", "s.key", "-out", "s.csr", "-subj", "/CN=server");
      await Deno.writeTextFile(`${folder}/s.ext`, `subjectAltName=DNS:${name}\n`);
      const byCa = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "s.ext"];
      await openssl("x509", "-req", "-in", "s.csr", ...byCa, "-days", days, "-out", "s.pem");
      const server = Deno.serve({
        hostname: "127.0.0.1",
        port: 0,
        cert: await Deno.readTextFile(`${folder}/s.pem`),
        key: await Deno.readTextFile(`${folder}/s.key`),
        onListen() {},
      }, () => Response.json({ answer: 42 }));
      servers.push(server);
      return server;
    });
  } finally {
    for (const server of servers) await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

testThatNeeds(
  ["openssl"],
  "HttpClient trusts the CA of caFile beside the system's, and says why it trusts nobody else",
  async () => {
    await withCa(async (caFile, serve) => {
      const good = `https://localhost:${(await serve("localhost", "2")).addr.port}`;
      assert.equal(await ask(good, { caFile }), "42");
      assert.equal(
        await ask(good, {}),
        "its certificate is signed by nobody whom this host trusts: name a file with the CA's certificate in caFile",
      );
      const other = `https://localhost:${(await serve("jira.example", "2")).addr.port}`;
      assert.equal(
        await ask(other, { caFile }),
        "its certificate is not for localhost, but for jira.example: see jiraURL",
      );
      const old = `https://localhost:${(await serve("localhost", "-1")).addr.port}`;
      assert.equal(
        await ask(old, { caFile }),
        "its certificate has expired: have it renewed, and see whether this host's clock is right",
      );
    });
  },
);

testThatNeeds(
  ["openssl"],
  "systemCertificates() takes the first bundle that is there, but for what Deno would not take",
  async () => {
    await withCa(async (caFile) => {
      const good = await Deno.readTextFile(caFile);
      const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
      const bundle = `${caFile}.bundle`;
      await Deno.writeTextFile(bundle, `# A CA\n${good}${broken}${good}`);
      assert.deepEqual(systemCertificates(["/nowhere", bundle, caFile]), [good.trim(), good.trim()]);
      assert.deepEqual(systemCertificates([caFile, bundle]), [good]);
      assert.deepEqual(systemCertificates(["/nowhere"]), []);
    });
  },
);

/** Debian's tinyproxy, which wants to know who asks. */
async function withTinyproxy(use: (port: number, log: () => string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  // A port that was free a moment ago: tinyproxy cannot choose one by itself.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const config = [
    `Port ${port}`,
    "Listen 127.0.0.1",
    "Timeout 60",
    "Allow 127.0.0.1",
    "BasicAuth alice s3cret",
    `LogFile "${folder}/log"`,
    "LogLevel Connect",
  ];
  await Deno.writeTextFile(`${folder}/tinyproxy.conf`, `${config.join("\n")}\n`);
  const tinyproxy = new Deno.Command(findProgram("tinyproxy") ?? "tinyproxy", {
    args: ["-d", "-c", `${folder}/tinyproxy.conf`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await until("tinyproxy listens", async () => {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return true;
      } catch {
        return false;
      }
    });
    await use(port, () => Deno.readTextFileSync(`${folder}/log`));
  } finally {
    tinyproxy.kill();
    await tinyproxy.status;
    await Deno.remove(folder, { recursive: true });
  }
}

testThatNeeds(
  ["openssl", "tinyproxy"],
  "HttpClient goes through a proxy that wants a password, to http and to https",
  async () => {
    await withTinyproxy(async (port, log) => {
      await withCa(async (caFile, serve) => {
        const encrypted = `https://localhost:${(await serve("localhost", "2")).addr.port}`;
        const server = Deno.serve(
          { hostname: "127.0.0.1", port: 0, onListen() {} },
          () => Response.json({ answer: 7 }),
        );
        const plain = `http://127.0.0.1:${server.addr.port}`;
        try {
          const proxy = `http://alice:%733cret@127.0.0.1:${port}`;
          assert.equal(await ask(encrypted, { caFile, proxy }), "42");
          assert.equal(await ask(plain, { proxy }), "7");
          assert.match(log(), /CONNECT localhost/);
          assert.match(log(), new RegExp(`GET ${plain}`));

          const wrong = `http://alice:no@127.0.0.1:${port}`;
          const closed = (host: string) =>
            `the proxy 127.0.0.1:${port} does not open a way to ${host}: see proxy (the user and the password, too), and its log`;
          for (const denied of [wrong, `http://127.0.0.1:${port}`]) {
            assert.equal(await ask(encrypted, { caFile, proxy: denied }), closed(new URL(encrypted).host));
          }
          assert.equal(
            await ask(plain, { proxy: `http://127.0.0.1:${port}` }),
            "answered 407: the proxy wants a user and a password, or other ones: see proxy",
          );
          assert.equal(await ask(plain, { proxy: wrong, noProxy: ["127.0.0.1"] }), "7");
          assert.equal(await ask("https://localhost:1", { caFile, proxy }), closed("localhost:1"));
        } finally {
          await server.shutdown();
        }
      });
      assert.match(
        await ask("https://x.example", { proxy: "http://127.0.0.1:1" }),
        /^connection refused by the proxy 127\.0\.0\.1:1: is it running\? See proxy$/,
      );
    });
  },
);
