/** Does the tracker take what it is to be told? */

import { hasAgent } from "../../config/policy.ts";
import { askAgent } from "../../desk/agent_client.ts";
import type { TrackerStatus } from "../../desk/protocol.ts";
import type { StoriesState } from "../../evidence/reading.ts";
import { lengthOfTime } from "../../terminal/moments.ts";
import { openEvidence } from "../evidence_file.ts";
import { type Finding, type Host, ok, warning, wrong } from "./finding.ts";

/** What has waited for so long waits for somebody to look. */
const LONG_US = 10 * 60e6;

const RELOAD = "then: systemctl reload srvaudit (or kill -HUP the agent)";

/** The config's keys that say who srvAudit is, by the tracker's name. */
const KEYS: Readonly<Partial<Record<string, string>>> = {
  Redmine: "redmineKey",
  Jira: "jiraMail and jiraToken",
};

/** How the agent and the tracker get on. That the agent does not answer is said elsewhere. */
export async function tracker(host: Host): Promise<Finding[]> {
  if (!hasAgent(host.places)) return [];
  let status: TrackerStatus;
  try {
    status = (await askAgent(host.places.socket, "agent.status", {})).tracker;
  } catch {
    return [];
  }
  return trackerFindings(status, host.places.config);
}

/** @param config the path of the config file */
export function trackerFindings(status: TrackerStatus, config: string): Finding[] {
  const { concern } = status;
  return [
    stateFinding(status, config),
    ...(concern ? [warning(concern.what, `${concern.mend} in ${config}; ${RELOAD}`)] : []),
  ];
}

function stateFinding({ name, state, reason, waiting }: TrackerStatus, config: string): Finding {
  const rest = waiting === 0 ? "" : `; ${waiting} tickets and notes wait for it`;
  switch (state) {
    case "up":
      return ok(`the tracker (${name}) answers${rest}`);
    case "down":
      return warning(
        `the tracker cannot be asked: ${reason ?? name}${rest}`,
        "nothing is lost: what it is to be told waits; see that this host can reach it",
      );
    case "denied":
      return wrong(
        `the tracker does not let srvAudit in: ${reason ?? name}${rest}`,
        `give ${KEYS[name] ?? "the key"} in ${config} a value that it takes; ${RELOAD}`,
      );
  }
}

/** What of sessions' stories is not told. */
export function stories(host: Host): Finding[] {
  if (!hasAgent(host.places)) return [];
  let state: StoriesState;
  try {
    using evidence = openEvidence(host.places.evidence);
    state = evidence.stories();
  } catch {
    // That it cannot be read is said elsewhere.
    return [];
  }
  return storyFindings(state, host.nowMs * 1000);
}

/** @param nowUs the present time */
export function storyFindings(state: StoriesState, nowUs: number): Finding[] {
  const { waiting, oldestUs, unverified, held, heldCount, asleep } = state;
  const findings: Finding[] = [
    ...held.map(({ ticket, sinceUs, error }) =>
      warning(
        `the story for ticket ${ticket} is refused since ${lengthOfTime(nowUs - sinceUs)}: ${error}`,
        `see what is wrong with that ticket, or with srvAudit's rights there; ${RELOAD}, and it is tried again`,
      )
    ),
    ...(heldCount > held.length
      ? [
        warning(
          `${heldCount - held.length} more stories are refused`,
          "the same; srvaudit status has their number",
        ),
      ]
      : []),
    ...asleep.map(({ tracker, count }) =>
      warning(
        `${count} stories wait for ${tracker}, which is not the config's tracker`,
        "name that one in the config once more, or let them be: retention removes them",
      )
    ),
  ];
  const queue = `${waiting} stories are to be told, ${unverified} wait until their tickets can be looked up`;
  if (oldestUs !== null && nowUs - oldestUs > LONG_US) {
    findings.push(
      warning(
        `${queue}; the oldest waits since ${lengthOfTime(nowUs - oldestUs)}`,
        "see whether the tracker answers (srvaudit status), and the agent's log",
      ),
    );
  } else if (findings.length === 0) findings.push(ok(queue));
  return findings;
}
