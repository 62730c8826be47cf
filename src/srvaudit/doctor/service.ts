/** Is the agent there, well, and alone with what is its own? */

import { checkConfig, SECRET_KEYS } from "../../config/agent_settings.ts";
import { parseLine } from "../../config/key_values.ts";
import { DEFAULT_POLICY, hasAgent } from "../../config/policy.ts";
import { askAgent } from "../../desk/agent_client.ts";
import { RefusedError } from "../../desk/desk.ts";
import { messageOf } from "../../terminal/message_of.ts";
import { lengthOfTime } from "../../terminal/moments.ts";
import { byteCount } from "../output.ts";
import {
  type Finding,
  type Host,
  look,
  modeFinding,
  octal,
  ok,
  readText,
  unseen,
  warning,
  wrong,
} from "./finding.ts";

const RESTART = "systemctl restart srvaudit, or end srvaudit agent and start it again";
const START = "systemctl enable --now srvaudit (without systemd: /etc/init.d/srvaudit start)";
const RELOAD = "systemctl reload srvaudit, or: kill -HUP the agent";

/** What the config says, and who may read it. */
export function config(host: Host): Finding[] {
  const file = host.places.config;
  const found = readText(file);
  if (found === "missing") return [ok(`there is no ${file}: the defaults hold`)];
  if (found === "closed") return [unseen(`the config ${file}`)];
  const mask = readText(host.places.mask);
  const { errors, warnings } = checkConfig(
    found.text,
    file,
    typeof mask === "string" ? undefined : { text: mask.text, file: host.places.mask },
  );
  const findings = [
    ...errors.map((message) =>
      wrong(message, "mend that line; an agent that runs keeps the config that it had")
    ),
    ...warnings.map((message) => warning(message, "see srvaudit config check, and docs/configuration.md")),
  ];
  if (findings.length === 0) findings.push(ok(`${file} is valid`));
  return [...findings, configMode(host, found.text)];
}

function configMode(host: Host, text: string): Finding {
  const file = host.places.config;
  const isOpenToAll = modeFinding(host, {
    what: "the config",
    path: file,
    atMost: 0o644,
    atLeast: 0o400,
    mend: "",
  });
  // Where there is no agent logins read it as their users.
  if (isOpenToAll.state !== "ok" || (!hasAgent(host.places) && !hasSecret(text))) return isOpenToAll;
  const found = look(file);
  const mode = typeof found === "string" ? 0 : (found.mode ?? 0) & 0o7777;
  if ((mode & 0o007) === 0) return isOpenToAll;
  const mend = `chmod 0640 ${file}`;
  return hasSecret(text)
    ? wrong(
      `every user can read the secrets in ${file} (${octal(mode)})`,
      `${mend}, and have new ones issued`,
    )
    : warning(`every user can read ${file} (${octal(mode)}), where secrets will be written`, mend);
}

function hasSecret(text: string): boolean {
  return text.split("\n").some((raw) => {
    // A line that is none may be a secret's as well.
    const key = /^\s*([A-Za-z]+)\s*=/.exec(raw)?.[1] ?? "";
    if (!SECRET_KEYS.includes(key)) return false;
    try {
      return parseLine(raw, 1, "")?.value !== "";
    } catch {
      return true;
    }
  });
}

/** Whether the agent answers, and what it says of itself. */
export async function agent(host: Host): Promise<Finding[]> {
  if (!hasAgent(host.places)) {
    return [warning("this host has no agent: what users record is their own to keep", START)];
  }
  try {
    const status = await askAgent(host.places.socket, "agent.status", {});
    const since = lengthOfTime(host.nowMs * 1000 - status.sinceUs);
    const findings = [ok(`the agent has run for ${since}, with ${byteCount(status.memory)}`)];
    if (status.trouble !== null) {
      findings.push(wrong(`the agent is in trouble: ${status.trouble}`, "mend that first"));
    }
    return findings;
  } catch (error) {
    // It has answered: that it tells root alone.
    if (error instanceof RefusedError) return [ok("the agent answers"), unseen("how the agent is")];
    const reason = messageOf(error);
    return [wrong(reason, `${START}; its log: ${host.places.log}`)];
  }
}

/** Whose the agent's folders and files are, and what they let others do. */
export function ownership(host: Host): Finding[] {
  if (!hasAgent(host.places)) return [];
  const { run, socket, hostSpool, state, evidence } = host.places;
  const mend = `${START}: it makes it`;
  return [
    { what: "the folder", path: run, atMost: 0o755, atLeast: 0o755, mend },
    { what: "the agent's socket", path: socket, atMost: 0o777, atLeast: 0o666, mend },
    { what: "the spool", path: hostSpool, atMost: 0o711, atLeast: 0o711, mend },
    { what: "the folder", path: state, atMost: 0o700, atLeast: 0o700, mend },
    { what: "the evidence", path: evidence, atMost: 0o600, atLeast: 0o600, mend },
  ].map((wanted) => modeFinding(host, wanted));
}

/** Whether logins are told what the config says. */
export function policy(host: Host): Finding[] {
  if (!hasAgent(host.places)) return [];
  const file = host.places.policy;
  const mode = modeFinding(host, {
    what: "the published policy",
    path: file,
    atMost: 0o644,
    atLeast: 0o644,
    mend: `${START}: it publishes it`,
  });
  const found = readText(file);
  if (typeof found === "string" || mode.state !== "ok") return [mode];
  const configText = readText(host.places.config);
  if (configText === "closed") return [mode, unseen("whether the published policy is the config's")];
  const settings = configText === "missing"
    ? { policy: DEFAULT_POLICY }
    : checkConfig(configText.text, host.places.config).settings;
  // What is wrong with the config is said elsewhere.
  if (!settings) return [mode];
  let published: Partial<Record<string, unknown>>;
  try {
    published = { ...JSON.parse(found.text) };
  } catch {
    return [wrong(`the published policy ${file} is no JSON`, RESTART)];
  }
  const stale = Object.entries(settings.policy)
    .filter(([part, value]) => JSON.stringify(published[part]) !== JSON.stringify(value)).map(([part]) =>
      part
    );
  if (stale.length === 0) return [mode, ok("logins are told what the config says")];
  return [mode, warning(`logins are not told yet what the config says of ${stale.join(", ")}`, RELOAD)];
}
