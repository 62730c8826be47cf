/**
 * `srvaudit agent`: the one process of a host that holds secrets, evidence and connections.
 *
 * One thread. What wakes it: a peer at its socket, a spool that changed, a second that passed while sessions are open. What
 * it knows is on the disk at every moment, so it may be killed at any.
 */

import { type AgentSettings, agentSettings } from "../config/agent_settings.ts";
import { type HostPaths, hostPaths } from "../config/paths.ts";
import { VERSION } from "../config/version.ts";
import { effectiveUid } from "../posix/libc.ts";
import { tryLock } from "../posix/lock.ts";
import { Poller } from "../posix/poller.ts";
import { tell } from "../terminal/ask.ts";
import { messageOf } from "../terminal/message_of.ts";
import { visible } from "../terminal/visible.ts";
import { log, openLog } from "./log.ts";
import { Host } from "./host.ts";
import { publishPolicy } from "./publish.ts";
import { Server } from "./server.ts";

/** How often it looks whether it can be found. */
const HEALING_MS = 2000;
/** How long a running agent may take to let go of its lock, when another begins in its place. */
const LOCK_PATIENCE_MS = 5000;

/**
 * Runs the agent until SIGTERM or SIGINT.
 *
 * @param args what stands behind `agent`: nothing
 * @returns when it has ended well; the process ends with 1 where it cannot begin, and with 2 for a wrong call
 */
export async function runAgent(args: readonly string[]): Promise<void> {
  if (args.length > 0) return stop(2, `agent takes no ${args.join(" ")}: see srvaudit --help`);
  if (effectiveUid() !== 0) {
    return stop(1, "the agent keeps what no user may touch: start it as root (systemctl start srvaudit)");
  }
  const places = hostPaths();
  let settings: AgentSettings;
  try {
    makeFolders(places);
    settings = readSettings(places);
  } catch (error) {
    return stop(1, `${messageOf(error)}\nthe agent does not start`);
  }
  const pidFile = `${places.run}/agent.pid`;
  using lock = await lockOrWait(pidFile);
  if (!lock) return stop(1, `another agent runs: see ${pidFile}`);
  Deno.writeTextFileSync(pidFile, `${Deno.pid}\n`);
  await openLog(places.log, settings.logLevel);
  let code = 0;
  try {
    await serve(places, settings);
  } catch (error) {
    log.fatal("the agent cannot go on: {reason}", { reason: messageOf(error) });
    code = 1;
  }
  empty(pidFile);
  // A thread may still wait for the kernel.
  Deno.exit(code);
}

/** What sends signals by the file (logrotate, the init script) must not find a number that another process may have. */
function empty(pidFile: string): void {
  try {
    Deno.truncateSync(pidFile);
  } catch {
    // Somebody has taken it away.
  }
}

async function serve(places: HostPaths, settings: AgentSettings): Promise<void> {
  using poller = new Poller();
  using host = new Host(places, settings, poller);
  using server = new Server(poller, places.socket, host.handle, {
    onError: (error) =>
      log.error("{what}: {reason}", { what: error.message, reason: messageOf(error.cause) }),
  });
  host.countConnections = () => server.connections;
  publishPolicy(places, settings.policy);
  let isStopping = false;
  const end = () => {
    isStopping = true;
    poller.wake();
  };
  Deno.addSignalListener("SIGTERM", end);
  Deno.addSignalListener("SIGINT", end);
  Deno.addSignalListener("SIGHUP", () => reload(places, host));
  const healing = setInterval(() => heal(places, host, server), HEALING_MS);
  log.info("srvaudit {version} is serving {socket}", {
    version: VERSION,
    socket: places.socket,
    pid: Deno.pid,
  });
  while (!isStopping) await poller.turn(Infinity);
  clearInterval(healing);
  server.stopAccepting();
  await host.finish();
  log.info("stopped: shells go on, and what they record is taken in at the next start");
}

/** What logins find the agent by comes back where somebody has taken it away. */
function heal(places: HostPaths, host: Host, server: Server): void {
  try {
    // It is gone with its folder, too.
    if (!isThere(places.policy)) {
      makeFolders(places);
      publishPolicy(places, host.settings.policy);
      log.warn("{file} was gone: it is there again", { file: places.policy });
    }
    if (server.heal()) log.warn("{file} was gone: it is there again", { file: places.socket });
  } catch (error) {
    log.error("logins cannot find the agent: {reason}", { reason: messageOf(error) });
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A config that is wrong changes nothing: the one before holds. The log is opened anew in any case. */
async function reload(places: HostPaths, host: Host): Promise<void> {
  try {
    const settings = readSettings(places);
    await openLog(places.log, settings.logLevel);
    // Where that cannot be done, logins are not told of a policy that does not hold.
    host.follow(settings);
    publishPolicy(places, settings.policy);
    log.info("{config} was read again", { config: places.config });
  } catch (error) {
    await openLog(places.log, host.settings.logLevel);
    log.error("{reason}: the config that was read before still holds", { reason: messageOf(error) });
  }
}

function readSettings({ config, mask }: HostPaths): AgentSettings {
  const patterns = readIfThere(mask);
  return agentSettings(
    readIfThere(config) ?? "",
    config,
    patterns === undefined ? undefined : { text: patterns, file: mask },
  );
}

function readIfThere(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What the agent makes after that is root's alone, whatever else is said where it is made. */
function makeFolders({ run, state, hostSpool, log }: HostPaths): void {
  Deno.umask(0o022);
  try {
    // The spool's files are opened by name, and nobody lists them.
    const folders: [string, number][] = [[run, 0o755], [state, 0o700], [hostSpool, 0o711]];
    for (const [folder, mode] of folders) {
      // Those above are for everybody to pass through.
      Deno.mkdirSync(folder, { recursive: true, mode: 0o755 });
      Deno.chownSync(folder, 0, 0);
      Deno.chmodSync(folder, mode);
    }
    Deno.mkdirSync(log.slice(0, log.lastIndexOf("/")), { recursive: true, mode: 0o755 });
  } finally {
    Deno.umask(0o077);
  }
}

/** One that was told to end may still be at it. */
async function lockOrWait(file: string): Promise<Disposable | undefined> {
  const deadline = performance.now() + LOCK_PATIENCE_MS;
  while (true) {
    const lock = tryLock(file);
    if (lock || performance.now() > deadline) return lock;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function stop(code: number, message: string): never {
  tell(`srvaudit: ${visible(message, "\n")}\n`);
  Deno.exit(code);
}
