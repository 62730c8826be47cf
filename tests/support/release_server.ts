/** Hands out a release by http and https, honestly and otherwise. */

import { succeed } from "./run.ts";

/** Where it listens. */
export interface ReleaseServer extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`: below `/spoilt` a byte is another, below `/missing` nothing is there, `/insecure` leads to
   * plain http, and `/endless` never ends. */
  https: string;
  http: string;
  /** The file with the certificate that must be trusted. */
  authority: string;
}

/** @param folder the release's */
export async function serveRelease(folder: string): Promise<ReleaseServer> {
  const keys = await Deno.makeTempDir({ prefix: "release_keys." });
  await Deno.chmod(keys, 0o755);
  const [key, cert] = [`${keys}/key.pem`, `${keys}/cert.pem`];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  await succeed(
    [
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "1",
      "-keyout",
      key,
      "-out",
      cert,
      ...subject,
    ],
  );
  const ended = new AbortController();
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const http = Deno.serve(listen, (request) => answer(folder, request));
  const plain = `http://127.0.0.1:${http.addr.port}`;
  const https = Deno.serve(
    {
      ...listen,
      cert: await Deno.readTextFile(cert),
      key: await Deno.readTextFile(key),
      signal: ended.signal,
    },
    (request) => {
      const { pathname } = new URL(request.url);
      return pathname.startsWith("/insecure/")
        ? Response.redirect(plain + pathname.slice("/insecure".length))
        : answer(folder, request);
    },
  );
  return {
    https: `https://127.0.0.1:${https.addr.port}`,
    http: plain,
    authority: cert,
    async [Symbol.asyncDispose]() {
      // What is endless is cut off.
      ended.abort();
      await Promise.all([http.shutdown(), https.finished]);
      await Deno.remove(keys, { recursive: true });
    },
  };
}

async function answer(folder: string, request: Request): Promise<Response> {
  const [, first = "", name = first] = new URL(request.url).pathname.split("/");
  if (first === "missing") return new Response("no such file", { status: 404 });
  if (first === "endless") {
    return new Response(new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(1)) }));
  }
  const bytes = await Deno.readFile(`${folder}/${name}`);
  if (first === "spoilt" && name.endsWith(".gz")) bytes.set([bytes[1000] === 0 ? 1 : 0], 1000);
  return new Response(bytes);
}
