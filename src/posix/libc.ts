/** What programs ask of libc that Deno has no API for. No other room of the house does FFI. */

import { ERRNO, errno } from "./errno.ts";
import { fromLibc } from "./from_libc.ts";

const libc = fromLibc({
  execve: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
  getpwuid: { parameters: ["u32"], result: "pointer" },
  geteuid: { parameters: [], result: "u32" },
  setsid: { parameters: [], result: "i32" },
  tcgetpgrp: { parameters: ["i32"], result: "i32" },
  getpgrp: { parameters: [], result: "i32" },
});

const encoder = new TextEncoder();

function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new TypeError(`a NUL byte cannot stand in ${JSON.stringify(text)}`);
  return new Uint8Array(encoder.encode(text + "\0"));
}

/** A NULL-terminated array of C strings, and the strings themselves, which must outlive it. */
function cStringArray(texts: readonly (string | Uint8Array<ArrayBuffer>)[]) {
  const strings = texts.map((text) => typeof text === "string" ? cString(text) : text);
  const array = new BigUint64Array(strings.length + 1);
  strings.forEach((string, i) => {
    array[i] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(string));
  });
  return { array, strings };
}

const SIGPIPE = 13;
const SIGXFSZ = 25;
const SIG_IGN = 1n;

/**
 * Lets a write beyond the user's limit of a file's size (`ulimit -f`) fail, as one to a full disk does, where it would
 * kill this process. `exec` puts it back.
 */
export function surviveFileSizeLimit(): void {
  libc().signal(SIGXFSZ, Deno.UnsafePointer.create(SIG_IGN));
}

/**
 * Becomes another program: execve(2). SIGPIPE, which Deno ignores, is set back to its default first (and SIGXFSZ
 * with it), since what is ignored stays ignored across an exec and `yes | head` would never end.
 *
 * @param path the program's file
 * @param args its argv, argv[0] included; a `Uint8Array` is handed over as it is and must end in NUL
 * @param env its whole environment, `NAME=value` each, in the same two forms
 * @throws {Error} when the kernel refuses: then this process goes on
 *
 * @example
 * ```ts
 * exec("/bin/bash", ["-bash"], ["HOME=/root"]);
 * ```
 */
export function exec(
  path: string,
  args: readonly (string | Uint8Array<ArrayBuffer>)[],
  env: readonly (string | Uint8Array<ArrayBuffer>)[],
): never {
  const argv = cStringArray(args);
  const envp = cStringArray(env);
  for (const signal of [SIGPIPE, SIGXFSZ]) libc().signal(signal, null);
  libc().execve(cString(path), argv.array, envp.array);
  const code = errno();
  const reason = code === 2
    ? "no such file"
    : code === 13
    ? "not executable"
    : code === 7
    ? "arguments too long"
    : `errno ${code}`;
  // The strings are named here so that nothing frees them before the kernel has read them.
  throw new Error(`cannot run ${path}: ${reason}`, {
    cause: { argv: argv.strings.length, envp: envp.strings.length },
  });
}

/** What passwd(5), or whatever NSS asks, knows of a user. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
  shell: string;
}

/**
 * Looks a user up: getpwuid(3), and so LDAP and SSSD users too.
 *
 * @param uid the user's number
 * @returns the account, or undefined if there is none by that number
 */
export function accountOf(uid: number): Account | undefined {
  const found = libc().getpwuid(uid);
  if (found === null) return undefined;
  // struct passwd: pw_name, pw_passwd, pw_uid, pw_gid, pw_gecos, pw_dir, pw_shell (glibc, 64 bit).
  const view = new Deno.UnsafePointerView(found);
  const text = (offset: number) => {
    const pointer = view.getPointer(offset);
    return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
  };
  return {
    name: text(0),
    uid: view.getUint32(16),
    gid: view.getUint32(20),
    home: text(32),
    shell: text(40),
  };
}

/** The user that this process acts as: geteuid(2). */
export function effectiveUid(): number {
  return libc().geteuid();
}

let own: { account: Account | undefined } | undefined;

/**
 * The account of the user that this process acts as. It is looked up once: NSS may have to ask a server.
 *
 * @returns the account, or undefined if that user has none
 */
export function ownAccount(): Account | undefined {
  own ??= { account: accountOf(effectiveUid()) };
  return own.account;
}

/** The name of the user that this process acts as, or the number of one who has no name. */
export function ownName(): string {
  return ownAccount()?.name ?? String(effectiveUid());
}

/**
 * Waits until there is something to read, or the other end is gone: poll(2).
 *
 * @param fd the file descriptor
 * @param timeoutMs how long to wait, in milliseconds
 * @returns whether a read would return at once (with bytes, or with the end of the file)
 */
export function waitReadable(fd: number, timeoutMs: number): boolean {
  const POLLIN = 1;
  const deadline = performance.now() + timeoutMs;
  while (true) {
    const request = new ArrayBuffer(8);
    new DataView(request).setInt32(0, fd, true);
    new DataView(request).setInt16(4, POLLIN, true);
    const ready = libc().poll(request, 1n, Math.max(0, Math.ceil(deadline - performance.now())));
    if (ready >= 0) return ready > 0;
    // A signal that the runtime handles came in between: wait for what is left.
    if (errno() !== ERRNO.EINTR) return true;
  }
}

/** Whether this process is in the foreground of the terminal behind `fd`, so that a read there will not stop it. */
export function isForeground(fd: number): boolean {
  return libc().tcgetpgrp(fd) === libc().getpgrp();
}

/** Leaves the terminal and its job control: setsid(2). Does nothing where this process leads a group already. */
export function leaveTerminal(): void {
  libc().setsid();
}
