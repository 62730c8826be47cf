/** A host that is well, in a folder of its own, for tests that break one thing of it. */

import { createHash } from "node:crypto";
import type { HostPaths } from "../../src/config/paths.ts";
import { DEFAULT_POLICY } from "../../src/config/policy.ts";
import { withBlock } from "../../src/install/blocks.ts";
import type { Host } from "../../src/srvaudit/doctor/finding.ts";
import { makeEvidence, NOON_US } from "./evidence.ts";

/** A host in a temporary folder, and what to do to it. */
export class DoctorHost implements Host, AsyncDisposable {
  readonly places: HostPaths;
  readonly proc: string;
  readonly owner = Deno.uid() ?? 0;
  isRoot = true;
  nowMs = NOON_US / 1000 + 120_000;

  private constructor(readonly root: string) {
    this.proc = `${root}/proc`;
    this.places = {
      program: `${root}/usr/lib/srvaudit`,
      config: `${root}/etc/srvaudit/config`,
      shells: `${root}/etc/srvaudit/shells`,
      mask: `${root}/etc/srvaudit/mask`,
      accounts: `${root}/etc/passwd`,
      run: `${root}/run/srvaudit`,
      socket: `${root}/run/srvaudit/agent.sock`,
      policy: `${root}/run/srvaudit/policy.json`,
      hostSpool: `${root}/var/spool/srvaudit`,
      state: `${root}/var/lib/srvaudit`,
      evidence: `${root}/var/lib/srvaudit/evidence.db`,
      hostTickets: `${root}/var/lib/srvaudit/tickets.db`,
      log: `${root}/var/log/srvaudit.log`,
    };
  }

  /** Makes one that is well in every respect that a folder can be. */
  static async make(): Promise<DoctorHost> {
    const host = new DoctorHost(await Deno.makeTempDir());
    const installedMs = NOON_US / 1000 - 1e6;
    await host.write("/usr/lib/srvaudit/srvaudit", "", 0o755);
    await Deno.utime(`${host.root}/usr/lib/srvaudit/srvaudit`, installedMs / 1000, installedMs / 1000);
    await host.write("/usr/bin/bash", "", 0o755);
    await host.write("/bin/bash", "", 0o755);
    for (const name of ["hello", "saticket", "ash_query"]) {
      await Deno.symlink("srvaudit", `${host.places.program}/${name}`);
    }
    await Deno.symlink("../lib/srvaudit/hello", `${host.root}/usr/bin/hello-srvaudit`);
    await host.write("/usr/lib/srvaudit/shell/attach.bash", "");
    const lines = ". /usr/lib/srvaudit/shell/attach.bash\n";
    await host.write("/etc/profile.d/srvaudit.sh", lines);
    for (const name of ["bashrc.bash", "zshrc.zsh", "zshenv.zsh", "config.fish"]) {
      await host.write(`/usr/lib/srvaudit/snippets/${name}`, lines);
    }
    await host.write("/etc/bash.bashrc", withBlock("umask 022\n", lines));
    await host.write("/etc/group", "root:x:0:\nsrvaudit:x:999:\n");
    await Deno.mkdir(`${host.root}/srv/audit`, { recursive: true });
    await Deno.symlink("/usr/lib/srvaudit/hello", `${host.root}/srv/audit/hello`);
    await host.write(
      "/etc/passwd",
      "root:x:0:0::/root:/bin/bash\nalice:x:1000:1000::/home/alice:/usr/bin/hello-srvaudit\n",
    );
    await host.write("/etc/shells", "/bin/bash\n/usr/bin/hello-srvaudit\n");
    await host.write("/etc/srvaudit/config", 'showBanner="yes"\n', 0o640);
    await host.write("/etc/logrotate.d/srvaudit", "");
    await host.writeManifest();
    await host.write("/run/srvaudit/policy.json", JSON.stringify(DEFAULT_POLICY));
    await host.write("/run/srvaudit/agent.sock", "", 0o666);
    await host.write("/var/log/srvaudit.log", "", 0o640);
    for (const name of ["max_user_watches", "max_user_instances"]) {
      await host.write(`/proc/sys/fs/inotify/${name}`, "65536\n");
    }
    await Deno.mkdir(host.places.hostSpool, { recursive: true });
    await Deno.chmod(host.places.hostSpool, 0o711);
    await Deno.chmod(host.places.run, 0o755);
    makeEvidenceIn(host);
    return host;
  }

  /** Says of what was installed that it is so. */
  private async writeManifest(): Promise<void> {
    const files = ["srvaudit", "shell/attach.bash", "snippets/bashrc.bash"].map((name) =>
      `/usr/lib/srvaudit/${name}`
    );
    const lines = [...files, "/etc/profile.d/srvaudit.sh", "/etc/logrotate.d/srvaudit"].map((path) => {
      const sum = createHash("sha256").update(Deno.readFileSync(this.root + path)).digest("hex");
      const mode = (Deno.statSync(this.root + path).mode ?? 0) & 0o777;
      return `file\t${mode.toString(8)}\t${sum}\t${path}\n`;
    });
    const links = "link\t-\tsrvaudit\t/usr/lib/srvaudit/hello\n" +
      "link\t-\t../lib/srvaudit/hello\t/usr/bin/hello-srvaudit\n";
    await this.write("/usr/lib/srvaudit/manifest", lines.join("") + links);
  }

  /** Writes a file, and the folders above it. */
  async write(path: string, text: string, mode = 0o644): Promise<void> {
    const file = this.root + path;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(file, text);
    await Deno.chmod(file, mode);
  }

  async remove(path: string): Promise<void> {
    await Deno.remove(this.root + path, { recursive: true });
  }

  async chmod(path: string, mode: number): Promise<void> {
    await Deno.chmod(this.root + path, mode);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

function makeEvidenceIn(host: DoctorHost): void {
  Deno.mkdirSync(`${host.root}/var/lib`, { recursive: true });
  makeEvidence(host.places.evidence);
}
