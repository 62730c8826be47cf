/** What can go wrong between a client and Jira, on demand. */

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
