/** `srvaudit uninstall`. */

import type { UninstallRequest } from "./request.ts";

/** @returns the exit code */
export function uninstallCommand(request: UninstallRequest): Promise<number> {
  throw new Error(`uninstall ${request.purge ? "--purge" : ""}: this version cannot do it yet`);
}
