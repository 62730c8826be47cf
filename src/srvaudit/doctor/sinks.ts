/** Do sinks take what they are told? */

import { hasAgent } from "../../config/policy.ts";
import { askAgent } from "../../desk/agent_client.ts";
import type { SinkStatus } from "../../desk/protocol.ts";
import type { SinkName } from "../../config/sink_settings.ts";
import { LATE_US, NOTHING_FAILED } from "../../sinks/late.ts";
import { lengthOfTime } from "../../terminal/moments.ts";
import { type Finding, type Host, ok, warning, wrong } from "./finding.ts";

/** The config's keys that say where a sink is, and who srvAudit is there. */
const KEYS: Readonly<Record<SinkName, string>> = {
  slack: "slackURL, or slackToken and slackChannel",
  datadog: "datadogKey and datadogSite",
  newRelic: "newRelicLicenseKey, newRelicAccount and newRelicRegion",
  syslog: "syslogURL and caFile",
  otlp: "otlpURL and otlpHeaders",
  webhook: "webhookURL, webhookSecret and webhookHeaders",
};

/** How the agent and the sinks get on. That the agent does not answer is said elsewhere. */
export async function sinks(host: Host): Promise<Finding[]> {
  if (!hasAgent(host.places)) return [];
  let all: SinkStatus[];
  try {
    all = (await askAgent(host.places.socket, "agent.status", {})).sinks;
  } catch {
    return [];
  }
  return all.flatMap((sink) => sinkFindings(sink, host.places.config, host.nowMs * 1000));
}

/**
 * @param config the path of the config file
 * @param nowUs the present time
 */
export function sinkFindings(sink: SinkStatus, config: string, nowUs: number): Finding[] {
  const { name, state, reason, depth, oldestUs, dead } = sink;
  const ageUs = oldestUs === null ? 0 : nowUs - oldestUs;
  const rest = depth === 0 ? "" : `; ${depth} events wait, the oldest for ${lengthOfTime(ageUs)}`;
  const test = `srvaudit sink test ${name}`;
  const held = "it is told of everything later, and evidence is kept until then";
  const findings: Finding[] = [];
  if (state === "denied") {
    findings.push(
      wrong(
        `${name} takes nothing: ${reason ?? ""}${rest}`,
        `see ${
          KEYS[name]
        } in ${config}; then: systemctl reload srvaudit (or kill -HUP the agent), and ${test}`,
      ),
    );
  } else if (ageUs > LATE_US) {
    findings.push(
      warning(
        `${name} is late: ${reason ?? NOTHING_FAILED}${rest}`,
        `see that this host can reach it: ${test}; ${held}`,
      ),
    );
  }
  if (dead > 0) {
    findings.push(
      warning(
        `${name} has refused ${dead} events`,
        `srvaudit status says why; srvaudit redeliver ${name} sends them again`,
      ),
    );
  }
  if (findings.length > 0) return findings;
  return [ok(reason === null ? `${name} takes what it is told` : `${name} is tried again: ${reason}${rest}`)];
}
