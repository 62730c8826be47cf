/** It cannot be done, for a reason that the user can do something about. */
export class CannotError extends Error {
  override name = "CannotError";
}
