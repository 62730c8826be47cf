/** Where a host is: getaddrinfo(3), and so /etc/hosts, DNS and whatever else NSS asks. */

import { fromLibc } from "./from_libc.ts";
import { AF_INET, AF_INET6 } from "./client_socket.ts";

const libc = fromLibc({
  // In a thread of its own: a name server may take its time.
  getaddrinfo: { parameters: ["buffer", "buffer", "buffer", "buffer"], result: "i32", nonblocking: true },
  freeaddrinfo: { parameters: ["pointer"], result: "void" },
});

// netdb.h of glibc.
const AI_NUMERICSERV = 0x400;
const EAI_NONAME = -2;
const EAI_NODATA = -5;
/** struct addrinfo: flags, family, socktype, protocol, addrlen, addr, canonname, next (glibc, 64 bit). */
const ADDRINFO_BYTES = 48;
const SOCK_STREAM = 1;

/** What threads read just now: this Deno would let it be collected meanwhile (denoland/deno, pull request 32775). */
const underWay = new Set<readonly Uint8Array[]>();

/** One of a host's addresses. */
export interface HostAddress {
  /** As people write it: `192.0.2.1`, `2001:db8::1`. */
  ip: string;
  family: typeof AF_INET | typeof AF_INET6;
  /** With the port, as the kernel has it: struct sockaddr_in, or sockaddr_in6. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** There is no such name, or nobody can say just now. */
export class NameLookupError extends Error {
  override name = "NameLookupError";

  /** @param isUnknown whether it is certain that there is no such name */
  constructor(message: string, readonly isUnknown: boolean) {
    super(message);
  }
}

/**
 * @param host a name, or an address
 * @returns where to try, the best first; at least one
 * @throws {NameLookupError}
 *
 * @example
 * ```ts
 * const [{ ip }] = await lookUpHost("localhost", 514); // "127.0.0.1"
 * ```
 */
export async function lookUpHost(host: string, port: number): Promise<HostAddress[]> {
  const { getaddrinfo, freeaddrinfo } = libc();
  const hints = new Uint8Array(ADDRINFO_BYTES);
  const view = new DataView(hints.buffer);
  view.setInt32(0, AI_NUMERICSERV, true);
  // One of each address, and not one for each kind of socket.
  view.setInt32(8, SOCK_STREAM, true);
  const found = new BigUint64Array(1);
  const inputs = [cString(host), cString(String(port)), hints] as const;
  let code: number;
  underWay.add(inputs);
  try {
    code = await getaddrinfo(...inputs, found);
  } finally {
    underWay.delete(inputs);
  }
  const list = Deno.UnsafePointer.create(found[0] ?? 0n);
  if (code !== 0) {
    const isUnknown = code === EAI_NONAME || code === EAI_NODATA;
    throw new NameLookupError(
      isUnknown ? `no such host: ${host}` : `the name ${host} cannot be looked up now: see this host's DNS`,
      isUnknown,
    );
  }
  try {
    const addresses = [...addressesIn(list)];
    if (addresses.length === 0) throw new NameLookupError(`${host} has no address`, true);
    return addresses;
  } finally {
    freeaddrinfo(list);
  }
}

function* addressesIn(list: Deno.PointerValue): Generator<HostAddress> {
  for (let next = list; next !== null;) {
    const view = new Deno.UnsafePointerView(next);
    const place = view.getPointer(24);
    const family = view.getInt32(4);
    if (place !== null && (family === AF_INET || family === AF_INET6)) {
      const bytes = new Uint8Array(view.getUint32(16));
      new Deno.UnsafePointerView(place).copyInto(bytes);
      yield { ip: ipOf(family, bytes), family, bytes };
    }
    next = view.getPointer(40);
  }
}

/** Of sockaddr_in the address stands at 4, of sockaddr_in6 at 8. */
function ipOf(family: number, bytes: Uint8Array): string {
  if (family === AF_INET) return bytes.subarray(4, 8).join(".");
  const groups = Array.from({ length: 8 }, (_, i) => {
    return (((bytes[8 + 2 * i] ?? 0) << 8) | (bytes[9 + 2 * i] ?? 0)).toString(16);
  });
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(`${text}\0`));
}
