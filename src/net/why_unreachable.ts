/** Why there was no answer, in people's words, of what Deno's fetch throws. */

/** What was tried. */
export interface Attempt {
  /** Where to. */
  url: URL;
  /** The proxy that was asked for it, if any. */
  proxy: URL | undefined;
  /** For how long. */
  elapsedMs: number;
  /** The config's key of the address. */
  urlKey: string;
}

/**
 * Only what is known is said: fetch's own messages hold the whole address, and that may hold what is nobody's business.
 *
 * @param error what `fetch`, or the reading of a body, has thrown
 * @returns what happened, and the mend
 */
export function whyUnreachable(error: unknown, attempt: Attempt): string {
  if (error instanceof DOMException) return whyGivenUp(error, attempt);
  const message = error instanceof Error ? error.message : "";
  const reason = message.slice(message.indexOf("client error ("));
  return whyNotTrusted(reason, attempt) ?? ofProxy(reason, attempt) ?? ofConnection(reason, attempt) ??
    ofReply(message);
}

function whyGivenUp(error: DOMException, { elapsedMs }: Attempt): string {
  const seconds = (elapsedMs / 1000).toFixed(1).replace(/\.0$/, "");
  return error.name === "TimeoutError" ? `no answer in ${seconds} s` : `given up after ${seconds} s`;
}

/**
 * @param reason what rustls says
 * @returns what is wrong with a server's certificate, and the mend; undefined for what is not about that
 */
export function whyNotTrusted(
  reason: string,
  { url, urlKey }: Pick<Attempt, "url" | "urlKey">,
): string | undefined {
  if (reason.includes("InvalidContentType")) {
    const plain = url.protocol === "https:" ? "http" : "tcp";
    return `what listens at ${url.host} does not speak TLS: see ${urlKey} (another port, or ${plain})`;
  }
  const fault = /invalid peer certificate: (.*)/s.exec(reason)?.[1];
  if (fault === undefined) return undefined;
  if (fault.startsWith("UnknownIssuer")) {
    return `its certificate is signed by nobody whom this host trusts: name a file with the CA's certificate in caFile`;
  }
  if (fault.startsWith("Expired") || fault.includes("certificate expired")) {
    return "its certificate has expired: have it renewed, and see whether this host's clock is right";
  }
  if (/^NotValidYet|certificate not valid yet/.test(fault)) {
    return "its certificate is not valid yet: see whether this host's clock is right";
  }
  if (/not valid for name|^NotValidForName/.test(fault)) {
    const names = [...fault.matchAll(/DnsName\("([^"]*)"\)/g)].map(([, name]) => name).join(", ");
    return `its certificate is not for ${url.hostname}${names && `, but for ${names}`}: see ${urlKey}`;
  }
  return `its certificate is not trusted (${
    /^[A-Za-z]*/.exec(fault)?.[0] || "it is not valid"
  }): have it renewed`;
}

function ofProxy(reason: string, { url, proxy }: Attempt): string | undefined {
  if (!proxy) return undefined;
  if (reason.includes("proxy authentication required")) {
    return `the proxy ${proxy.host} wants a user and a password, or other ones: see proxy`;
  }
  if (reason.includes("unsuccessful tunnel")) {
    return `the proxy ${proxy.host} does not open a way to ${url.host}: see proxy (the user and the password, too), and its log`;
  }
  return undefined;
}

function ofConnection(reason: string, { url, proxy, urlKey }: Attempt): string | undefined {
  if (!reason.startsWith("client error (Connect)")) return undefined;
  // Whoever is connected to is the proxy, where there is one.
  const [where, hostname, key] = proxy
    ? [`the proxy ${proxy.host}`, proxy.hostname, "proxy"]
    : [url.host, url.hostname, urlKey];
  if (reason.includes("dns error")) {
    return /Name or service not known|No address associated|NXDOMAIN/i.test(reason)
      ? `no such host: ${hostname}: see ${key}`
      : `the name ${hostname} cannot be looked up now: see this host's DNS`;
  }
  if (reason.includes("Connection refused")) {
    return `connection refused by ${where}: is it running? See ${key}`;
  }
  const words = /tcp connect error: ([A-Za-z ]+) \(os error [0-9]+\)/.exec(reason)?.[1];
  if (words !== undefined) return `no connection to ${where}: ${words.toLowerCase()}`;
  const alert = /received fatal alert: ([A-Za-z]+)/.exec(reason)?.[1];
  return `no connection to ${where}${
    alert === undefined ? "" : `: it ends the TLS handshake with ${alert}`
  }: see ${key}`;
}

function ofReply(message: string): string {
  if (/invalid HTTP|parsed|InvalidContent/.test(message)) return "what listens there does not speak HTTP";
  return "the reply ended early";
}

/** Whether the connection has ended before a word of the answer came. */
export function hasHungUp(error: unknown): boolean {
  return error instanceof TypeError &&
    /client error \(SendRequest\): .*(connection closed|reset by peer|broken pipe)/i.test(error.message);
}
