/** `srvaudit doctor`: what is wrong with this host's srvAudit, and its mend. */

import { hostPaths } from "../config/paths.ts";
import { effectiveUid } from "../posix/libc.ts";
import { messageOf } from "../terminal/message_of.ts";
import { visible, visibleJson } from "../terminal/visible.ts";
import { loadWidthOf } from "../terminal/width.ts";
import { wrapped } from "../terminal/wrapped.ts";
import * as evidence from "./doctor/evidence.ts";
import type { Check, Finding, Host } from "./doctor/finding.ts";
import * as installation from "./doctor/installation.ts";
import * as logins from "./doctor/logins.ts";
import * as machine from "./doctor/machine.ts";
import * as programs from "./doctor/programs.ts";
import * as service from "./doctor/service.ts";
import * as sinks from "./doctor/sinks.ts";
import * as trackers from "./doctor/trackers.ts";
import { print, terminalWidth } from "./output.ts";

/** What is looked at, in the order in which it is told. */
const CHECKS: Readonly<Record<string, Check>> = {
  programs: programs.programs,
  installation: installation.installation,
  installer: installation.installer,
  hooks: programs.hooks,
  users: logins.users,
  "real shells": logins.shellMap,
  "/etc/shells": logins.shellsFile,
  sshd: logins.sshd,
  "force-command": installation.forced,
  config: service.config,
  agent: service.agent,
  ownership: service.ownership,
  policy: service.policy,
  evidence: evidence.size,
  chain: evidence.chain,
  room: evidence.room,
  "append-only": evidence.appendOnly,
  backlog: evidence.backlog,
  consumers: evidence.consumers,
  tracker: trackers.tracker,
  stories: trackers.stories,
  sinks: sinks.sinks,
  log: machine.log,
  clock: evidence.clock,
  inotify: machine.inotify,
};

/** A finding, and the check that it came from. */
export type Diagnosis = Finding & { check: string };

/** @returns the exit code: 1 where something is wrong */
export async function doctorCommand(asJson: boolean): Promise<number> {
  const places = hostPaths();
  const findings = await diagnose({
    places,
    root: places.config.slice(0, -"/etc/srvaudit/config".length),
    proc: "/proc",
    owner: 0,
    isRoot: effectiveUid() === 0,
    nowMs: Date.now(),
  });
  print(asJson ? visibleJson(findings) + "\n" : await diagnosisText(findings));
  return findings.some(({ state }) => state === "wrong") ? 1 : 0;
}

/** Looks at everything: a look that fails is one thing that is wrong, and the others go on. */
export async function diagnose(host: Host): Promise<Diagnosis[]> {
  const all: Diagnosis[] = [];
  for (const [check, look] of Object.entries(CHECKS)) {
    let findings: Finding[];
    try {
      findings = await look(host);
    } catch (error) {
      findings = [{ state: "wrong", what: `this could not be looked at: ${messageOf(error)}` }];
    }
    all.push(...findings.map((finding) => ({ check, ...finding })));
  }
  return all;
}

const STATE_WIDTH = 9;

/** One line for each; a mend stands behind what it mends. */
export async function diagnosisText(findings: readonly Diagnosis[]): Promise<string> {
  const widthOf = await loadWidthOf();
  const width = Math.max(20, terminalWidth() - STATE_WIDTH);
  const lines = findings.flatMap(({ state, check, what, mend }) => {
    const text = visible(`${check}: ${what}${mend === undefined ? "" : `. Mend: ${mend}`}`);
    return wrapped(text, width, widthOf).map((line, i) =>
      (i === 0 ? state : "").padEnd(STATE_WIDTH) + line + "\n"
    );
  });
  return lines.join("") + summary(findings);
}

function summary(findings: readonly Diagnosis[]): string {
  const count = (state: string) => findings.filter((finding) => finding.state === state).length;
  const unseen = count("unseen");
  const warnings = count("warning");
  return `${count("wrong")} wrong, ${warnings} warning${warnings === 1 ? "" : "s"}` +
    (unseen === 0 ? "\n" : `, ${unseen} not looked at: that takes root\n`);
}
