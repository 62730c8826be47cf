/** The config's keys of syslog. */

import { isOpenOnItsWay } from "./addresses.ts";
import type { SettingReader } from "./setting_reader.ts";
import type { SyslogSettings } from "./sink_settings.ts";
import { oneOf } from "./values.ts";

/** RFC 5424, table 1, by the names that syslog.conf knows: each stands at its number. */
const FACILITIES = [
  "kern",
  "user",
  "mail",
  "daemon",
  "auth",
  "syslog",
  "lpr",
  "news",
  "uucp",
  "cron",
  "authpriv",
  "ftp",
  "ntp",
  "audit",
  "alert",
  "clock",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
] as const;

/** Where they listen if nobody says: RFC 5426; what syslog servers take for TCP; RFC 5425. */
const PORTS = { udp: 514, tcp: 514, tls: 6514 };

/** Where messages go. */
type Place = Pick<SyslogSettings, "transport" | "host" | "port">;

/** @returns undefined where syslog is not told */
export function readSyslog(reader: SettingReader): Omit<SyslogSettings, "wants"> | undefined {
  const nowhere: Place = { transport: "unix", host: "", port: 0 };
  const place = reader.readIfSet("syslogURL", placeOf, nowhere);
  const facility = reader.readIfSet("syslogFacility", oneOf(...FACILITIES), "authpriv");
  const appName = reader.readIfSet("syslogAppName", appNameOf, "srvaudit");
  if (place === nowhere) return undefined;
  if (place.transport !== "unix" && isOpenOnItsWay(reader.settings.get("syslogURL")?.value ?? "")) {
    reader.doubtful(
      "syslogURL",
      "is not encrypted: all texts can be read on their way; tls://host is better",
    );
  }
  return { name: "syslog", ...place, facility: FACILITIES.indexOf(facility), appName };
}

function placeOf(value: string): Place {
  const url = URL.parse(value);
  const transport = url?.protocol.slice(0, -1);
  if (url && transport === "unix" && url.host === "" && /^\/[^?#]/.test(value.slice("unix://".length))) {
    return { transport, host: value.slice("unix://".length), port: 0 };
  }
  if (url && (transport === "udp" || transport === "tcp" || transport === "tls")) {
    const isAll = url.username + url.password + url.search + url.hash === "" && /^\/?$/.test(url.pathname);
    const host = url.hostname.replace(/^\[|\]$/g, "");
    if (isAll && /^[a-z0-9_.:-]+$/i.test(host) && url.port !== "0") {
      return { transport, host, port: Number(url.port || PORTS[transport]) };
    }
  }
  throw new Error(
    "is no address of a syslog server: write udp://host:514, tcp://host:514, tls://host:6514, or unix:///dev/log",
  );
}

/** RFC 5424, 6.2.5. */
function appNameOf(value: string): string {
  if (/^[\x21-\x7e]{1,48}$/.test(value)) return value;
  throw new Error("is no name of a program: 48 characters of ASCII at most, without blanks");
}
