/** Can everybody who logs in through hello log in, and is there a way past it? */

import { checkConfig } from "../../config/agent_settings.ts";
import { parseLine } from "../../config/key_values.ts";
import { DEFAULT_POLICY, mappedShell, type Policy } from "../../config/policy.ts";
import { detectTarget } from "../../install/detect.ts";
import { forcedUsers } from "../../install/forced_users.ts";
import { givenHello, takenHello } from "../../install/given_hello.ts";
import { helloOn } from "../../install/old_shells.ts";
import { findSshd, settingsFor, type SshdSettings } from "../../install/sshd.ts";
import { isClosedShell } from "../../posix/accounts.ts";
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

/** A user of passwd(5). */
export interface PasswdUser {
  name: string;
  shell: string;
}

/** More users than these are counted: an admin mends one cause. */
const MOST_NAMED = 5;
/** The names that hello is installed by. */
const HELLO_NAMES = /\/(hello-srvaudit|srvaudit\/hello|audit\/hello)$/;

/** @returns the users of passwd; of several lines of a name, all */
function passwdUsers(host: Host): PasswdUser[] {
  const passwd = readText(host.places.accounts);
  if (typeof passwd === "string") return [];
  return passwd.text.split("\n").map((line) => line.split(":"))
    .map(([name = "", , , , , , shell = ""]) => ({ name, shell }));
}

/** @returns the users whose login shell is hello, as far as passwd itself has them */
function helloUsers(host: Host): PasswdUser[] {
  return passwdUsers(host).filter(({ shell }) => HELLO_NAMES.test(shell));
}

/** @returns the policy that the config gives; the defaults where it has errors, which `config` of this doctor tells of */
function configuredPolicy(host: Host): Policy {
  const config = readText(host.places.config);
  const settings = typeof config === "string"
    ? undefined
    : checkConfig(config.text, host.places.config).settings;
  return settings?.policy ?? { ...DEFAULT_POLICY };
}

/** Whether hello is there for those who have it, and their real shells behind it; and who has it no more. */
export function users(host: Host): Finding[] {
  const all = helloUsers(host);
  const left = leavers(host);
  if (all.length === 0) {
    if (isForcedOnSome(host)) {
      return [ok("nobody of /etc/passwd logs in through hello: sshd starts it"), ...left];
    }
    return [warning("nobody of /etc/passwd logs in through hello", "srvaudit install"), ...left];
  }
  const policy = configuredPolicy(host);
  const faults = all.flatMap((user) => faultOf(host, policy, user));
  return faults.length > 0
    ? [...faults, ...left]
    : [ok(`${all.length} of /etc/passwd log in through hello, and have a real shell`), ...left];
}

/** Who was given hello, and logs in without it: by chsh(1), an admin, or a rescue that named nobody. */
function leavers(host: Host): Finding[] {
  // The journal is root's: `installer` of this doctor says that it was not looked at.
  if (!host.isRoot) return [];
  const given = givenHello({ root: host.root });
  const taken = takenHello({ root: host.root });
  const isHello = helloOn({ root: host.root });
  const found = passwdUsers(host).filter(({ name, shell }) =>
    given.delete(name) && !isHello(shell) && !isClosedShell(shell) && taken.get(name) !== shell
  );
  const more = found.length - MOST_NAMED;
  return [
    ...found.slice(0, MOST_NAMED).map(({ name, shell }) =>
      warning(
        `${name}'s login shell is ${shell || "/bin/sh"}: srvaudit install gave her hello`,
        `srvaudit install -y --users ${name}; or, if she is to be so, srvaudit rescue ${name}`,
      )
    ),
    ...(more > 0
      ? [warning(`so it is with ${more} more whom srvaudit install gave hello`, "srvaudit install again")]
      : []),
  ];
}

function isForcedOnSome(host: Host): boolean {
  try {
    return forcedUsers(detectTarget(host.root)) !== undefined;
  } catch (error) {
    // RHEL keeps sshd's configuration to root: force-command of this doctor says that it was not looked at.
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

function faultOf(host: Host, policy: Policy, { name, shell }: PasswdUser): Finding[] {
  if (!isExecutable(host.root + shell)) {
    return [
      wrong(`${name} cannot log in: her shell ${shell} is not there`, `usermod --shell /bin/bash ${name}`),
    ];
  }
  const map = host.places.shells;
  try {
    const real = mappedShell(map, name) ?? policy.defaultShell;
    if (HELLO_NAMES.test(real)) {
      return [wrong(`the real shell of ${name} is hello itself`, `mend her line in ${map}`)];
    }
    if (isExecutable(host.root + real)) return [];
    return [
      wrong(`the real shell ${real} of ${name} cannot be run`, `install it, or mend her line in ${map}`),
    ];
  } catch (error) {
    return [wrong(messageOf(error), `mend her line in ${map}`)];
  }
}

function isExecutable(path: string): boolean {
  const found = look(path);
  // What this user may not see, others may.
  return found === "closed" || (found !== "missing" && found.isFile && ((found.mode ?? 0) & 0o111) !== 0);
}

/** `/etc/srvaudit/shells`: whoever logs in reads it. */
export function shellMap(host: Host): Finding[] {
  const file = host.places.shells;
  const found = readText(file);
  if (found === "missing") {
    return [ok(`there is no ${file}: everybody's real shell is the config's defaultShell`)];
  }
  const mode = modeFinding(host, {
    what: "the users' real shells",
    path: file,
    atMost: 0o755,
    atLeast: 0o444,
    mend: `make ${file} again`,
  });
  if (found === "closed") return [mode];
  const bad = found.text.split("\n").flatMap((raw, index) => {
    const name = /^\s*([^#=\s][^=]*)=/.exec(raw)?.[1];
    try {
      // Names may have characters that no key of a config has.
      parseLine(name === undefined ? raw : `shell${raw.slice(raw.indexOf("="))}`, index + 1, file);
      return [];
    } catch (error) {
      return [warning(messageOf(error), `write name="/path/of/shell"`)];
    }
  });
  return [mode, ...bad];
}

/** `/etc/shells`, which pam_shells and chsh ask. */
export function shellsFile(host: Host): Finding[] {
  const found = readText(`${host.root}/etc/shells`);
  const listed = typeof found === "string" ? [] : found.text.split("\n").map((line) => line.trim());
  const used = [...new Set(helloUsers(host).map(({ shell }) => shell))];
  return (used.length > 0 ? used : [detectTarget(host.root).hello]).map((shell) =>
    listed.includes(shell) ? ok(`/etc/shells has ${shell}`) : warning(
      `/etc/shells has no ${shell}: what asks pam_shells refuses those users`,
      `echo ${shell} >> /etc/shells`,
    )
  );
}

/** More users than these are not asked about one by one: sshd -T takes a moment for each. */
const MOST_USERS = 32;

/** sshd's ways past hello, and what it must let through. */
export async function sshd(host: Host): Promise<Finding[]> {
  if (host.root !== "") return [ok("sshd is the system's own: not looked at for a development executable")];
  const program = findSshd();
  if (program === undefined) return [ok("there is no sshd here")];
  if (!host.isRoot) return [unseen("sshd's settings (sshd -T)")];
  const policy = configuredPolicy(host);
  const findings: Finding[] = [];
  // What stands in a Match block holds for some users alone.
  for (const user of whomToAskAbout(host)) {
    let settings: SshdSettings;
    try {
      settings = await settingsFor(program, user);
    } catch (error) {
      return [wrong(`sshd's settings cannot be read: ${messageOf(error)}`, "sshd -T")];
    }
    const forWhom = user === undefined ? "" : ` (for ${user})`;
    for (const finding of sshdFindings(settings, policy)) {
      if (!findings.some(({ what }) => what.startsWith(finding.what))) {
        findings.push({ ...finding, what: finding.what + forWhom });
      }
    }
  }
  return findings.length > 0 ? findings : [ok("sshd has no way past hello")];
}

/** Nobody in particular, and those who have hello; where sshd alone gives it to some, those. */
function whomToAskAbout(host: Host): (string | undefined)[] {
  const byPasswd = helloUsers(host).map(({ name }) => name);
  const bySshd = forcedUsers(detectTarget(host.root))?.accounts.map(({ name }) => name) ?? [];
  const anybody = byPasswd.length > 0 || bySshd.length === 0 ? [undefined] : [];
  return [...anybody, ...new Set([...byPasswd, ...bySshd])].slice(0, MOST_USERS);
}

/** @returns what is to be said of sshd's settings; nothing where all is well */
export function sshdFindings(settings: SshdSettings, policy: Policy): Finding[] {
  const findings: Finding[] = [];
  const values = (key: string) => settings.get(key) ?? [];
  // Where sshd forces hello on somebody, that gets what the client asks for in any case.
  const isForced = values("forcecommand").some((value) => /^exec \S+ --forced$/.test(value));
  if (!isForced && values("subsystem").some((value) => /^sftp\s+internal-sftp\b/.test(value))) {
    findings.push(warning(
      "sshd's Subsystem sftp is internal-sftp: file transfers go past hello, and are not on record",
      "Subsystem sftp /usr/lib/openssh/sftp-server",
    ));
  }
  if (values("forcecommand").some((value) => /^internal-sftp\b/.test(value))) {
    findings.push(warning(
      "sshd's ForceCommand is internal-sftp: such logins go past hello, and are not on record",
      "ForceCommand /usr/lib/openssh/sftp-server",
    ));
  }
  const accepted = values("acceptenv").flatMap((value) => value.split(/\s+/));
  if (policy.nonInteractive === "require" && !accepted.some((name) => isMatch(name, "SRVAUDIT_TICKET"))) {
    findings.push(wrong(
      'nonInteractive="require", but sshd lets no SRVAUDIT_TICKET in: every ssh HOST COMMAND is refused',
      "AcceptEnv SRVAUDIT_TICKET in sshd_config",
    ));
  }
  const loader = accepted.find((name) => isMatch(name, "LD_PRELOAD"));
  if (loader !== undefined) {
    findings.push(wrong(
      `sshd's AcceptEnv ${loader} lets LD_PRELOAD in: users run their own code in hello`,
      "name the variables that are needed in AcceptEnv",
    ));
  }
  if (values("permituserenvironment").some((value) => value !== "no")) {
    findings.push(wrong(
      "sshd's PermitUserEnvironment lets users set LD_PRELOAD: they run their own code in hello",
      "PermitUserEnvironment no",
    ));
  }
  return findings;
}

/** sshd's patterns: `*` and `?`. */
function isMatch(pattern: string, name: string): boolean {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(name);
}
