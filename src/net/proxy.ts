/** Which way requests take: the config alone decides, whatever the environment says. */

import type { NetworkSettings } from "../config/tracker_settings.ts";

/** What Deno reads when it makes a client. */
const VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

/**
 * @param url where requests go
 * @returns the proxy to ask for it; undefined where it is reached directly
 */
export function proxyFor(url: URL, network: Pick<NetworkSettings, "proxy" | "noProxy">): URL | undefined {
  if (network.proxy === "") return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isDirect = network.noProxy.some((name) => name === "*" || host === name || host.endsWith(`.${name}`));
  return isDirect ? undefined : new URL(network.proxy);
}

/** @returns the proxy as Deno wants it */
export function denoProxy(proxy: URL): Deno.Proxy {
  const { username, password } = proxy;
  const address = { transport: "http" as const, url: proxy.origin };
  if (username === "") return address;
  return {
    ...address,
    basicAuth: { username: decodeURIComponent(username), password: decodeURIComponent(password) },
  };
}

/** Does something while no variable names a proxy. */
export function withoutProxyVariables<Result>(work: () => Result): Result {
  const saved = VARIABLES.map((name) => [name, Deno.env.get(name)] as const);
  for (const [name] of saved) Deno.env.delete(name);
  try {
    return work();
  } finally {
    for (const [name, value] of saved) if (value !== undefined) Deno.env.set(name, value);
  }
}
