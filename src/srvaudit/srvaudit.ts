/** `srvaudit`: the admin's tool, and the host's agent. */

import { messageOf } from "../terminal/message_of.ts";
import type { Request } from "./arguments.ts";
import { NobodyReadsError, say } from "./output.ts";

/** What goes without `@optique`: it starts at every login, or stays for long. */
const LIGHT: Readonly<Partial<Record<string, (args: string[]) => Promise<number | void>>>> = {
  agent: async (args) => await (await import("../agent/agent.ts")).runAgent(args),
  attach: async (args) => await (await import("./attach.ts")).attach(args),
  "put-back": async (args) => await (await import("../install/put_back.ts")).putBackCommand(args),
  ingest: async (args) => await (await import("./ingest.ts")).ingestCommand(args),
};

/**
 * Runs the program. `attach` is for the shells' hooks, `put-back` for what guards an installation: they are not in the help.
 * Exit codes: 0 done, 1 it cannot be done, or something is wrong, 2 it was called wrongly.
 *
 * @param args what stands behind the program's name
 */
export async function main(args: string[]): Promise<void> {
  let code: number;
  try {
    code = await run(args);
  } catch (error) {
    if (!(error instanceof NobodyReadsError)) say(messageOf(error));
    code = error instanceof NobodyReadsError ? 0 : 1;
  }
  // A watcher's thread, or a signal's listener, may still wait for the kernel.
  Deno.exit(code);
}

async function run(args: string[]): Promise<number> {
  const [first, ...rest] = args;
  const light = LIGHT[first ?? ""];
  if (light && !rest.some((word) => word === "--help" || word === "-h")) return await light(rest) ?? 0;
  const { parseArguments } = await import("./arguments.ts");
  return await perform(parseArguments(args));
}

async function perform(request: Request): Promise<number> {
  switch (request.action) {
    case "status":
      return await (await import("./status.ts")).statusCommand(request.json);
    case "sessions":
      await (await import("./sessions.ts")).sessionsCommand(request);
      return 0;
    case "follow":
      await (await import("./follow.ts")).followCommand(request);
      return 0;
    case "verify":
      return (await import("./verify.ts")).verifyCommand(request.file, request.since, request.json);
    case "head":
      (await import("./verify.ts")).headCommand(request.file);
      return 0;
    case "doctor":
      return await (await import("./doctor.ts")).doctorCommand(request.json);
    case "config check": {
      const file = request.file ?? (await import("../config/paths.ts")).hostPaths().config;
      return (await import("./config_check.ts")).configCheck(file, request.json);
    }
    case "sink list":
      await (await import("./sink.ts")).sinkList(request.json);
      return 0;
    case "sink test":
      return await (await import("./sink.ts")).sinkTest(request.sink);
    case "redeliver":
      return await (await import("./redeliver.ts")).redeliverCommand(request.sink);
    case "install":
    case "install hooks":
    case "install confirm":
      return await (await import("../install/install.ts")).installCommand(request);
    case "uninstall":
      return await (await import("../install/uninstall.ts")).uninstallCommand(request);
    case "rescue":
      return await (await import("../install/rescue.ts")).rescueCommand(request);
  }
  return 0;
}
