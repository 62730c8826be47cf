/** What people send through ssh: each works, and is on record. */

import { testThatNeeds } from "../support/needs.ts";
import { TestHost } from "../support/sshd.ts";
import { TRANSFERS } from "../support/transfers.ts";

for (const { name, needs, play } of TRANSFERS) {
  testThatNeeds(["root", "sshd", ...needs], name, async () => {
    await using host = await TestHost.start();
    await play(host, await host.addUser());
  });
}
