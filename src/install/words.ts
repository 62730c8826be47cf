/** What the installer says that it will do, and that it did: a line a thing. */

import type { Change } from "./change.ts";

/** How a kind's change is told: before it is made, and after. */
type Saying = (about: string) => readonly [planned: string, done: string];

/** By the kind; files, links and folders are counted. */
const SAYINGS: Readonly<Record<string, Saying>> = {
  group: (name) => [`make the group ${name}`, `made the group ${name}`],
  config: (file) => [`write ${file}`, `wrote ${file}`],
  mask: (file) => [`write ${file}`, `wrote ${file}`],
  line: (about) => {
    const place = about.replace(": ", " the line ");
    return [`add to ${place}`, `added to ${place}`];
  },
  block: (file) => [`add srvAudit's lines to ${file}`, `added srvAudit's lines to ${file}`],
  retired: (file) => {
    const what = `${file}, which this version does not have`;
    return [`remove ${what}`, `removed ${what}`];
  },
  selinux: () => ["give SELinux the module srvaudit", "gave SELinux the module srvaudit"],
  service: () => ["start the agent", "started the agent"],
  "login shells": (names) => {
    const whose = shortened(names);
    return [
      `try hello out, and make it the shell of ${whose}`,
      `hello is the shell, from the next login on, of ${whose}`,
    ];
  },
  forceCommand: (match) => [
    `try hello out, and have sshd start it for ${match}`,
    `sshd starts hello, from the next login on, for ${match}`,
  ],
};
const COUNTED: readonly string[] = ["file", "link", "folder"];

/** @returns what is to be done, a line for each thing, in its order */
export function wordsForPlan(changes: readonly Change[]): string[] {
  return tell(changes, "place", ([planned]) => planned);
}

/** @returns what was done, a line for each thing, in its order */
export function wordsFor(changes: readonly Change[]): string[] {
  return tell(changes, "placed", ([, done]) => done);
}

function tell(
  changes: readonly Change[],
  placing: string,
  choose: (saying: ReturnType<Saying>) => string,
): string[] {
  const placed = changes.filter(({ kind }) => kind.kind !== "folder" && COUNTED.includes(kind.kind)).length;
  const others = changes.filter(({ kind }) => !COUNTED.includes(kind.kind));
  return [
    ...(placed > 0 ? [`${placing} ${placed} ${placed === 1 ? "file" : "files"}`] : []),
    ...others.map(({ kind, about }) => {
      const saying = SAYINGS[kind.kind];
      return saying ? choose(saying(about)) : `${kind.kind}: ${about}`;
    }),
  ];
}

/** Names of users, of which there may be thousands. */
function shortened(names: string): string {
  const all = names.split(",");
  return all.length <= 10 ? all.join(", ") : `${all.slice(0, 8).join(", ")} and ${all.length - 8} more`;
}
