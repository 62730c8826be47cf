/** Says what a server does whose process has no descriptor left. To be run with a low limit of them: `ulimit -n 64`. */

import { requestLine, TestServer } from "./agent_server.ts";
import { until } from "./sshd.ts";

const PEER = new URL("socket_peer.pl", import.meta.url).pathname;

await using server = TestServer.start((_peer, method) => Promise.resolve(method), {
  connections: 1000,
  connectionsOfUser: 1000,
});
// Made while there is room.
using patient = await server.connect();
// All of them before the server accepts one: a process that is to be started needs descriptors, too.
const crowds = Array.from(
  { length: 3 },
  () =>
    new Deno.Command("perl", {
      args: [PEER, server.path, "crowd", "30", "30"],
      stdin: "piped",
      stdout: "null",
    }).spawn(),
);
await until("the first complaint", () => Promise.resolve(server.errors.length > 0));
await patient.send(requestLine(1, "served on"));
console.log((await patient.reply())?.result);
for (const crowd of crowds) {
  await crowd.stdin.close();
  await crowd.status;
}
await until("the crowds' end", () => Promise.resolve(server.server.connections === 1));
using late = await server.connect();
await late.ask(1, "let in");
console.log((await late.reply())?.result);
console.log(
  server.errors.length < 50 && server.errors.every(({ message }) => /no file descriptor/.test(message)),
);
