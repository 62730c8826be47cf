/** Values of the config that say where something is, and how to get in: each throws an Error that says what the value is not. */

/** @returns the address of a service, without a slash at its end */
export function httpUrl(value: string): string {
  const found = URL.parse(value.trim());
  if (!found || !["http:", "https:"].includes(found.protocol)) {
    throw new Error("is no address: write https://host, or https://host/path");
  }
  if (found.username + found.password !== "") {
    throw new Error("has a user in it: the key alone says who srvAudit is");
  }
  // Looked for in the text: a query that is empty is none to URL, and would yet stand before every path.
  if (/[?#]/.test(value)) throw new Error("has a ? or # in it: the address of the front page is meant");
  return found.href.replace(/\/+$/, "");
}

/** @returns the address that something is posted to, just as it is: what stands behind a ? belongs to it */
export function hookUrl(value: string): string {
  const found = URL.parse(value.trim());
  if (!found || !["http:", "https:"].includes(found.protocol)) {
    throw new Error("is no address: write https://host/path");
  }
  if (found.username + found.password !== "") {
    throw new Error("has a user in it: that belongs into a header");
  }
  if (found.hash !== "") throw new Error("has a # in it: what stands behind that is never sent");
  return found.href;
}

/** Whether what is sent there can be read on its way. */
export function isOpenOnItsWay(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return ["http:", "udp:", "tcp:"].includes(protocol) && !isLoopback(hostname);
}

/** What a header can carry as a key. */
export function headerValue(value: string): string {
  if (!/^[\x21-\x7e]+$/.test(value)) {
    throw new Error("has blanks or characters in it that no key has: copy it anew");
  }
  return value;
}

/** What srvAudit says by itself. */
const OWN_HEADERS: readonly string[] = [
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/**
 * `name=value,name=value`, in OpenTelemetry's way: in a value `%2C` is a comma, `%25` a percent sign. No message has a part of
 * it: where a comma or a = is forgotten, a name is a secret.
 *
 * @returns the headers, by their names in small letters
 */
export function headers(value: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [index, pair] of value.split(",").map((one) => one.trim()).entries()) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(at, 0)).trim().toLowerCase();
    const which = `part ${index + 1}`;
    if (!/^[a-z0-9!#$&'*+.^_`|~-]+$/.test(name)) {
      throw new Error(`has no header in ${which}: write name=value,name=value (%2C for a comma)`);
    }
    if (OWN_HEADERS.includes(name)) {
      throw new Error(`has the header ${name} in it: srvAudit sets that itself`);
    }
    const text = decoded(pair.slice(at + 1).trim());
    if (text === undefined) {
      throw new Error(`has a % in ${which} that begins no code: write %25 for it`);
    }
    if (!/^[\x20-\x7e]*$/.test(text)) throw new Error(`has a character in ${which} that no header has`);
    found[name] = text;
  }
  return found;
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.[0-9]+){3}$/.test(hostname);
}
