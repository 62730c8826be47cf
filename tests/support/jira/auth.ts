/**
 * Who is calling.
 *
 * Cloud: https://developer.atlassian.com/cloud/jira/platform/basic-auth-for-rest-apis/
 * Data Center: https://confluence.atlassian.com/enterprise/using-personal-access-tokens-1026032365.html
 */

import type { Reply } from "./exchange.ts";
import type { Edition, User, World } from "./world.ts";

const FAILURES_BEFORE_CAPTCHA = 3;

/** @returns who calls; `anonymous`, where the request does not say; or what Jira says to a wrong answer */
export function whoCalls(world: World, edition: Edition, headers: Headers): User | "anonymous" | Reply {
  const authorization = headers.get("authorization");
  if (authorization === null) return "anonymous";
  const [scheme, secret = ""] = authorization.split(" ");
  if (edition === "server" && scheme === "Bearer") {
    const user = world.users.find((one) => one.active && one.token === secret);
    return user ?? notAuthenticated(edition, "AUTHENTICATED_FAILED");
  }
  if (scheme !== "Basic") return notAuthenticated(edition, "AUTHENTICATED_FAILED");
  return ofBasic(world, edition, secret);
}

/** Passwords of Data Center are not what this fake has, so that every Basic fails there, until it demands the CAPTCHA. */
function ofBasic(world: World, edition: Edition, secret: string): User | Reply {
  const [mail = "", token = ""] = decoded(secret).split(/:(.*)/s);
  const failures = world.failedLogins[mail] ?? 0;
  if (failures >= FAILURES_BEFORE_CAPTCHA) return captcha();
  const user = edition === "cloud"
    ? world.users.find((one) => one.active && one.emailAddress === mail.toLowerCase() && one.token === token)
    : undefined;
  if (user === undefined) {
    world.failedLogins[mail] = failures + 1;
    return notAuthenticated(edition, "AUTHENTICATED_FAILED");
  }
  world.failedLogins[mail] = 0;
  return user;
}

function decoded(base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  } catch {
    return ""; // what is no base64 names nobody
  }
}

/** 401, as both editions send it. */
export function notAuthenticated(edition: Edition, reason?: "AUTHENTICATED_FAILED"): Reply {
  const text = "Client must be authenticated to access this resource.";
  const headers: Record<string, string> = { "www-authenticate": 'OAuth realm="http%3A%2F%2F127.0.0.1"' };
  if (reason !== undefined) headers["x-seraph-loginreason"] = reason;
  return edition === "cloud"
    ? { status: 401, text, headers: { ...headers, "content-type": "text/html;charset=UTF-8" } }
    : { status: 401, body: { message: text, "status-code": 401 }, headers };
}

/** https://developer.atlassian.com/server/jira/platform/basic-authentication/, "CAPTCHA": told by these headers. */
function captcha(): Reply {
  return {
    status: 403,
    text:
      "<html><head><title>Forbidden (403)</title></head><body>Basic Authentication Failure - Reason : AUTHENTICATION_DENIED</body></html>",
    headers: {
      "content-type": "text/html;charset=UTF-8",
      "x-seraph-loginreason": "AUTHENTICATION_DENIED",
      "x-authentication-denied-reason": "CAPTCHA_CHALLENGE; login-url=http://127.0.0.1/login.jsp",
    },
  };
}
