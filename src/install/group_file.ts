/** group(5), as the host has it. */

import { readHostText, shown } from "./host_file.ts";
import type { Target } from "./target.ts";

/** A line that is a group's. */
export interface GroupLine {
  name: string;
  gid: number;
  /** Those who are named; whose first group it is in passwd(5) are not among them. */
  members: string[];
}

/** @returns the groups; lines of NIS and whatever else is none are left away */
export function groupLines(target: Target): GroupLine[] {
  return (shown(readHostText(target, "/etc/group")) ?? "").split("\n").flatMap((line) => groupIn(line) ?? []);
}

/** @returns undefined where the line is no group's */
export function groupIn(line: string): GroupLine | undefined {
  const [name = "", , gid = "", members = ""] = line.split(":");
  if (!/^[^+#-]/.test(name) || !/^[0-9]+$/.test(gid)) return undefined;
  return { name, gid: Number(gid), members: members.split(",").map((each) => each.trim()).filter(Boolean) };
}
