/**
 * Tests that cannot run everywhere: they skip themselves by name and say what they would need.
 */

/** What makes ready, once, what takes a minute or two; exit code 77: it cannot be had here. */
const MAKERS: Readonly<Record<string, string>> = {
  Redmine: new URL("redmine/start.sh", import.meta.url).pathname,
  "the tester": new URL("../../packaging/tester/tester.sh", import.meta.url).pathname,
  "systemd": new URL("systemd_host.sh", import.meta.url).pathname,
};

/**
 * What a test may need: root, a Redmine (see redmine.ts), what `make tester` starts, a systemd that can be booted (see
 * systemd_host.ts), or a program by its name.
 */
export type Need = "root" | "Redmine" | "the tester" | (string & Record<never, never>);

/**
 * Registers a test that needs root, or programs that not every machine has. Where they are missing it is skipped,
 * with the reason in its name.
 *
 * @example
 * ```ts
 * testThatNeeds(["root", "zsh"], "a user whose shell is zsh can log in", async () => {});
 * ```
 */
export function testThatNeeds(
  needs: readonly Need[],
  name: string,
  fn: (test: Deno.TestContext) => Promise<void> | void,
): void {
  const missing = needs.filter((need) => !isThere(need));
  if (missing.length === 0) Deno.test(name, fn);
  else Deno.test({ name: `${name} [needs ${missing.join(", ")}]`, ignore: true, fn });
}

/** Whether the machine has it. */
export function isThere(need: Need): boolean {
  if (need === "root") return Deno.uid() === 0;
  const maker = MAKERS[need];
  return maker === undefined ? findProgram(need) !== undefined : canBeMade(maker);
}

/** Makes it ready to be started, where that was not done before. */
function canBeMade(maker: string): boolean {
  const { code, stderr } = new Deno.Command(maker, { args: ["-n"], stderr: "piped" }).outputSync();
  // Any other failure is one of ours: the test is to run into it and show it.
  if (code === 77) console.error(new TextDecoder().decode(stderr).trimEnd());
  return code !== 77;
}

/** @returns the program's path, or undefined if there is none by that name */
export function findProgram(name: string): string | undefined {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/usr/local/sbin", "/sbin"];
  return folders.filter((folder) => folder.startsWith("/")).map((folder) => `${folder}/${name}`).find(
    (path) => {
      try {
        return ((Deno.statSync(path).mode ?? 0) & 0o111) !== 0;
      } catch {
        return false;
      }
    },
  );
}
