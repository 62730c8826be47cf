/** What `srvaudit install`, `uninstall` and `rescue` are asked to do. */

import type { InstallFlags } from "./answers.ts";

/** `srvaudit install`. */
export type InstallRequest =
  | (InstallFlags & { action: "install"; yes: boolean; dryRun: boolean })
  | { action: "install hooks"; dryRun: boolean }
  | { action: "install confirm" };

/** `srvaudit uninstall`. */
export interface UninstallRequest {
  /** Whether evidence, spool, config and log go too. */
  purge: boolean;
  /** Whether what a package has placed stays. */
  keepFiles: boolean;
  yes: boolean;
  dryRun: boolean;
}

/** `srvaudit rescue`. */
export interface RescueRequest {
  /** By name; none: everybody. */
  users: readonly string[];
  hooks: boolean;
  /** Where the host's disk is mounted; undefined: `/`. */
  root: string | undefined;
}
