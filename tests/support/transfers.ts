/** What people send through ssh: scp, sftp, rsync, git, ansible. Each is played to its end, and looked for on record. */

import assert from "node:assert/strict";
import { run, succeed } from "./run.ts";
import type { TestHost, TestUser } from "./sshd.ts";

/** A transfer. */
export interface Transfer {
  name: string;
  /** The programs that it takes. */
  needs: readonly string[];
  /** Plays it for a user whose logins go through hello. */
  play(host: TestHost, user: TestUser): Promise<void>;
}

/** All of them. */
export const TRANSFERS: readonly Transfer[] = [
  {
    name: "scp in its legacy mode, there and back",
    needs: ["scp"],
    play: (host, user) => playScp(host, user, "-O", /^scp /),
  },
  {
    name: "scp in its sftp mode, there and back",
    needs: ["scp"],
    play: (host, user) => playScp(host, user, "-s", /sftp-server/),
  },
  { name: "sftp: put, rename and get", needs: ["sftp"], play: playSftp },
  { name: "rsync: a tree there, a change, and back", needs: ["rsync"], play: playRsync },
  { name: "git: push, clone and pull", needs: ["git"], play: playGit },
  {
    name: "ansible: ping, a command, and a module that copies a file",
    needs: ["ansible"],
    play: playAnsible,
  },
];

/** A file with every byte in it, and 200 KB of others. */
async function makeFile(path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(200_000).map((_, i) => i < 256 ? i : (i * 7919) >> 3);
  await Deno.writeFile(path, bytes);
  return bytes;
}

/** Every session is one command, and ended well, or as is said. @returns the commands */
async function recorded(host: TestHost, user: TestUser, ends: (command: string) => number = () => 0) {
  const sessions = await host.sessions(user);
  for (const { mode, how, exitCode, command } of sessions) {
    assert.deepEqual({ command, mode, how, exitCode }, {
      command,
      mode: "command",
      how: "logout",
      exitCode: ends(command ?? ""),
    });
  }
  return sessions.map((session) => session.command);
}

async function playScp(host: TestHost, user: TestUser, flag: "-O" | "-s", command: RegExp): Promise<void> {
  const bytes = await makeFile(`${host.folder}/file`);
  const there = await run([
    ...host.client("scp"),
    flag,
    "-p",
    `${host.folder}/file`,
    `${host.at(user)}:copy-of-it`,
  ]);
  assert.deepEqual([there.code, there.text, there.errors], [0, "", ""]);
  assert.deepEqual(await Deno.readFile(`${user.files}/copy-of-it`), bytes);
  const back = await run([...host.client("scp"), flag, `${host.at(user)}:copy*`, `${host.folder}/back`]);
  assert.deepEqual([back.code, back.text, back.errors], [0, "", ""]);
  assert.deepEqual(await Deno.readFile(`${host.folder}/back`), bytes);
  const commands = await recorded(host, user);
  assert.equal(commands.length, 2);
  for (const text of commands) assert.match(text ?? "", command);
  const missing = await run([
    ...host.client("scp"),
    flag,
    `${host.at(user)}:nothing`,
    `${host.folder}/back`,
  ]);
  assert.equal(missing.code, 1);
  assert.match(missing.errors, /No such file/);
}

async function playSftp(host: TestHost, user: TestUser): Promise<void> {
  const bytes = await makeFile(`${host.folder}/file`);
  const batch =
    `put ${host.folder}/file one\nrename one two\nmkdir sub\nls -1\nget two ${host.folder}/back\n`;
  const done = await run([...host.client("sftp"), "-b", "-", host.at(user)], { stdin: batch });
  assert.equal(done.code, 0, done.errors);
  assert.match(done.text, /\nsub\s*\ntwo\s*\n/);
  assert.deepEqual(await Deno.readFile(`${host.folder}/back`), bytes);
  assert.equal((await recorded(host, user)).length, 1);
}

async function playRsync(host: TestHost, user: TestUser): Promise<void> {
  const tree = `${host.folder}/tree`;
  await Deno.mkdir(`${tree}/a b/c`, { recursive: true });
  await makeFile(`${tree}/a b/c/file`);
  await Deno.writeTextFile(`${tree}/☃`, "snow\n");
  const rsync = ["rsync", "-a", "--delete", "-e", host.client("ssh").join(" ")];
  await succeed([...rsync, `${tree}/`, `${host.at(user)}:tree/`]);
  await Deno.remove(`${tree}/☃`);
  await Deno.writeTextFile(`${tree}/new`, "new\n");
  await succeed([...rsync, `${tree}/`, `${host.at(user)}:tree/`]);
  await succeed([...rsync, `${host.at(user)}:tree/`, `${host.folder}/back/`]);
  assert.equal(await succeed(["diff", "-r", tree, `${host.folder}/back`]), "");
  const commands = await recorded(host, user);
  assert.equal(commands.length, 3);
  for (const text of commands) assert.match(text ?? "", /^rsync --server /);
}

async function playGit(host: TestHost, user: TestUser): Promise<void> {
  const url = `${host.at(user)}:project.git`;
  const env = {
    HOME: host.folder,
    GIT_SSH_COMMAND: host.client("ssh").join(" "),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "A",
    GIT_AUTHOR_EMAIL: "a@example.org",
    GIT_COMMITTER_NAME: "A",
    GIT_COMMITTER_EMAIL: "a@example.org",
  };
  const git = (...args: string[]) => succeed(["git", ...args], { env, cwd: host.folder });
  await host.ssh(user, ["git init -q --bare -b main project.git"]);
  await git("init", "-q", "-b", "main", "one");
  await makeFile(`${host.folder}/one/file`);
  await git("-C", "one", "add", ".");
  await git("-C", "one", "commit", "-qm", "First");
  await git("-C", "one", "push", "-q", url, "main");
  await git("clone", "-q", url, "two");
  await git("-C", "one", "commit", "-qm", "Second", "--allow-empty");
  await git("-C", "one", "push", "-q", url, "main");
  await git("-C", "two", "pull", "-q");
  assert.equal(await git("-C", "two", "rev-parse", "HEAD"), await git("-C", "one", "rev-parse", "HEAD"));
  assert.deepEqual(await recorded(host, user), [
    "git init -q --bare -b main project.git",
    "git-receive-pack 'project.git'",
    "git-upload-pack 'project.git'",
    "git-receive-pack 'project.git'",
    "git-upload-pack 'project.git'",
  ]);
}

async function playAnsible(host: TestHost, user: TestUser): Promise<void> {
  await makeFile(`${host.folder}/file`);
  // The connections are not kept open behind our back: the host must be able to go.
  const args = `-F ${host.folder}/ssh_config -o ControlMaster=no -o ControlPath=none`;
  const ansible = (...module: string[]) =>
    run(["ansible", "satest", "-i", "satest,", "-u", user.name, "--ssh-common-args", args, ...module], {
      env: {
        HOME: host.folder,
        ANSIBLE_NOCOLOR: "1",
        ANSIBLE_SSH_ARGS: "",
        ANSIBLE_PYTHON_INTERPRETER: "/usr/bin/python3",
      },
    });
  const ping = await ansible("-m", "ping");
  assert.equal(ping.code, 0, ping.text + ping.errors);
  assert.match(ping.text, /"ping": "pong"/);
  const command = await ansible("-m", "command", "-a", "sh -c 'echo out; exit 3'");
  assert.match(command.text, /rc=3 >>\nout/);
  const copy = await ansible("-m", "copy", "-a", `src=${host.folder}/file dest=~/copied mode=0640`);
  assert.equal(copy.code, 0, copy.text + copy.errors);
  assert.deepEqual(await Deno.readFile(`${user.files}/copied`), await Deno.readFile(`${host.folder}/file`));
  // The command module itself ends by 1 where its command failed.
  const commands = await recorded(host, user, (text) => /python3 .*AnsiballZ_command/.test(text) ? 1 : 0);
  assert.ok(commands.some((text) => text?.includes("AnsiballZ_ping.py")));
}
