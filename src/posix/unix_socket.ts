/** Stream sockets of unix(7), as a server needs them: nothing here waits. */

import { ERRNO, errno, SystemCallError } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";

// recv and send give an ssize_t: its lower half is enough, as no buffer here is longer than that.
const libc = fromLibc({
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

// The same on x86_64 and aarch64.
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERPIDFD = 77;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const LONGEST_PATH = 107;
/** The kernel takes net.core.somaxconn if that is less. */
const BACKLOG = 4096;

/** Another process listens on that path. */
export class SocketInUseError extends Error {
  override name = "SocketInUseError";
}

/** Who connected, by what the kernel kept of that moment. */
export interface Credentials {
  /** The process that connected; 0 if it lives in a pid namespace that is out of sight. */
  pid: number;
  /** Its effective user and group. */
  uid: number;
  gid: number;
}

/**
 * Listens on a path, for everybody. A socket file that nobody listens behind is replaced, so that a client finds the old
 * one or a whole new one. The folder should be such that only its owner can write there.
 *
 * @param path where to listen, absolute; 90 bytes at most
 * @returns a descriptor that does not block
 * @throws {SocketInUseError} @throws {SystemCallError} @throws {TypeError} for a path that is too long
 */
export function listen(path: string): number {
  // It gets its mode under a name that nobody knows, and its own name when it is ready.
  const unready = `${path}.${Deno.pid}`;
  const address = addressOf(unready);
  if (isListening(path)) throw new SocketInUseError(`another process listens on ${path}: end it first`);
  const fd = newSocket();
  try {
    if (expectSocket(unready)) Deno.removeSync(unready);
    if (libc().bind(fd, address, address.length) !== 0) throw new SystemCallError(`bind ${unready}`, errno());
    Deno.chmodSync(unready, 0o666);
    if (libc().listen(fd, BACKLOG) !== 0) throw new SystemCallError(`listen ${unready}`, errno());
    // In one step, so that a client never finds nothing.
    expectSocket(path);
    Deno.renameSync(unready, path);
    return fd;
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

/**
 * Takes the next connection.
 *
 * @returns its descriptor, which does not block; "again" if none waits; "full" if this process, or the machine, has no
 *   room for one more: it goes on waiting, so ask again later and not at once
 * @throws {SystemCallError}
 */
export function accept(listener: number): number | "again" | "full" {
  const fd = libc().accept4(listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) return fd;
  const code = errno();
  if (code === ERRNO.EAGAIN || code === ERRNO.EINTR || code === ERRNO.ECONNABORTED) return "again";
  if (isFull(code)) return "full";
  throw new SystemCallError("accept4", code);
}

/** Who is behind a connection: SO_PEERCRED. @throws {SystemCallError} */
export function credentialsOfPeer(fd: number): Credentials {
  const credentials = new Int32Array(3);
  if (libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, Uint32Array.of(12)) !== 0) {
    throw new SystemCallError("getsockopt SO_PEERCRED", errno());
  }
  const [pid = 0, uid = 0, gid = 0] = credentials;
  return { pid, uid: uid >>> 0, gid: gid >>> 0 };
}

/**
 * A descriptor of the very process that connected, which no later process of the same number can be taken for:
 * SO_PEERPIDFD.
 *
 * @returns it, to be closed; "unknown" where the kernel has no such thing (before Linux 6.5); "gone" if the process is
 * @throws {SystemCallError} if there is no descriptor left
 */
export function processBehind(fd: number): number | "unknown" | "gone" {
  const pidfd = new Int32Array(1);
  if (libc().getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, pidfd, Uint32Array.of(4)) !== 0) {
    const code = errno();
    if (isFull(code)) throw new SystemCallError("getsockopt SO_PEERPIDFD", code);
    return code === ERRNO.ENOPROTOOPT ? "unknown" : "gone";
  }
  return pidfd[0] ?? "unknown";
}

/**
 * Takes what has come.
 *
 * @returns how many bytes are in `buffer` now; 0 at the end; "again" if nothing has come yet; "gone" if the other end is
 */
export function receive(fd: number, buffer: Uint8Array<ArrayBuffer>): number | "again" | "gone" {
  const count = libc().recv(fd, buffer, BigInt(buffer.length), MSG_DONTWAIT);
  return count >= 0 ? count : failure();
}

/** Sends what the kernel has room for. @returns how many bytes of it; "again" for none; "gone" if the other end is */
export function send(fd: number, bytes: Uint8Array<ArrayBuffer>): number | "again" | "gone" {
  const count = libc().send(fd, bytes, BigInt(bytes.length), MSG_DONTWAIT | MSG_NOSIGNAL);
  return count >= 0 ? count : failure();
}

/** Closes a descriptor of this module's. */
export function close(fd: number): void {
  libc().close(fd);
}

function failure(): "again" | "gone" {
  const code = errno();
  return code === ERRNO.EAGAIN || code === ERRNO.EINTR || code === ERRNO.ENOBUFS || code === ERRNO.ENOMEM
    ? "again"
    : "gone";
}

/** Whether this process, or the machine, has no room for one more. */
function isFull(code: number): boolean {
  return code === ERRNO.EMFILE || code === ERRNO.ENFILE || code === ERRNO.ENOMEM || code === ERRNO.ENOBUFS;
}

function newSocket(): number {
  const fd = libc().socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new SystemCallError("socket", errno());
  return fd;
}

/** struct sockaddr_un: the family and the path, which ends in NUL. @throws {TypeError} for a path that is too long */
export function addressOf(path: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(path);
  if (name.length > LONGEST_PATH || name.includes(0)) {
    throw new TypeError(`${path} cannot be a socket: ${LONGEST_PATH} bytes are the most`);
  }
  const address = new Uint8Array(2 + name.length + 1);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, 2);
  return address;
}

function isListening(path: string): boolean {
  const address = addressOf(path);
  const fd = newSocket();
  const failed = libc().connect(fd, address, address.length) !== 0;
  // A full backlog (EAGAIN) is one that somebody listens behind.
  const isListening = !failed || errno() === ERRNO.EAGAIN;
  libc().close(fd);
  return isListening;
}

/** @returns whether there is a socket @throws {TypeError} if there is something else */
function expectSocket(path: string): boolean {
  try {
    if (Deno.lstatSync(path).isSocket) return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  throw new TypeError(`${path} is there, and no socket: move it away`);
}
