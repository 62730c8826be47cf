import assert from "node:assert/strict";
import { type TriedUser, TryOutError } from "../../src/install/try_out.ts";
import { tryOutAll } from "../../src/install/try_out_all.ts";

/** Tries out, with some whom it fails for. @returns who is left out, or why nobody gets it; and whom it was tried out as */
async function outcome(
  users: readonly TriedUser[],
  sick: readonly string[],
  areNamed = false,
  step?: "user",
) {
  const tried: string[] = [];
  const tryOut = ({ name }: TriedUser) => {
    tried.push(name);
    return sick.includes(name)
      ? Promise.reject(step ? new TryOutError(name, step, "expired") : new Error(`${name} fails`))
      : Promise.resolve();
  };
  try {
    return { tried, left: (await tryOutAll(users, tryOut, areNamed)).map(({ name }) => name) };
  } catch (error) {
    return { tried, error: String(error) };
  }
}

function usersOf(shell: string, count: number): TriedUser[] {
  return Array.from({ length: count }, (_, i) => ({ name: `${shell}${i}`, shell: `/bin/${shell}` }));
}

Deno.test("of fifty users a sick one is left out, and keeps nobody else from hello", async () => {
  const users = [...usersOf("bash", 49), { name: "zoe", shell: "/bin/zsh" }];
  const { left, tried } = await outcome(users, ["bash7"]);
  assert.deepEqual(left, ["bash7"]);
  // Another in her place.
  assert.equal(tried.length, 21);
  assert.ok(tried.includes("zoe"));
});

Deno.test("where nobody with a shell passes, nobody with it gets hello, and others do", async () => {
  const users = [...usersOf("bash", 30), ...usersOf("zsh", 2)];
  const { left, tried } = await outcome(users, ["zsh0", "zsh1"]);
  assert.deepEqual(left, ["zsh0", "zsh1"]);
  assert.ok(tried.includes("zsh1"));
  // One who fails is not the word on all who have her shell.
  assert.deepEqual((await outcome(users, ["zsh0"])).left, ["zsh0"]);
});

Deno.test("one who was named and is sick ends it, and so do too many, and all", async () => {
  const users = usersOf("bash", 50);
  assert.match((await outcome(users, ["bash1"], true)).error ?? "", /bash1 fails/);
  const nobody = await outcome(users, users.map(({ name }) => name));
  assert.match(nobody.error ?? "", /for 3 of the 3 whom/);
  const many = await outcome(users, users.slice(1).map(({ name }) => name));
  assert.match(many.error ?? "", /for 10 of the 11 whom/);
  assert.match((await outcome(usersOf("bash", 1), ["bash0"])).error ?? "", /for 1 of the 1 whom/);
});

Deno.test("with everybody well nobody is left out", async () => {
  assert.deepEqual(await outcome(usersOf("bash", 2), []), { tried: ["bash0", "bash1"], left: [] });
});

Deno.test("accounts that have expired, however many, keep nobody else from hello", async () => {
  const users = usersOf("bash", 50);
  const expired = users.slice(0, 40).map(({ name }) => name);
  const { left, tried } = await outcome(users, expired, false, "user");
  assert.deepEqual(left, expired);
  assert.equal(tried.length, 50);
  const thousand = usersOf("bash", 1000);
  const nobody = await outcome(thousand, thousand.map(({ name }) => name), false, "user");
  assert.equal(nobody.tried.length, 200);
  assert.match(nobody.error ?? "", /for 200 of the 200 whom/);
});
