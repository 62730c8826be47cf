/** What Slack's errors mean: those of its methods, and those of webhooks. */

import { HttpStatusError } from "../../net/http.ts";
import { sinkError } from "../http_errors.ts";
import { SinkDeniedError, SinkRefusedError, SinkUnavailableError } from "../sink.ts";

/** A word of Slack's for what is wrong; nothing else that comes from there is repeated. */
const CODE = /^[a-z][a-z0-9_]{1,59}$/;

/** Scopes, with commas between them. */
const SCOPES = /^[a-z][a-z0-9_.:,-]{1,199}$/;

/**
 * Something in the message. https://docs.slack.dev/reference/methods/chat.postMessage#errors and
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
 */
const REFUSED: ReadonlySet<string> = new Set([
  "invalid_arguments",
  "invalid_attachments",
  "invalid_blocks",
  "invalid_blocks_format",
  "invalid_json",
  "invalid_metadata_format",
  "invalid_metadata_schema",
  "invalid_payload",
  "metadata_too_large",
  "missing_text_or_fallback_or_attachments",
  "msg_blocks_too_long",
  "msg_too_long",
  "no_text",
  "too_many_attachments",
]);

/** What somebody has to mend, and how. */
const MENDS: Readonly<Record<string, string>> = {
  access_denied: "an admin of the workspace has to allow it",
  accesslimited: "an admin of the workspace has to allow it from this network",
  account_inactive: "its workspace or its app is gone: see slackToken",
  action_prohibited: "the workspace does not let the webhook post there",
  channel_is_archived: "unarchive the channel, or name another one",
  channel_not_found:
    "there is no such channel, or the app cannot see it: invite it there, or name another one",
  channel_type_not_supported: "name a channel",
  ekm_access_denied: "an admin of the workspace has to allow it",
  enterprise_is_restricted: "the token is one of the whole organization: see slackToken",
  invalid_auth: "the token is not taken, or not from this host's address: see slackToken",
  invalid_token: "the webhook's address is not whole, or not valid any more",
  is_archived: "unarchive the channel, or name another one",
  missing_scope: "give the app the scope, and install it anew: see docs/integrations.md",
  no_active_hooks: "the webhook is switched off",
  no_permission: "the app may not post there",
  no_service: "the webhook is gone, or switched off: make a new one",
  no_service_id: "the webhook's address is not whole",
  no_team: "the webhook's workspace is gone",
  not_allowed_token_type: "a bot's token is wanted, which begins with xoxb-: see slackToken",
  not_authed: "there is no token in the request: see slackToken",
  not_in_channel: "invite the app into the channel",
  org_login_required: "the workspace is moving to an organization",
  posting_to_general_channel_denied: "not everybody may post to the workspace's general channel",
  restricted_action: "a setting of the workspace does not let the app post",
  restricted_action_non_threadable_channel: "the channel takes no threads",
  restricted_action_read_only_channel: "the channel can be read only",
  restricted_action_thread_locked: "the thread is locked",
  restricted_action_thread_only_channel: "the channel takes threads only",
  team_access_not_granted: "the app is not installed in that workspace",
  team_disabled: "the workspace is switched off",
  token_expired: "make a new token: see slackToken",
  token_revoked: "the token was revoked: install the app anew, and see slackToken",
  two_factor_setup_required: "the app's account needs a second factor",
  user_not_found: "there is no such user: see slackChannel",
};

/** Too many messages; nothing was done. */
const PATIENCE: ReadonlySet<string> = new Set(["ratelimited", "rate_limited", "message_limit_exceeded"]);
/** Where an answer with such an error does not say itself how long, in milliseconds. */
const PATIENCE_MS = 30_000;

/** A method has said no. */
export class SlackError extends Error {
  override name = "SlackError";

  /**
   * @param method as in `chat.update`
   * @param code Slack's word for what is wrong
   * @param needed the scope that is missing, if that is it
   */
  constructor(readonly method: string, readonly code: string, readonly needed = "") {
    super(`Slack: ${method}: ${code}${needed && ` (${needed})`}`);
  }
}

/**
 * @param code of an answer that says no
 * @param where what it is about, as people know it: the channel
 * @returns what `Sink.deliver` is to throw
 */
export function methodError({ method, code, needed }: SlackError, where: string): Error {
  const word = CODE.test(code) ? code : "an error without a name";
  const scopes = SCOPES.test(needed) ? ` (${needed})` : "";
  const message = `Slack: ${method} for ${where}: ${word}${scopes}`;
  if (PATIENCE.has(code)) return new SinkUnavailableError(message, { retryAfterMs: PATIENCE_MS });
  if (REFUSED.has(code)) return new SinkRefusedError(message);
  const mend = MENDS[code];
  // What nobody knows may pass.
  return mend === undefined ? new SinkUnavailableError(message) : new SinkDeniedError(`${message}: ${mend}`);
}

/** @returns what `Sink.deliver` is to throw for what a webhook has answered */
export function hookError(error: unknown): unknown {
  if (!(error instanceof HttpStatusError)) return sinkError(error);
  const code = CODE.exec(error.text.trim())?.[0];
  if (code === undefined) return sinkError(error);
  const mend = MENDS[code];
  const message = `${error.message}: ${code}${mend === undefined ? "" : `: ${mend}`}`;
  if (mend !== undefined) return new SinkDeniedError(message, { cause: error });
  if (REFUSED.has(code)) return new SinkRefusedError(message, { cause: error });
  return sinkError(error, code);
}
