/** How much Redmine takes. */

/**
 * A note was MySQL's `text` until Redmine 3.4, 65,535 bytes (db/migrate/20161010081600), and is where the database came over from
 * there by other ways than Redmine's own. It is as much as anybody would read in one. The margin is for line ends, of which a
 * browser makes two bytes where somebody edits a note.
 */
export const REDMINE_LIMIT = 60_000;

const encoder = new TextEncoder();

/** The size of a body in UTF-8. */
export function bytesOf(body: string): number {
  return encoder.encode(body).length;
}
