/** Packages can be made again by whoever doubts them. */

import assert from "node:assert/strict";
import { testThatNeeds } from "../support/needs.ts";
import {
  bringTools,
  copyOfProject,
  madePackage,
  makePackage,
  type PackageKind,
} from "../support/packages.ts";
import { run, succeed } from "../support/run.ts";

testThatNeeds(
  ["dh", "rpmbuild"],
  "the same sources give the same packages, byte for byte, in another folder and time zone, by another umask",
  async () => {
    const kinds: PackageKind[] = ["deb", "rpm"];
    const made = new Map<PackageKind, string>();
    for (const kind of kinds) made.set(kind, await madePackage(kind));
    await using copy = await copyOfProject();
    await bringTools(copy);
    for (const [kind, here] of made) {
      const there = await makePackage(kind, copy.path, {
        env: { TZ: "Asia/Tokyo" },
        umask: "077",
      });
      const [sum, again] = (await succeed(["sha256sum", here, there])).split("\n").map((line) =>
        line.slice(0, 64)
      );
      // While somebody is at work on the sources nothing can be said.
      if (await copy.isCurrent()) assert.equal(again, sum, `${here} and ${there} differ`);
    }
  },
);

testThatNeeds(["dh"], "a version that the changelog knows nothing of is not packed", async () => {
  await using copy = await copyOfProject();
  const config = await Deno.readTextFile(`${copy.path}deno.json`);
  await Deno.writeTextFile(
    `${copy.path}deno.json`,
    config.replace(/"version": "[^"]*"/, '"version": "9.9.9"'),
  );
  for (const script of ["deb.sh", "rpm.sh"]) {
    const { code, errors } = await run([`${copy.path}packaging/${script}`, "dist/copyright", copy.path, "0"]);
    assert.equal(code, 1);
    assert.match(
      errors,
      /^version\.sh: deno\.json says version "9\.9\.9", and packaging\/changelog begins with "[^"]*": write an entry/,
    );
  }
});
