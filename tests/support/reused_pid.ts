/**
 * Says what a server answers to a connection whose process has ended, and whose number a process of the same user has by
 * now. To be run in a pid namespace of its own, with its own /proc: there the next number can be chosen.
 */

import { processOf } from "../../src/posix/process.ts";
import { TestServer } from "./agent_server.ts";
import { until } from "./sshd.ts";

const PEER = new URL("socket_peer.pl", import.meta.url).pathname;

await using server = new TestServer((peer) => Promise.resolve(peer));
const heir = new Deno.Command("perl", { args: [PEER, server.path, "heir"], stdin: "piped", stdout: "piped" })
  .spawn();
await heir.status;
const successor = await until("the number anew", async () => {
  await Deno.writeTextFile("/proc/sys/kernel/ns_last_pid", String(heir.pid - 1));
  const child = new Deno.Command("cat", { stdin: "piped" }).spawn();
  if (child.pid === heir.pid && processOf(heir.pid)) return child;
  await child.stdin.close();
  await child.status;
  return undefined;
});
server.run();
await heir.stdin.close();
console.log(await new Response(heir.stdout).text());
await successor.stdin.close();
await successor.status;
