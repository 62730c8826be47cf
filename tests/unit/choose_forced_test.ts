import assert from "node:assert/strict";
import { chooseForced } from "../../src/install/choose_forced.ts";
import { AccountsRoot } from "../support/accounts_root.ts";
import { testThatNeeds } from "../support/needs.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\n" +
  "bob:x:1001:1001::/home/bob:/usr/bin/python3\ncarol:x:1002:1002::/home/carol:/bin/zsh\n";
const SICK = [{ name: "carol", why: "hello does not do for her" }];

function users(...names: string[]) {
  return { who: "users", names } as const;
}

// libc is opened at its first call and stays open: not within a test, which must leave nothing behind.
if (Deno.uid() === 0) {
  using host = new AccountsRoot(PASSWD);
  await chooseForced(host.target, users("alice"));
}

testThatNeeds(
  ["root"],
  "who is named and did not come through the try-out is left out, as of a group",
  async () => {
    using host = new AccountsRoot(PASSWD);
    const { match, accounts, left } = await chooseForced(host.target, users("alice", "carol"), SICK) ?? {};
    assert.deepEqual([match, accounts?.map(({ name }) => name), left], ["User alice", ["alice"], SICK]);
    assert.equal(await chooseForced(host.target, users("carol"), SICK), undefined);
  },
);

testThatNeeds(
  ["root"],
  "who is named and whom sshd cannot start hello for is refused, and she alone",
  async () => {
    using host = new AccountsRoot(PASSWD);
    await assert.rejects(chooseForced(host.target, users("alice", "bob", "carol"), SICK), {
      message: "sshd cannot start hello for bob: her shell /usr/bin/python3 runs no commands of sshd's",
    });
  },
);
