/** `srvaudit config check`: would the agent take this config? */

import { checkConfig, type TextFile } from "../config/agent_settings.ts";
import { hostPaths } from "../config/paths.ts";
import { messageOf } from "../terminal/message_of.ts";
import { visible, visibleJson } from "../terminal/visible.ts";
import { CannotError, print } from "./output.ts";

/**
 * @param file the config to look at; the mask file is the host's
 * @returns the exit code: 1 where there are errors
 * @throws {CannotError} if it cannot be read
 */
export function configCheck(file: string, asJson: boolean): number {
  const { errors, warnings } = checkConfig(readConfig(file), file, maskFile());
  if (asJson) print(visibleJson({ file, errors, warnings }) + "\n");
  else {
    const lines = [
      ...errors.map((message) => `wrong    ${message}`),
      ...warnings.map((message) => `warning  ${message}`),
    ];
    if (errors.length === 0) lines.push(`ok       ${file}: the agent takes it`);
    print(visible(lines.join("\n"), "\n") + "\n");
  }
  return errors.length > 0 ? 1 : 0;
}

/** @returns undefined where there is none */
function maskFile(): TextFile | undefined {
  const file = hostPaths().mask;
  try {
    Deno.lstatSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
  }
  return { text: readConfig(file), file };
}

function readConfig(file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(file));
  } catch (error) {
    if (error instanceof TypeError) {
      throw new CannotError(`${file} is not UTF-8: write it anew as plain text`);
    }
    if (error instanceof Deno.errors.NotFound) throw new CannotError(`there is no file ${file}`);
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new CannotError(`${file} is closed to this user: sudo srvaudit config check`);
    }
    throw new CannotError(messageOf(error));
  }
}
