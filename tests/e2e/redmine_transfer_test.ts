/** Commands and copies that nobody types, while the tracker never answers: as without srvAudit. */

import assert from "node:assert/strict";
import { TestAgent } from "../support/agent.ts";
import { testThatNeeds } from "../support/needs.ts";
import { run } from "../support/run.ts";
import { TestHost } from "../support/sshd.ts";

/** A server that takes whatever comes, and never says a word. */
class SilentServer implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #taken: Deno.Conn[] = [];
  readonly url = `http://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;

  constructor() {
    this.#take();
  }

  async #take(): Promise<void> {
    try {
      for await (const connection of this.#listener) this.#taken.push(connection);
    } catch {
      // Closed.
    }
  }

  /** How many have come. */
  get visits(): number {
    return this.#taken.length;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#taken) connection.close();
  }
}

testThatNeeds(
  ["root", "sshd", "sqlite3", "timeout"],
  "ssh host command, scp and sftp with a tracker that hangs: byte-clean, and nobody waits for it",
  async (test) => {
    using tracker = new SilentServer();
    await using host = await TestHost.start({ sshd: ["AcceptEnv SRVAUDIT_TICKET"] });
    const user = await host.addUser();
    const config = ['pms="Redmine"', `redmineURL="${tracker.url}"`, 'redmineKey="0123456789abcdef"'];
    // Whoever waited for the tracker would wait for a minute: timeout(1) shows it.
    await using agent = await TestAgent.start(host, [...config, 'trackerTimeout="60"']);
    const inTime = (...command: string[]) => run(["timeout", "20", ...command]);
    const bytes = crypto.getRandomValues(new Uint8Array(65536));
    await Deno.writeFile(`${host.folder}/sent`, bytes);

    await test.step("a command: its bytes, its exit code, and no word more", async () => {
      const { code, stdout, errors } = await run(
        ["timeout", "20", ...host.client("ssh"), host.at(user), "cat; echo oops >&2; exit 7"],
        { stdin: bytes },
      );
      assert.deepEqual([code, errors], [7, "oops\n"]);
      assert.deepEqual(stdout, bytes);
    });

    await test.step("scp there and back, sftp", async () => {
      const [sent, back] = [`${host.folder}/sent`, `${host.folder}/back`];
      for (
        const words of [
          [...host.client("scp"), "-q", sent, `${host.at(user)}:one`],
          [...host.client("scp"), "-q", "-O", sent, `${host.at(user)}:two`],
          [...host.client("scp"), "-q", `${host.at(user)}:two`, back],
        ]
      ) assert.deepEqual((await inTime(...words)).code, 0);
      const got = await run(["timeout", "20", ...host.client("sftp"), "-q", "-b", "-", host.at(user)], {
        stdin: "rename one three\nls\n",
      });
      assert.deepEqual([got.code, got.errors], [0, ""]);
      for (const path of [back, `${user.files}/three`]) assert.deepEqual(await Deno.readFile(path), bytes);
    });

    await test.step("a command that needs a ticket runs on one that nobody has looked up, as clean", async () => {
      await TestAgent.configure(host, [...config, 'trackerTimeout="1"', 'nonInteractive="require"']);
      await agent.end();
      await agent.start();
      const flags = (ticket: string) => ({ flags: ["-o", `SetEnv=SRVAUDIT_TICKET=${ticket}`] });
      const bare = await host.ssh(user, ["echo in"]);
      assert.deepEqual([bare.code, bare.text], [1, ""]);
      const none = await host.ssh(user, ["echo in"], flags("no-number"));
      assert.deepEqual([none.code, none.text], [1, ""]);
      const { code, stdout, errors } = await host.ssh(user, ["cat; exit 7"], {
        stdin: bytes,
        ...flags("17"),
      });
      assert.equal(code, 7);
      assert.deepEqual(stdout, bytes);
      assert.match(errors, /^srvaudit: Redmine[^\n]*; going on without it\n$/);
      await agent.find(
        "the session",
        `select 1 from event where kind = 'session opened' and json_extract(data, '$.ticket') = '17'
        and json_extract(data, '$.unverified') = 1`,
      );
    });
    assert.ok(tracker.visits > 0);
  },
);
