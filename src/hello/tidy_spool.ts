import type { Paths } from "../config/paths.ts";

/** Two files a session: so many may wait before they are taken in, and again each time so many more have come. */
const WAITING = 128;

/**
 * Has the history take in what waits in the spool, where much does. For an account that only automation uses, nobody else
 * comes and does so. It goes on in the background, under a shell that ends at once: it is nobody's child who would wait.
 *
 * @param places whose `spool` is looked at
 */
export function tidySpool(places: Paths): void {
  let waiting = 0;
  try {
    for (const _ of Deno.readDirSync(places.spool)) waiting++;
  } catch {
    // The agent has made the files, and this user has no home to speak of them in.
    return;
  }
  if (waiting < WAITING || waiting % (WAITING / 2) > 1) return;
  new Deno.Command("/bin/sh", {
    args: ["-c", '"$1" ingest --linger 1 &', "sh", `${places.program}/srvaudit`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync();
}
