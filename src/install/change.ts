/**
 * What an installation is made of: changes, each of which can be shown before it is made, made again after a kill, and put back.
 *
 * The journal has each change before it is made, with what was there: so whatever kills the installer, running it again goes on,
 * and `srvaudit uninstall` finds everything.
 */

import type { Target } from "./target.ts";

/** What can stand in the journal. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What is shown of a change that is not made yet (`--dry-run`). */
export type Preview =
  /** A file's text now (undefined: there is none) and then (undefined: it goes). Secrets are masked already. */
  | { path: string; now: string | undefined; then: string | undefined }
  /** What has no text: `systemctl enable srvaudit`, `install -m 755 /usr/lib/srvaudit/srvaudit`. */
  | { does: string };

/** What undoing has left as it is, and why: an admin has changed it since. */
export interface Left {
  what: string;
  why: string;
}

/**
 * A kind of change: a file placed, lines added, users given another shell. Every function is safe to be called again after it was
 * killed amid.
 *
 * @typeParam Args what exactly: it is the journal's, so that undo knows without a plan
 * @typeParam Before what was there, as far as undo needs it
 */
export interface ChangeKind<Args extends Json, Before extends Json> {
  /** The same in every version: the journal names it. */
  readonly kind: string;
  /** Whether the host is so already. */
  isDone(target: Target, args: Args): boolean | Promise<boolean>;
  preview(target: Target, args: Args): Preview[] | Promise<Preview[]>;
  /** The files that making it writes, as the host itself calls them; without this, other programs write all that is written. */
  writes?(target: Target, args: Args): string[];
  /** What undo will need. Asked before the change is made first; a later run keeps it, unless it is about who gets in. */
  before(target: Target, args: Args): Before | Promise<Before>;
  /** @throws {Error} that says what failed, on what, and what to do */
  apply(target: Target, args: Args): void | Promise<void>;
  /** Puts back what was there, and leaves what others have changed since: what that is it returns. */
  undo(target: Target, args: Args, before: Before): Left[] | Promise<Left[]>;
}

/** One change of a plan. */
export interface Change<Args extends Json = Json, Before extends Json = Json> {
  kind: ChangeKind<Args, Before>;
  /** What it is about, the same in each run: `/etc/bash.bashrc`. With the kind it names the change in the journal. */
  about: string;
  args: Args;
}
