/** Every kind of change that there is, by the name that the journal has for it. */

import type { ChangeKind, Json } from "../change.ts";
import { configText, maskFile } from "./config.ts";
import { file } from "./file.ts";
import { folder } from "./folder.ts";
import { forceCommand } from "./force_command.ts";
import { group } from "./group.ts";
import { link } from "./link.ts";
import { loginShells } from "./login_shells.ts";
import { retired } from "./retired.ts";
import { selinuxModule } from "./selinux.ts";
import { service } from "./service.ts";
import { block, line } from "./text.ts";

const KINDS: readonly ChangeKind<Json, Json>[] = [
  file,
  link,
  folder,
  retired,
  group,
  configText,
  maskFile,
  line,
  block,
  selinuxModule,
  service,
  loginShells,
  forceCommand,
];

/** The kinds that decide who gets in, and how: what the safety timer puts back. */
export const WHO_GETS_IN: readonly string[] = [loginShells.kind, forceCommand.kind];

/** @throws {Error} if this version of srvAudit knows no such kind */
export function kindOf(name: string): ChangeKind<Json, Json> {
  const found = KINDS.find(({ kind }) => kind === name);
  if (found) return found;
  throw new Error(
    `the journal has a change of a kind that this version does not know: ${name}: take a newer one`,
  );
}
