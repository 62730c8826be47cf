/** Says which sockets, epolls and eventfds of this process are open after servers and their peers have come and gone. */

import { TestServer } from "./agent_server.ts";

/** All that a server opens: Deno's own are there already, as a server has been at work before. */
function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return /^(socket|anon_inode):/.test(Deno.readLinkSync(`/proc/self/fd/${name}`));
    } catch {
      return false;
    }
  }).length;
}

const before = descriptors();
for (let i = 0; i < 20; i++) {
  await using server = TestServer.start((peer) => Promise.resolve(peer), { connectionsOfUser: 5 });
  const peers = await Promise.all(Array.from({ length: 10 }, () => server.connect()));
  for (const peer of peers) {
    await peer.ask(1, "m").catch(() => {});
    await peer.reply();
  }
  // Some end it themselves, to some it is the server that does.
  for (const peer of peers.slice(0, 3)) peer[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
  for (const peer of peers) peer[Symbol.dispose]();
}
console.log(descriptors() - before);
