/** Why there is no connection to a syslog server, in people's words. */

import { whyNotTrusted } from "../../net/why_unreachable.ts";
import { NameLookupError } from "../../posix/name_lookup.ts";
import { messageOf } from "../../terminal/message_of.ts";
import { HungUpError, type Server } from "./connection.ts";

const KEY = "syslogURL";

/** The mend where there is one. */
export function whyNotFound({ message, isUnknown }: NameLookupError): string {
  return isUnknown ? `${message}: see ${KEY}` : message;
}

/**
 * @param error what `Connection` has thrown
 * @returns what happened, and the mend
 */
export function whyNoConnection(error: unknown, { host, port, certificates }: Server): string {
  if (error instanceof NameLookupError) return whyNotFound(error);
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const reason = messageOf(error);
  const url = new URL(`${certificates ? "tls" : "tcp"}://${where}`);
  const distrust = certificates && whyNotTrusted(reason, { url, urlKey: KEY });
  if (distrust !== undefined) return distrust;
  if (error instanceof Deno.errors.ConnectionRefused) {
    return `connection refused by ${where}: is it running? See ${KEY}`;
  }
  const hasHungUp = error instanceof HungUpError || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.UnexpectedEof;
  if (hasHungUp) return `${where} has hung up: see its log`;
  return `no connection to ${where}: ${reason.toLowerCase()}`;
}
