/**
 * Tests that cannot run everywhere: they skip themselves by name and say what they would need.
 */

/** What a test may need: root, or a program by its name. */
export type Need = "root" | (string & Record<never, never>);

/**
 * Registers a test that needs root, or programs that not every machine has. Where they are missing it is skipped,
 * with the reason in its name.
 *
 * @example
 * ```ts
 * testThatNeeds(["root", "zsh"], "a user whose shell is zsh can log in", async () => {});
 * ```
 */
export function testThatNeeds(needs: readonly Need[], name: string, fn: () => Promise<void> | void): void {
  const missing = needs.filter((need) => need === "root" ? Deno.uid() !== 0 : !findProgram(need));
  if (missing.length === 0) Deno.test(name, fn);
  else Deno.test({ name: `${name} [needs ${missing.join(", ")}]`, ignore: true, fn });
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
