/** Sockets to somebody else: of datagrams, of unix(7), and what the kernel knows of any. Nothing here waits. */

import { ERRNO, errno, SystemCallError } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  // Variadic in C; for an argument that is a pointer the call is the same on x86_64 and aarch64 Linux.
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

// The same on x86_64 and aarch64.
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
const TYPES = { stream: 1, datagram: 2 };
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SIOCOUTQ = 0x5411n;
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_ERROR = 4;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_ESTABLISHED = 1;
const EMSGSIZE = 90;

/**
 * Makes a socket and connects it. Where that would take time (TCP) this is not what to use.
 *
 * @param address struct sockaddr
 * @returns a descriptor that does not block
 * @throws {SystemCallError}
 */
export function connectSocket(
  family: number,
  type: keyof typeof TYPES,
  address: Uint8Array<ArrayBuffer>,
): number {
  const fd = libc().socket(family, TYPES[type] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new SystemCallError("socket", errno());
  if (libc().connect(fd, address, address.length) === 0) return fd;
  const code = errno();
  libc().close(fd);
  throw new SystemCallError("connect", code);
}

/**
 * Sends what the kernel has room for.
 *
 * @returns how many bytes of it; "again" for none now; "too long" for a datagram that is
 * @throws {SystemCallError} with what is wrong with the socket, or was with what it sent before
 */
export function sendSome(fd: number, bytes: Uint8Array<ArrayBuffer>): number | "again" | "too long" {
  const count = libc().send(fd, bytes, BigInt(bytes.length), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count >= 0) return count;
  const code = errno();
  if (code === EMSGSIZE) return "too long";
  if (code === ERRNO.EAGAIN || code === ERRNO.EINTR || code === ERRNO.ENOBUFS || code === ERRNO.ENOMEM) {
    return "again";
  }
  throw new SystemCallError("send", code);
}

/** What is wrong with a socket, and told only once: SO_ERROR. @returns its errno, 0 for nothing */
export function errorOfSocket(fd: number): number {
  return option(fd, SO_ERROR) ?? errno();
}

/** Whether a TCP connection stands in both directions, as far as this host knows: TCP_INFO. */
export function isEstablished(fd: number): boolean {
  const info = new Uint8Array(1);
  const failed = libc().getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, Uint32Array.of(1)) !== 0;
  return !failed && info[0] === TCP_ESTABLISHED;
}

/**
 * How much of what was sent is still here: SIOCOUTQ. Of TCP the bytes that the other host's kernel has not acknowledged; of a
 * unix socket the memory of what the other end has not read.
 *
 * @throws {SystemCallError}
 */
export function unsentBytes(fd: number): number {
  const count = new Int32Array(1);
  if (libc().ioctl(fd, SIOCOUTQ, count) !== 0) throw new SystemCallError("ioctl SIOCOUTQ", errno());
  return count[0] ?? 0;
}

/**
 * Finds the descriptor of a TCP connection that Deno has made: it does not tell. It is good as long as the connection is open.
 *
 * @param localPort this end's
 * @param peer the other end's struct sockaddr
 * @returns undefined if there is none
 */
export function descriptorOf(localPort: number, peer: Uint8Array): number | undefined {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const fd = Number(name);
    const local = addressBy("getsockname", fd);
    // The port stands at the same place in sockaddr_in and sockaddr_in6.
    if (local.length < 4 || new DataView(local.buffer).getUint16(2) !== localPort) continue;
    if (option(fd, SO_TYPE) !== TYPES.stream) continue;
    const other = addressBy("getpeername", fd);
    if (other.length === peer.length && other.every((byte, i) => byte === peer[i])) return fd;
  }
  return undefined;
}

/** Empty for what is no socket, or not connected. */
function addressBy(call: "getsockname" | "getpeername", fd: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(128);
  const length = Uint32Array.of(address.length);
  return libc()[call](fd, address, length) === 0 ? address.slice(0, length[0]) : new Uint8Array();
}

function option(fd: number, name: number): number | undefined {
  const value = new Int32Array(1);
  const failed = libc().getsockopt(fd, SOL_SOCKET, name, value, Uint32Array.of(4)) !== 0;
  return failed ? undefined : value[0];
}
