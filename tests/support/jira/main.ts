/**
 * A fake Jira for people to try srvAudit with, until Ctrl-C.
 *
 * @example
 * ```sh
 * deno run -A tests/support/jira/main.ts --edition cloud
 * ```
 */

import { FakeJira } from "./fake_jira.ts";

const USAGE = "Usage: main.ts [--edition cloud|server] [--port PORT]";

function optionsOf(args: readonly string[]): { edition: "cloud" | "server"; port: number } {
  const options = { edition: "cloud" as "cloud" | "server", port: 0 };
  for (let at = 0; at < args.length; at += 2) {
    const [name, value = ""] = args.slice(at);
    if (name === "--edition" && (value === "cloud" || value === "server")) options.edition = value;
    else if (name === "--port" && /^\d+$/.test(value)) options.port = Number(value);
    else {
      console.error(USAGE);
      Deno.exit(2);
    }
  }
  return options;
}

if (import.meta.main) {
  await using jira = await FakeJira.start(optionsOf(Deno.args));
  const mail = jira.mail === "" ? "" : `\n  jiraMail="${jira.mail}"`;
  console.log(`A fake Jira (${jira.edition}) is at ${jira.url}, until Ctrl-C. For /etc/srvaudit/config:

  pms="jira"
  jiraURL="${jira.url}"${mail}
  jiraToken="${jira.token}"
  jiraProjectKey="OPS,WEB"

It has the issues ${jira.world.issues.map((issue) => issue.key).join(", ")},
and the users ${jira.world.users.map((user) => user.name).join(", ")}.`);
  const interrupted = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", interrupted.resolve);
  Deno.addSignalListener("SIGTERM", interrupted.resolve);
  await interrupted.promise;
}
