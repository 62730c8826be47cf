/** `srvaudit install`. */

import type { InstallRequest } from "./request.ts";

/** @returns the exit code */
export function installCommand(request: InstallRequest): Promise<number> {
  throw new Error(`${request.action}: this version cannot do it yet`);
}
