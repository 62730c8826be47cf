/** How much Redmine takes. */

/**
 * MySQL's `text`, which Redmine's journals are kept in there, has 65,535 bytes; what Redmine adds is nothing, the margin is for
 * line ends that somebody's browser makes two bytes of.
 */
export const REDMINE_LIMIT = 60_000;

const encoder = new TextEncoder();

/** The size of a body in UTF-8. */
export function bytesOf(body: string): number {
  return encoder.encode(body).length;
}
