/** What is asked of the running agent about sinks. */

import { hostPaths } from "../config/paths.ts";
import { askAgent } from "../desk/agent_client.ts";
import { AgentUnavailableError, RefusedError } from "../desk/desk.ts";
import type { Method, Params, Result } from "../desk/protocol.ts";
import { effectiveUid } from "../posix/libc.ts";
import { CannotError } from "./output.ts";

/**
 * @param timeoutMs how long its answer may take
 * @throws {CannotError} with what to do about it, if the agent does not run, or says no
 */
export async function askSinks<Name extends Method>(
  method: Name,
  params: Params<Name>,
  timeoutMs?: number,
): Promise<Result<Name>> {
  try {
    return await askAgent(hostPaths().socket, method, params, timeoutMs);
  } catch (error) {
    if (error instanceof AgentUnavailableError) {
      const mend = "the agent alone talks to sinks: systemctl start srvaudit; then srvaudit doctor";
      throw new CannotError(`${error.message}\n${mend}`, { cause: error });
    }
    if (!(error instanceof RefusedError)) throw error;
    throw new CannotError(`${error.message}${effectiveUid() === 0 ? "" : ": ask again with sudo"}`, {
      cause: error,
    });
  }
}
