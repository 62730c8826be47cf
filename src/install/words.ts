/** What the installer says that it did: a line a thing. */

import type { Change } from "./change.ts";

/** What is said of a change, by its kind; files, links and folders are counted. */
const SAYINGS: Readonly<Record<string, (about: string) => string>> = {
  group: (about) => `made the group ${about}`,
  config: (about) => `wrote ${about}`,
  mask: (about) => `wrote ${about}`,
  line: (about) => `added to ${about.replace(": ", " the line ")}`,
  block: (about) => `added srvAudit's lines to ${about}`,
  retired: (about) => `removed ${about}, which this version does not have`,
  selinux: () => "gave SELinux the module srvaudit",
  service: () => "started the agent",
  "login shells": (about) => `hello is the shell, from the next login on, of ${shortened(about)}`,
  forceCommand: (about) => `sshd starts hello, from the next login on, for ${about}`,
};
const COUNTED: readonly string[] = ["file", "link", "folder"];

/** @returns a line for each thing, in its order */
export function wordsFor(changes: readonly Change[]): string[] {
  const placed = changes.filter(({ kind }) => kind.kind !== "folder" && COUNTED.includes(kind.kind)).length;
  const others = changes.filter(({ kind }) => !COUNTED.includes(kind.kind));
  return [
    ...(placed > 0 ? [`placed ${placed} ${placed === 1 ? "file" : "files"}`] : []),
    ...others.map(({ kind, about }) => SAYINGS[kind.kind]?.(about) ?? `${kind.kind}: ${about}`),
  ];
}

/** Names of users, of which there may be thousands. */
function shortened(names: string): string {
  const all = names.split(",");
  return all.length <= 10 ? all.join(", ") : `${all.slice(0, 8).join(", ")} and ${all.length - 8} more`;
}
