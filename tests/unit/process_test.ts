import assert from "node:assert/strict";
import { ancestors, isOfSameLogin, kernelSessionsOf } from "../../src/posix/process.ts";

/**
 * A connection as sshd has it, in an audit session of its own: two logins beside each other, and a server (as tmux has
 * one) that the first of them has started and that is nobody's child any more.
 */
const CONNECTION = `
echo 0 > /proc/self/loginuid || exit 1
# A login: says its pid, and waits.
login() { sh -c 'setsid --fork sleep 1000; sleep 1000 & echo $$; wait' & }
login; login
setsid --fork sh -c 'echo $$; exec sleep 1000'
wait
`;

/** Whether this kernel, and this user, can have audit sessions at all. */
const canAudit = Deno.uid() === 0 &&
  new Deno.Command("sh", { args: ["-c", "echo 0 > /proc/self/loginuid"], stderr: "null" }).outputSync()
    .success;

class Connection implements AsyncDisposable {
  private constructor(readonly process: Deno.ChildProcess, readonly pids: number[]) {}

  static async start(): Promise<Connection> {
    const process = new Deno.Command("sh", { args: ["-c", CONNECTION], stdin: "null", stdout: "piped" })
      .spawn();
    let text = "";
    const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    while (text.split("\n").length < 4) text += (await reader.read()).value ?? "";
    await reader.cancel();
    return new Connection(process, text.trim().split("\n").map(Number));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { audit } = kernelSessionsOf(this.process.pid);
    for (const { name } of Deno.readDirSync("/proc")) {
      if (/^[0-9]+$/.test(name) && kernelSessionsOf(Number(name)).audit === audit) {
        Deno.kill(Number(name), "SIGKILL");
      }
    }
    await this.process.status;
  }
}

Deno.test({
  name: `who is nobody's child any more is of the login that started it; who is beside it is not${
    canAudit ? "" : " [needs audit sessions]"
  }`,
  ignore: !canAudit,
  async fn() {
    await using connection = await Connection.start();
    await using other = await Connection.start();
    const parents = connection.pids.map((pid) => [...ancestors(pid)][1]?.pid);
    const logins = connection.pids.filter((_, i) => parents[i] === connection.process.pid);
    const [server] = connection.pids.filter((pid) => !logins.includes(pid));
    const [first, second] = logins;
    assert.ok(server && first && second, `${connection.pids}, under ${parents}`);
    assert.equal(isOfSameLogin([...ancestors(server)], first), true);
    assert.equal(isOfSameLogin([...ancestors(second)], first), false);
    assert.equal(isOfSameLogin([...ancestors(first)], second), false);
    assert.equal(isOfSameLogin([...ancestors(server)], other.pids[0] ?? 0), false);
    assert.equal(isOfSameLogin([], first), false);
  },
});
