/** Does the machine let the agent do its work? */

import { hasAgent } from "../../config/policy.ts";
import { messageOf } from "../../terminal/message_of.ts";
import {
  type Finding,
  type Host,
  look,
  modeFinding,
  ok,
  readText,
  unseen,
  warning,
  wrong,
} from "./finding.ts";

/** A log larger than this is one that nobody rotates. */
const LARGE_LOG = 100e6;

/** The agent's log, and what keeps it from growing for ever. */
export function log(host: Host): Finding[] {
  if (!hasAgent(host.places)) return [];
  const file = host.places.log;
  const rotate = `${host.root}/etc/logrotate.d/srvaudit`;
  const found = look(file);
  const findings = [modeFinding(host, {
    what: "the log",
    path: file,
    atMost: 0o640,
    atLeast: 0o200,
    mend: "start the agent: it makes it",
  })];
  if (found !== "missing" && found !== "closed" && host.isRoot) findings.push(writable(file));
  findings.push(
    look(rotate) === "missing"
      ? warning(`nothing rotates ${file}: there is no ${rotate}`, "install srvAudit again, and logrotate")
      : ok(`${rotate} rotates it`),
  );
  if (typeof found !== "string" && found.size > LARGE_LOG) {
    findings.push(warning(`${file} is larger than 100 MB`, `logrotate --force ${rotate}`));
  }
  return findings;
}

function writable(file: string): Finding {
  try {
    Deno.openSync(file, { append: true }).close();
    return ok(`${file} can be written`);
  } catch (error) {
    const reason = messageOf(error);
    return wrong(`${file} cannot be written: ${reason}`, "mount its file system for writing, and make room");
  }
}

/** What the kernel lets one user watch: the agent watches the spool, and the own spool of each user who has one. */
export function inotify(host: Host): Finding[] {
  const limits = [["max_user_watches", 8192], ["max_user_instances", 128]] as const;
  return limits.map(([name, least]) => {
    const found = readText(`${host.proc}/sys/fs/inotify/${name}`);
    if (typeof found === "string") return unseen(`fs.inotify.${name}`);
    const limit = Number(found.text);
    if (limit >= least) return ok(`fs.inotify.${name} is ${limit}`);
    return warning(
      `fs.inotify.${name} is ${limit}: where it is used up, commands come into evidence late`,
      `sysctl -w fs.inotify.${name}=${least}, and the same in /etc/sysctl.d`,
    );
  });
}
