/** `make tester`, as somebody tries srvAudit for the first time: ssh with a password, by expect; all is read back from Redmine. */

import assert from "node:assert/strict";
import { play } from "../support/expect.ts";
import { testThatNeeds } from "../support/needs.ts";
import type { RedmineIssue } from "../support/redmine_host.ts";
import { removeFolder } from "../support/remove_folder.ts";
import { type Finished, run } from "../support/run.ts";
import { until } from "../support/sshd.ts";

const TESTER = new URL("../../packaging/tester/tester.sh", import.meta.url).pathname;

/** The try-out environment, from its start to a signal. */
class Tester implements AsyncDisposable {
  private constructor(
    private readonly script: Deno.ChildProcess,
    /** What it has told the admin. */
    readonly said: string,
    private readonly rest: Promise<string>,
    readonly sshPort: string,
    readonly redmine: string,
    /** The first process in there. */
    private readonly first: number,
    /** The mount namespace that all of it is in. */
    private readonly namespace: string,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Tester> {
    const folder = await Deno.makeTempDir();
    const script = new Deno.Command(TESTER, { stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
    const errors = script.stderr.pipeThrough(new TextDecoderStream());
    const problems = Array.fromAsync(errors);
    const reader = script.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    while (!said.includes("Ctrl-C here ends all of it")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the tester did not start:\n${said}${(await problems).join("")}`);
      said += value;
    }
    reader.releaseLock();
    const rest = problems.then((texts) => texts.join(""));
    const [, sshPort = ""] = /ssh -p (\d+) srvaudit@127\.0\.0\.1/.exec(said) ?? [];
    const [redmine = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
    const first = await childOf(await childOf(script.pid));
    const namespace = await Deno.readLink(`/proc/${first}/ns/mnt`);
    return new Tester(script, said, rest, sshPort, redmine, first, namespace, folder);
  }

  /** Plays a login by the password. @param script as `play` takes it, from the ticket prompt on */
  login(script: string): Promise<Finished> {
    const known = [
      "-o",
      `UserKnownHostsFile=${this.folder}/known_hosts`,
      "-o",
      "StrictHostKeyChecking=accept-new",
    ];
    return play(
      ["ssh", "-F", "none", ...known, "-p", this.sshPort, "srvaudit@127.0.0.1"],
      `want {password: $}\nline "abc123"\n${script}`,
    );
  }

  /** What Redmine's API tells of a ticket. */
  async issue(key: number): Promise<RedmineIssue> {
    const address = `${this.redmine}/issues/${key}.json?include=journals`;
    const response = await fetch(address, { headers: { authorization: `Basic ${btoa("admin:abc123")}` } });
    assert.equal(response.status, 200);
    return (await response.json()).issue;
  }

  /** The comments on a ticket that have all of this in them. */
  async comments(key: number, ...wanted: readonly string[]): Promise<string[]> {
    const notes = (await this.issue(key)).journals.map(({ notes }) => (notes ?? "").replaceAll("\r\n", "\n"));
    return notes.filter((text) => wanted.every((words) => text.includes(words)));
  }

  /** Runs a command as root where the client is. */
  onClient(command: readonly string[]): Promise<Finished> {
    const enter = ["nsenter", `--target=${this.first}`, "--mount", "--root", "--pid", "--uts", "--wdns=/"];
    return run([...enter, ...command]);
  }

  /** All that runs in its namespace. */
  #processes(): string[] {
    return [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => /^\d+$/.test(name)).filter(
      (pid) => {
        try {
          return Deno.readLinkSync(`/proc/${pid}/ns/mnt`) === this.namespace;
        } catch {
          // It has ended, or is a zombie.
          return false;
        }
      },
    );
  }

  /** Ends it, and looks that nothing is left. @returns its exit code, and what it had said on stderr */
  async end(signal: Deno.Signal): Promise<{ code: number; errors: string }> {
    assert.notDeepEqual(this.#processes(), []);
    this.script.kill(signal);
    const { code } = await this.script.status;
    await until("the end of all processes", () => Promise.resolve(this.#processes().length === 0));
    // A process gives its sockets back a moment after it is no longer seen.
    const ports = [this.sshPort, new URL(this.redmine).port];
    await until("the end of its ports", () => Promise.resolve(ports.every(isFree)));
    return { code, errors: await this.rest };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // All that a failed test has left alive goes too.
    const ends = this.#processes().map((pid) => () => Deno.kill(Number(pid), "SIGKILL"));
    for (const end of [() => this.script.kill("SIGKILL"), ...ends]) {
      try {
        end();
      } catch {
        // It was faster.
      }
    }
    await this.script.status;
    await Promise.all([this.rest, this.script.stdout.cancel()]);
    await removeFolder(this.folder);
  }
}

/** A process that another one has started, and waits for. */
async function childOf(pid: number): Promise<number> {
  return Number((await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).split(" ")[0]);
}

/** Whether nobody listens there. */
function isFree(port: string): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port: Number(port) }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** What of the tester's could be left on this machine: files by their names, users, packages, mounts. */
async function traces(): Promise<string[]> {
  const names = ["*srvaudit*", "*redmine*", "*mariadb*", "*mysql*", "*tester*"].flatMap((
    name,
  ) => ["-o", "-name", name]);
  const files = await run([
    ...["find", "/etc", "/usr", "/srv", "/var", "/home", "/run", "-xdev", "(", ...names.slice(1), ")"],
    ...["-printf", "%p %m %u %s %C@\n"],
  ]);
  const users = await run(["getent", "passwd", "srvaudit", "redmine", "mysql"]);
  const packages = await run([
    "dpkg-query",
    "-W",
    "-f",
    "${Package} ${db:Status-Status} ${Version}\n",
    "mariadb*",
    "redmine*",
  ]);
  const mounts = (await Deno.readTextFile("/proc/self/mounts")).split("\n").filter((line) =>
    line.includes("tester")
  );
  return [
    ...files.text.split("\n").sort(),
    ...users.text.split("\n"),
    ...packages.text.split("\n"),
    ...mounts,
  ];
}

testThatNeeds(
  ["root", "expect", "ssh", "nsenter", "the tester"],
  "the tester: tickets by ssh and a password, seen in Redmine; nothing is left of it",
  async (test) => {
    const before = await traces();
    {
      await using tester = await Tester.start();
      let key = 0;

      await test.step("it says how to log in", () => {
        assert.match(tester.said, /^ {2}ssh -p \d+ srvaudit@127\.0\.0\.1 +password: abc123$/m);
        assert.match(tester.said, /^ {2}Redmine +http:\/\/127\.0\.0\.1:\d+\/\S+\n.*admin, password abc123$/m);
      });

      await test.step("a new ticket, commands, a note, a status; notes and status at logout", async () => {
        const { code, text } = await tester.login(String.raw`
          want {blank for new[^\r\n]*: $}
          line ""
          want {1  Bug\r\n.*3  Support\r\n.*Choose tracker for new ticket: $}
          line "3"
          want {Enter subject for new ticket: $}
          line "Disk of www1 is full"
          want {Ticket \d+  Disk of www1 is full  \(New\)\r\n.*\$ $}
          line "cd /tmp"
          want {tmp\$ $}
          line "false"
          want {tmp\$ $}
          line "echo freed | tr a-z A-Z"
          want {FREED\r\n.*tmp\$ $}
          line "saticket note 'old logs are gone'"
          want {tmp\$ $}
          line "saticket status in"
          want {was New and is In Progress now\r\n.*tmp\$ $}
          line "ash_query -q ME"
          want {tr a-z A-Z.*tmp\$ $}
          line "exit 3"
          want {Disk of www1 is full \(In Progress\)\r\n.*otes[^\r\n]*: $}
          line "freed 3 GB"
          want {> $}
          line "and told the team"
          want {> $}
          line ""
          want {1  In Progress\r\n +2  Resolved\r\n.*Choose ticket status \(default 1\): $}
          line "2"
          ended
        `);
        assert.equal(code, 3);
        key = Number(/Ticket (\d+) {2}Disk of www1 is full/.exec(text)?.[1]);
      });

      await test.step("Redmine has it: who, what, the status, and the session with its commands and notes", async () => {
        const [story = "", ...others] = await until("the story", async () => {
          const found = await tester.comments(key, "logged out, exit 3", "Resolved");
          return found.length > 0 && found;
        });
        assert.deepEqual(others, []);
        const issue = await tester.issue(key);
        assert.deepEqual(
          [issue.subject, issue.project.name, issue.tracker.name, issue.author.name, issue.status.name],
          ["Disk of www1 is full", "Servers", "Support", "Sam Tester", "Resolved"],
        );
        assert.match(story, /^\*srvaudit on tester: shell session\*$/m);
        assert.match(
          story,
          /exit 0 .*\$ cd \/tmp\n.*exit 1 .*\/tmp {2}\$ false\n.*exit 0\|0 .*\$ echo freed \| tr a-z A-Z\n/,
        );
        for (
          const words of ["> old logs are gone", "> freed 3 GB\n> and told the team", "New to In Progress"]
        ) {
          assert.ok(story.includes(words), `${words}\n${story}`);
        }
      });

      await test.step("the same ticket again, by its number, and without a word at its end", async () => {
        const { text } = await tester.login(String.raw`
          want {blank for new[^\r\n]*: $}
          line "?"
          want {${key}  Disk of www1 is full  \(Resolved\).*2  Renew the certificate.*blank for new[^\r\n]*: $}
          line "${key}"
          want {Ticket ${key}  Disk of www1 is full  \(Resolved\)\r\n.*\$ $}
          line "ash_query -q ME | grep -c FREED\; echo again"
          want {again\r\n.*again\r\n.*\$ $}
          logout ""
        `);
        assert.match(text, /recorded/);
        await until("its story", async () => (await tester.comments(key, "$ ash_query -q ME")).length === 1);
      });

      await test.step("srvAudit is installed there as on any host, and all is well with it", async () => {
        const { text, errors, code } = await tester.onClient(["srvaudit", "doctor"]);
        assert.equal(code, 0, text + errors);
        assert.match(text, /^0 wrong, 0 warnings$/m);
      });

      await test.step("Ctrl-C ends all of it", async () => {
        const { code, errors } = await tester.end("SIGINT");
        assert.equal(code, 0);
        assert.match(errors, /nothing of it is left\n$/);
      });
    }

    await test.step("kill -9 ends all of it", async () => {
      await using tester = await Tester.start();
      await tester.end("SIGKILL");
    });
    assert.deepEqual(await traces(), before);
  },
);
