/** Why the last call of libc on this thread failed: errno(3). */

const symbols = {
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The numbers that callers tell apart: the same on x86_64 and aarch64. */
export const ERRNO = {
  EINTR: 4,
  EAGAIN: 11,
  ENOMEM: 12,
  ENFILE: 23,
  EMFILE: 24,
  EPIPE: 32,
  ENOPROTOOPT: 92,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
} as const;

let place: Deno.UnsafePointerView | undefined;

/**
 * Finds where this thread keeps its errno. Called before the first call that may fail, so that nothing comes between a
 * failure and `errno()`.
 */
export function prepareErrno(): void {
  if (place !== undefined) return;
  const location = Deno.dlopen("libc.so.6", symbols).symbols.__errno_location();
  if (location === null) throw new Error("libc does not say where it keeps errno");
  place = new Deno.UnsafePointerView(location);
}

/** The errno of the call before. It means something only right after that call failed, and not after a nonblocking one. */
export function errno(): number {
  return place?.getInt32() ?? 0;
}

/** A call to the kernel that failed for a reason that no caller is expected to handle. */
export class SystemCallError extends Error {
  override name = "SystemCallError";

  /**
   * @param call what failed, on what: `bind /run/srvaudit/agent.sock`
   * @param code the errno
   */
  constructor(call: string, readonly code: number) {
    super(`${call}: errno ${code}`);
  }
}
