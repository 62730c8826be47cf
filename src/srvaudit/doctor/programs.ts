/** Is what was installed whole, and does it come into every shell? */

import { isInstalled } from "../../config/paths.ts";
import { type Finding, type Host, look, modeFinding, ok, readText, warning, wrong } from "./finding.ts";

const REINSTALL = "install srvAudit again";

/** The executable, and the names that it is called by. */
export function programs(host: Host): Finding[] {
  const folder = host.places.program;
  const executable = `${folder}/srvaudit`;
  const mode = modeFinding(host, {
    what: "the executable",
    path: executable,
    atMost: 0o755,
    atLeast: 0o555,
    mend: REINSTALL,
  });
  const findings = [mode];
  if (host.root !== "" || mode.state !== "ok" || !isInstalled(executable)) {
    findings.push(warning(
      `${executable} is no installed executable: it takes its places from the environment`,
      "install it below /usr, /srv or /opt, in folders that root alone can write",
    ));
  }
  for (const name of ["hello", "saticket", "ash_query"]) {
    const path = `${folder}/${name}`;
    if (isSame(path, executable)) continue;
    findings.push(wrong(`${path} does not lead to ${executable}`, `ln -sf srvaudit ${path}`));
  }
  if (findings.every(({ state }) => state !== "wrong")) {
    findings.push(ok("hello, saticket and ash_query lead to it"));
  }
  return findings;
}

function isSame(path: string, other: string): boolean {
  try {
    return Deno.realPathSync(path) === Deno.realPathSync(other);
  } catch {
    return false;
  }
}

/** How the hooks come into a shell's startup, by the shell's program: each is one of several files. */
const STARTUPS: readonly { shell: string; files: readonly string[]; names: string }[] = [
  { shell: "bash", files: ["/etc/profile.d/srvaudit.sh"], names: "attach.bash" },
  { shell: "bash", files: ["/etc/bash.bashrc", "/etc/bashrc"], names: "attach.bash" },
  { shell: "zsh", files: ["/etc/zsh/zshrc", "/etc/zshrc"], names: "srvaudit.zsh" },
  { shell: "zsh", files: ["/etc/zsh/zshenv", "/etc/zshenv"], names: "command.zsh" },
  { shell: "fish", files: ["/etc/fish/config.fish"], names: "srvaudit.fish" },
];

/** The hooks, and the lines in the system's startup files that source them. */
export function hooks(host: Host): Finding[] {
  const folder = `${host.places.program}/shell`;
  const findings: Finding[] = [];
  for (const { shell, files, names } of STARTUPS.filter(({ shell }) => isThere(host, shell))) {
    const hook = `${folder}/${names}`;
    const mode = modeFinding(host, {
      what: "the hook",
      path: hook,
      atMost: 0o755,
      atLeast: 0o444,
      mend: REINSTALL,
    });
    if (mode.state !== "ok") findings.push(mode);
    else findings.push(startupFinding(host, shell, files, names));
  }
  return findings.length > 0
    ? findings
    : [warning("there is no bash, zsh or fish here", "nothing is recorded: install one")];
}

function isThere(host: Host, shell: string): boolean {
  return ["/bin", "/usr/bin", "/usr/local/bin"].some((folder) =>
    look(`${host.root}${folder}/${shell}`) !== "missing"
  );
}

function startupFinding(host: Host, shell: string, files: readonly string[], hook: string): Finding {
  for (const file of files) {
    const found = readText(host.root + file);
    // A line that was commented out sources nothing.
    if (typeof found !== "string" && new RegExp(`^[^#\\n]*\\b${RegExp.escape(hook)}`, "m").test(found.text)) {
      return ok(`${file} brings the hook into ${shell}`);
    }
  }
  return wrong(
    `no ${files.join(" or ")} brings the hook into ${shell}: such shells are not recorded`,
    "srvaudit install --hooks-only",
  );
}
