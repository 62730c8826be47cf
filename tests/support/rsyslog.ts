/**
 * A real rsyslogd on loopback, which takes UDP, TCP, TLS and unix datagrams, and writes what it has made of each message
 * to a file. It can be killed, stopped and started again on the same ports.
 *
 * @example
 * ```ts
 * await using rsyslog = await Rsyslog.start();
 * const sink = new SyslogSink(rsyslog.settings("tcp"), rsyslog.network);
 * await sink.deliver([news], memory, signal);
 * const [message] = await rsyslog.hears(1);
 * ```
 */

import type { SyslogSettings } from "../../src/config/sink_settings.ts";
import type { NetworkSettings } from "../../src/config/tracker_settings.ts";
import { removeFolder } from "./remove_folder.ts";
import { succeed } from "./run.ts";
import { until } from "./sshd.ts";

/** What rsyslogd makes of a message. */
export interface HeardMessage {
  hostname: string;
  "app-name": string;
  procid: string;
  msgid: string;
  programname: string;
  syslogfacility: string;
  syslogseverity: string;
  timereported: string;
  /** When it came. */
  timegenerated: string;
  /** Without the mark that it is UTF-8. */
  msg: string;
  /** As it came. */
  rawmsg: string;
  inputname: string;
  /** The parameters of our structured data; their names in lower case, as rsyslog has them. Undefined where there are none. */
  params: Record<string, string> | undefined;
  /** The names of all structured data that it has. */
  dataIds: string[];
}

/** How to start it. */
export interface RsyslogOptions {
  /** What it proves itself to be by TLS: `localhost` and 127.0.0.1, or somebody else. */
  certificate?: "own" | "of another host";
  driver?: "ossl" | "gtls";
}

/** It runs as long as the test does, or until it is killed. */
export class Rsyslog implements AsyncDisposable {
  #process: Deno.ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    readonly options: RsyslogOptions,
    /** The port of UDP and TCP. */
    readonly port: number,
    readonly tlsPort: number,
  ) {}

  /** @throws {Error} if it does not start, with what it said */
  static async start(options: RsyslogOptions = {}): Promise<Rsyslog> {
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "rsyslog" });
    await makeCertificates(folder, options.certificate ?? "own");
    // AppArmor lets the one that is installed open nothing outside of its own folders.
    await Deno.copyFile("/usr/sbin/rsyslogd", `${folder}/rsyslogd`);
    for (let attempt = 1;; attempt++) {
      const rsyslog = new Rsyslog(folder, options, freePort(), freePort());
      await Deno.writeTextFile(`${folder}/rsyslog.conf`, configOf(rsyslog));
      try {
        await rsyslog.startAgain();
        return rsyslog;
      } catch (error) {
        // A port that is free now may be taken in the next moment: then another is tried.
        if (attempt < 3) continue;
        await removeFolder(folder);
        throw error;
      }
    }
  }

  /** The socket that takes RFC 5424. */
  get socket(): string {
    return `${this.folder}/syslog.sock`;
  }

  /** The socket that takes what syslog(3) writes, as /dev/log does. */
  get localSocket(): string {
    return `${this.folder}/log.sock`;
  }

  /** What the config of a host says that tells it. */
  settings(
    transport: SyslogSettings["transport"],
    changes: Partial<SyslogSettings> = {},
  ): SyslogSettings {
    return {
      name: "syslog",
      transport,
      host: transport === "unix" ? this.socket : "127.0.0.1",
      port: transport === "unix" ? 0 : transport === "tls" ? this.tlsPort : this.port,
      facility: 10,
      appName: "srvaudit",
      wants: { events: "commands", users: [], hosts: [], tickets: [], exitCodes: "all" },
      ...changes,
    };
  }

  /** With its CA. */
  get network(): NetworkSettings {
    return { proxy: "", noProxy: [], caFile: `${this.folder}/ca.pem` };
  }

  /** Starts it where it has ended. */
  async startAgain(): Promise<void> {
    this.#process = new Deno.Command(`${this.folder}/rsyslogd`, {
      args: ["-n", "-f", `${this.folder}/rsyslog.conf`, "-i", `${this.folder}/pid`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    let hasEnded = false;
    this.#process.status.then(() => hasEnded = true);
    await until("rsyslogd listens", async () => {
      if (hasEnded) throw new Error(`rsyslogd does not start: ${await this.#check()}`);
      return await isListening(this.port) && await isListening(this.tlsPort) &&
        await isThere(this.localSocket);
    });
  }

  /** Ends it: SIGKILL leaves it no time to keep anything. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    process?.kill(signal);
    await process?.status;
  }

  /** It reads nothing any more, until `goOn`. */
  stop(): void {
    this.#process?.kill("SIGSTOP");
  }

  goOn(): void {
    this.#process?.kill("SIGCONT");
  }

  /** What it has written so far, the oldest first; without its own messages. */
  async heard(): Promise<HeardMessage[]> {
    const text = await Deno.readTextFile(`${this.folder}/heard`).catch(() => "");
    // The last line may be half there.
    return text.split("\n").slice(0, -1).map(messageFrom);
  }

  /** Waits for so many. */
  async hears(count: number): Promise<HeardMessage[]> {
    return await until(`${count} messages at rsyslogd`, async () => {
      const heard = await this.heard();
      return heard.length >= count && heard;
    });
  }

  /** Waits until it has heard of all news by these ids, however often. */
  async heardAllOf(ids: readonly string[]): Promise<HeardMessage[]> {
    return await until("all news at rsyslogd", async () => {
      const heard = await this.heard();
      const known = new Set(heard.map(({ params }) => params?.id));
      return ids.every((id) => known.has(id)) && heard;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
    await removeFolder(this.folder);
  }

  async #check(): Promise<string> {
    const said = await Deno.readTextFile(`${this.folder}/own`).catch(() => "");
    return said || "see rsyslogd -N1";
  }
}

function messageFrom(line: string): HeardMessage {
  const all = JSON.parse(line) as HeardMessage & {
    "$!"?: { "rfc5424-sd"?: Record<string, Record<string, string>> };
  };
  const data = all["$!"]?.["rfc5424-sd"] ?? {};
  return {
    ...all,
    msg: all.msg.replace(/^ ?\ufeff?/, ""),
    params: data["srvaudit@32473"],
    dataIds: Object.keys(data),
  };
}

function configOf({ folder, options, port, tlsPort, socket, localSocket }: Rsyslog): string {
  const driver = `streamDriver.name="${
    options.driver ?? "ossl"
  }" streamDriver.mode="1" streamDriver.authMode="anon"`;
  return `
global(
  workDirectory="${folder}"
  defaultNetstreamDriverCAFile="${folder}/ca.pem"
  defaultNetstreamDriverCertFile="${folder}/server.pem"
  defaultNetstreamDriverKeyFile="${folder}/server.key"
)
module(load="mmpstrucdata")
module(load="imudp")
module(load="imtcp")
module(load="imuxsock" sysSock.use="off")
template(name="all" type="string" string="%jsonmesg%\\n")
ruleset(name="hear") {
  action(type="mmpstrucdata")
  action(type="omfile" file="${folder}/heard" template="all")
}
input(type="imudp" address="127.0.0.1" port="${port}" ruleset="hear")
input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="hear")
input(type="imtcp" address="127.0.0.1" port="${tlsPort}" ruleset="hear" ${driver})
input(type="imuxsock" socket="${socket}" useSpecialParser="off" ruleset="hear" rateLimit.interval="0")
input(type="imuxsock" socket="${localSocket}" ruleset="hear" rateLimit.interval="0")
action(type="omfile" file="${folder}/own")
`;
}

/** A CA, and what it has signed. */
async function makeCertificates(folder: string, whose: "own" | "of another host"): Promise<void> {
  const openssl = (...args: string[]) => succeed(["openssl", ...args], { cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const names = whose === "own" ? "DNS:localhost,IP:127.0.0.1" : "DNS:other.example";
  await openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=CA",
  );
  await openssl("req", ...newKey, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server");
  await Deno.writeTextFile(`${folder}/server.ext`, `subjectAltName=${names}\n`);
  const byCa = [
    "-CA",
    "ca.pem",
    "-CAkey",
    "ca.key",
    "-CAcreateserial",
    "-extfile",
    "server.ext",
    "-days",
    "2",
  ];
  await openssl("x509", "-req", "-in", "server.csr", ...byCa, "-out", "server.pem");
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
