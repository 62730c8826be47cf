/** From a request to Jira's answer. */

import { notAuthenticated, whoCalls } from "./auth.ts";
import { type Call, Refusal, type Reply } from "./exchange.ts";
import { tooManyRequests } from "./faults.ts";
import { ROUTES } from "./routes/all.ts";
import { serverInfo } from "./routes/site.ts";
import type { Edition, World } from "./world.ts";

/** A request as it came, all of it. */
export interface Incoming {
  edition: Edition;
  world: World;
  /** Where Jira is, with its context path. */
  baseUrl: string;
  method: string;
  /** Without the context path. */
  url: URL;
  headers: Headers;
  body: Uint8Array;
}

/** @returns what Jira says to a request, with the headers that it sets on all that it says */
export function answer(incoming: Incoming): Reply {
  const { edition, world, headers } = incoming;
  const caller = whoCalls(world, edition, headers);
  if (caller !== "anonymous" && "status" in caller) return caller;
  const { rateLimit } = world;
  if (rateLimit !== undefined && --rateLimit.remaining < 0) {
    return tooManyRequests(edition, rateLimit.retryAfterS);
  }
  const reply = answerTo(incoming, caller);
  const user = caller === "anonymous" ? undefined : caller;
  const about: Record<string, string> = edition === "cloud"
    ? {
      "x-arequestid": crypto.randomUUID(),
      ...(user && { "x-aaccountid": encodeURIComponent(user.accountId) }),
    }
    : {
      "x-arequestid": `${Date.now() % 86_400_000}x1x1`,
      "x-ausername": user?.name ?? "anonymous",
      ...(user && { "x-seraph-loginreason": "OK" }),
    };
  const left: Record<string, string> = rateLimit === undefined
    ? {}
    : { "x-ratelimit-limit": String(rateLimit.limit), "x-ratelimit-remaining": String(rateLimit.remaining) };
  return { ...reply, headers: { ...about, ...left, ...reply.headers } };
}

function answerTo(incoming: Incoming, caller: Call["user"] | "anonymous"): Reply {
  const { edition, world, baseUrl, method, url, headers, body } = incoming;
  const [, version = "", path = ""] = /^\/rest\/api\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
  const versions = edition === "cloud" ? ["2", "3", "latest"] : ["2", "latest"];
  if (!versions.includes(version)) return notFound(url);
  if (method === "GET" && path === "/serverInfo") return serverInfo(edition, baseUrl);
  // Of Cloud this fake has version 3 only: texts in version 2 are not documents.
  if (edition === "cloud" && version === "2") return notFound(url);
  if (caller === "anonymous") return notAuthenticated(edition);
  try {
    const routes = ROUTES.filter((route) => (route.edition ?? edition) === edition && route.path.test(path));
    if (routes.length === 0) return notFound(url);
    const route = routes.find((one) => one.method === method);
    if (route === undefined) {
      return {
        status: 405,
        text: "",
        headers: { allow: routes.map((one) => one.method).join(", ") },
      };
    }
    const query = new URLSearchParams(url.search);
    checkQuery(query, route.query);
    checkForgery(headers, method);
    const call: Call = {
      edition,
      world,
      user: caller,
      api: `${baseUrl}/rest/api/${version}`,
      query,
      body: undefined,
    };
    if (method !== "GET") call.body = jsonOf(edition, headers, body);
    else if (body.length > 0) throw new Refusal(400, ["A GET has no body."]);
    const parts = route.path.exec(path)?.slice(1).map(decodeURIComponent) ?? [];
    return route.handle(call, ...parts);
  } catch (error) {
    if (error instanceof Refusal) return error.reply;
    if (error instanceof URIError) return notFound(url);
    throw error;
  }
}

/** The real one leaves out what it does not know: here it is a slip of the client's that would never be seen. */
function checkQuery(query: URLSearchParams, known: readonly string[]): void {
  const odd = [...query.keys()].find((name) => !known.includes(name));
  if (odd !== undefined) {
    throw new Refusal(400, [`The reference has no query parameter '${odd}' for this request.`]);
  }
}

/** https://confluence.atlassian.com/jirakb/rest-api-calls-with-a-browser-user-agent-header-may-fail-csrf-checks-802591455.html */
function checkForgery(headers: Headers, method: string): void {
  const isBrowser = /^(?:Mozilla|Opera)/.test(headers.get("user-agent") ?? "");
  if (method !== "GET" && isBrowser && headers.get("x-atlassian-token") !== "no-check") {
    throw new Refusal(403, ["XSRF check failed"]);
  }
}

function jsonOf(edition: Edition, headers: Headers, body: Uint8Array): unknown {
  const type = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new UnsupportedMediaType();
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new Refusal(400, [
      edition === "cloud"
        ? "There was an error parsing JSON. Check that your request body is valid."
        : "Unexpected character: was expecting a valid JSON value",
    ]);
  }
}

/** As the framework beneath says it, not Jira. */
class UnsupportedMediaType extends Refusal {
  override readonly reply: Reply = {
    status: 415,
    text:
      '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><status><status-code>415</status-code><message>HTTP 415 Unsupported Media Type</message></status>',
    headers: { "content-type": "application/xml;charset=UTF-8" },
  };

  constructor() {
    super(415, ["Unsupported Media Type"]);
  }
}

function notFound(url: URL): Reply {
  return {
    status: 404,
    text:
      `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><status><status-code>404</status-code><message>null for uri: ${url.pathname}</message></status>`,
    headers: { "content-type": "application/xml;charset=UTF-8" },
  };
}
