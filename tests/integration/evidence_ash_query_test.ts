import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { NewEvent } from "../../src/evidence/event.ts";
import { EvidenceStore } from "../../src/evidence/store.ts";
import { closed, command, EvidenceFolder, opened, shellStarted, T0 } from "../support/evidence_events.ts";
import { run } from "../support/run.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const FIXTURES = `${ROOT}tests/fixtures/ash`;

/** Asks the evidence as root does. */
async function ask(place: EvidenceFolder, args: readonly string[], env: Record<string, string> = {}) {
  const { code, text, errors, stdout } = await run([`${ROOT}dist/ash_query`, "-d", place.file, ...args], {
    cwd: place.folder,
    env: { HOME: place.folder, SRVAUDIT_ROOT: place.folder, TZ: "UTC", ...env },
  });
  assert.equal(code, 0, errors);
  assert.equal(errors, "");
  return { text, stdout };
}

async function rows(place: EvidenceFolder, args: readonly string[], env: Record<string, string> = {}) {
  const found: Record<string, unknown>[] = JSON.parse((await ask(place, [...args, "-f", "json"], env)).text);
  return found;
}

/** ASH's database of examples as events. The commands come first, so that their numbers are those of the examples. */
function takeExamplesIn(store: EvidenceStore): void {
  const ash = new DatabaseSync(":memory:");
  ash.exec(Deno.readTextFileSync(`${FIXTURES}/history.sql`));
  const sessions = ash.prepare("select * from sessions order by id").all();
  const commands = ash.prepare("select * from commands order by id").all();
  ash.close();
  const us = (seconds: unknown) => Number(seconds) * 1_000_000;
  store.transaction(() => {
    for (const row of commands) {
      const event = command(String(row.command), {
        shell: commands.length + Number(row.session_id),
        number: Number(row.command_no),
        atUs: us(row.start_time),
        directory: String(row.cwd),
        end: {
          endUs: us(row.end_time),
          exitCode: Number(row.rval),
          pipeStates: String(row.pipe_vals).split("_").map(Number),
        },
      });
      store.append({ ...event, uid: Number(row.euid) }, T0);
    }
    for (const row of sessions) {
      const data = { user: row.logname, host: row.hostname, shell: row.shell, pid: row.pid, tty: row.tty };
      const event: NewEvent = shellStarted(null, data, us(row.start_time));
      store.append({ ...event, uid: Number(row.uid) }, T0);
    }
  });
}

Deno.test("ash_query answers from evidence as ASH does from its history, byte for byte", async () => {
  using place = new EvidenceFolder();
  {
    using store = new EvidenceStore(place.file);
    takeExamplesIn(store);
  }
  const names = [...Deno.readDirSync(`${FIXTURES}/expected`)].map(({ name }) => name)
    .filter((name) => name !== "list-queries.txt");
  assert.equal(names.length, 15);
  const env = { ASH_SESSION_ID: "14", ASH_CFG_SYSTEM_QUERY_FILE: `${FIXTURES}/queries` };
  for (const name of names) {
    const [query = "", format = ""] = name.split(".");
    const { stdout } = await ask(
      place,
      ["-q", query === "SESSION-2" ? "SESSION" : query, `-f${format}`],
      env,
    );
    assert.deepEqual(stdout, Deno.readFileSync(`${FIXTURES}/expected/${name}`), name);
  }
});

Deno.test("the queries that are shipped, and the filters, run on evidence while the agent writes it", async () => {
  using place = new EvidenceFolder();
  using store = new EvidenceStore(place.file);
  store.transaction(() => {
    const session = store.append(opened("a"), T0);
    const shell = store.append(shellStarted(session), T0);
    const add = (text: string, spec: Parameters<typeof command>[1]) =>
      store.append(command(text, { session, shell, ...spec }), T0);
    add("make", { number: 1, directory: "/srv/app" });
    const end = { endUs: T0 + 9_000_000, exitCode: 2, pipeStates: [0, 2] };
    add("make test | tee log", { number: 2, directory: "/srv/app/tests", ticket: "OPS-18", end });
    store.append(closed(session), T0);
  });
  // Its lock, as long as it writes.
  store.database.exec("begin immediate");
  const whats = async (args: readonly string[], env: Record<string, string> = {}) =>
    (await rows(place, args, env)).map((row) => row.what);
  for (const name of ["DEMO", "TODAY", "SESSIONS"]) await ask(place, ["-q", name]);
  assert.deepEqual(await whats(["-q", "FAILED"]), ["make test | tee log"]);
  assert.deepEqual(await whats(["-q", "SLOW"]), ["make test | tee log"]);
  assert.deepEqual(await whats(["-q", "ME"], { ASH_SESSION_ID: "2" }), ["make", "make test | tee log"]);
  assert.deepEqual(await whats(["-q", "TICKET"], { SRVAUDIT_TICKET: "OPS-17" }), ["make"]);
  assert.deepEqual(await whats(["--ticket", "OPS-18"]), ["make test | tee log"]);
  assert.deepEqual(await whats(["--failed"]), ["make test | tee log"]);
  assert.deepEqual(await whats(["--cwd", "/srv/app/tests"]), ["make test | tee log"]);
  assert.deepEqual(await whats(["--cwd", "/srv/app"]), ["make", "make test | tee log"]);
  assert.deepEqual(await whats(["--since", "2023-11-14", "--limit", "1"]), ["make test | tee log"]);
  const [shell] = await rows(place, ["-q", "SESSIONS"]);
  assert.deepEqual([shell?.session, shell?.who, shell?.commands], [2, "alice", 2]);
  store.database.exec("rollback");
});

Deno.test("ash_query finds the shell that it runs in by its process, in evidence too", async () => {
  using place = new EvidenceFolder();
  {
    using store = new EvidenceStore(place.file);
    const stat = Deno.readTextFileSync("/proc/self/stat");
    const startTicks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    const bootId = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
    store.transaction(() => {
      const shell = store.append(shellStarted(null, { pid: Deno.pid, startTicks, bootId }), T0);
      store.append(command("here", { shell }), T0);
      store.append(command("elsewhere", { shell: 99 }), T0);
    });
  }
  assert.deepEqual((await rows(place, ["-q", "ME"])).map((row) => row.what), ["here"]);
});

Deno.test("ash_query cannot change the evidence", async () => {
  using place = new EvidenceFolder();
  place.write((store) => store.append(opened("a"), T0));
  const { code, errors } = await run([
    `${ROOT}dist/ash_query`,
    "-d",
    place.file,
    "--sql",
    "delete from event",
  ], {
    env: { HOME: place.folder, SRVAUDIT_ROOT: place.folder },
  });
  assert.equal(code, 1);
  assert.match(errors, /read/);
  using store = new EvidenceStore(place.file);
  assert.equal(store.head().seq, 1);
});
