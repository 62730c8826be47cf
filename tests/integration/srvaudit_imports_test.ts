import assert from "node:assert/strict";
import { succeed } from "../support/run.ts";

interface Graph {
  roots: string[];
  modules: {
    specifier: string;
    dependencies?: { isDynamic?: boolean; code?: { specifier?: string } }[];
  }[];
}

/** What a file loads before anything of it runs. */
async function loads(file: string): Promise<string[]> {
  const url = new URL(`../../src/${file}`, import.meta.url).href;
  const env = Object.fromEntries(["DENO_DIR", "HOME"].map((name) => [name, Deno.env.get(name) ?? ""]));
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const graph: Graph = JSON.parse(
    await succeed([Deno.execPath(), "info", "--json", "--config", config, url], { env }),
  );
  const modules = new Map(graph.modules.map((module) => [module.specifier, module]));
  const seen = new Set<string>();
  const visit = (specifier: string) => {
    if (seen.has(specifier)) return;
    seen.add(specifier);
    for (const { isDynamic, code } of modules.get(specifier)?.dependencies ?? []) {
      if (!isDynamic && code?.specifier !== undefined) visit(code.specifier);
    }
  };
  graph.roots.forEach(visit);
  return [...seen];
}

Deno.test("nothing on the way from a login to its shell loads a heavy library, or SQLite", async () => {
  for (
    const file of [
      "hello/hello.ts",
      "hello/open_for_person.ts",
      "hello/ticket_dialogue.ts",
      "desk/host_desk.ts",
    ]
  ) {
    const heavy = (await loads(file)).filter((specifier) =>
      /@optique|zod|logtape|string-width|sqlite|trackers\/local\.ts/.test(specifier)
    );
    assert.deepEqual(heavy, [], file);
  }
});

Deno.test("what starts at every login, or stays for long, loads no library that reads a command line", async () => {
  for (const file of ["srvaudit/srvaudit.ts", "srvaudit/ingest.ts", "srvaudit/attach.ts", "agent/agent.ts"]) {
    const heavy = (await loads(file)).filter((specifier) => specifier.includes("@optique"));
    assert.deepEqual(heavy, [], file);
  }
  const light = (await loads("srvaudit/srvaudit.ts")).filter((specifier) =>
    /zod|logtape|sqlite/.test(specifier)
  );
  assert.deepEqual(light, []);
  assert.ok((await loads("srvaudit/arguments.ts")).some((specifier) => specifier.includes("@optique")));
});

Deno.test("the installer is loaded by who installs alone, and what waits to put all back goes without a command line's library", async () => {
  for (
    const file of [
      "main.ts",
      "hello/hello.ts",
      "hello/open_for_person.ts",
      "hello/open_for_command.ts",
      "saticket/saticket.ts",
      "ash_query/ash_query.ts",
      "agent/agent.ts",
      "srvaudit/srvaudit.ts",
    ]
  ) {
    const installers = (await loads(file)).filter((specifier) => specifier.includes("/src/install/"));
    assert.deepEqual(installers, [], file);
  }
  const guardian = await loads("install/put_back.ts");
  assert.deepEqual(guardian.filter((specifier) => specifier.includes("@optique")), []);
  assert.ok(guardian.some((specifier) => specifier.endsWith("/src/install/undo.ts")), "it is loaded before");
});
