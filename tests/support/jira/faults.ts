/** What can go wrong between a client and Jira, on demand. */

import { notAuthenticated } from "./auth.ts";
import type { Reply } from "./exchange.ts";
import type { Edition } from "./world.ts";

/** Something that is to go wrong. */
export interface Fault {
  /** Which requests, by `METHOD /path?query`. */
  on: RegExp;
  /** How often; without it: until it is taken away. */
  times?: number;
  what: Mishap;
}

/** What goes wrong. */
export type Mishap =
  /** An error with Jira's own body for it (502: a proxy's page in HTML); the request is not carried out. */
  | { kind: "status"; status: 400 | 401 | 403 | 404 | 409 | 429 | 500 | 502 | 503; retryAfterS?: number }
  /** The request is carried out, and its reply ends in the middle. */
  | { kind: "cut" }
  /** No reply ever comes; `carriedOut` says whether the request was carried out all the same. */
  | { kind: "silent"; carriedOut?: boolean }
  /** The reply comes so much later. */
  | { kind: "slow"; ms: number };

/** @returns what a fault's error looks like */
export function replyOf(edition: Edition, mishap: Mishap & { kind: "status" }): Reply {
  const { status, retryAfterS } = mishap;
  const headers: Record<string, string> = retryAfterS === undefined
    ? {}
    : { "retry-after": String(retryAfterS) };
  if (status === 401) return notAuthenticated(edition, "AUTHENTICATED_FAILED");
  if (status === 429) return tooManyRequests(edition, retryAfterS);
  if (status === 502 || status === 503) {
    return {
      status,
      text:
        `<html>\r\n<head><title>${status} Bad Gateway</title></head>\r\n<body><center><h1>${status}</h1></center></body>\r\n</html>`,
      headers: { ...headers, "content-type": "text/html" },
    };
  }
  return { status, headers, body: { errorMessages: [MESSAGES[status]], errors: {} } };
}

const MESSAGES: Record<400 | 403 | 404 | 409 | 500, string> = {
  400: "The request is not valid.",
  403: "You do not have permission to perform this operation.",
  404: "Issue does not exist or you do not have permission to see it.",
  409: "The issue was changed by somebody else at the same time. Try again.",
  500: "Internal server error",
};

/**
 * Cloud: https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
 * Data Center: https://confluence.atlassian.com/adminjiraserver/adjusting-your-code-for-rate-limiting-987143384.html
 */
export function tooManyRequests(edition: Edition, retryAfterS?: number): Reply {
  const retryAfter: Record<string, string> = retryAfterS === undefined
    ? {}
    : { "retry-after": String(retryAfterS) };
  const headers: Record<string, string> = edition === "cloud"
    ? {
      ...retryAfter,
      "x-ratelimit-limit": "350",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": new Date(Date.now() + (retryAfterS ?? 1) * 1000).toISOString().replace(
        /:\d\d\.\d+Z/,
        "Z",
      ),
      "ratelimit-reason": "jira-burst-based",
    }
    : {
      ...retryAfter,
      "x-ratelimit-limit": "10",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-fillrate": "5",
      "x-ratelimit-interval-seconds": "1",
    };
  return edition === "cloud"
    ? { status: 429, headers, body: { errorMessages: ["Rate limit exceeded."], errors: {} } }
    : { status: 429, headers, body: { message: "Rate limit exceeded." } };
}
