/** There is no shell, by policy. The message says why, and what to do about it. */
export class RefusalError extends Error {
  override name = "RefusalError";
}
