/** How long an answer is taken for true: the agent runs for months, and may be there before the network is. */
const FRESH_MS = 60_000;

let known: { text: string; atMs: number } | undefined;

/** @returns the machine's own addresses, parted by blanks, as ASH has them */
export function hostAddresses(): string {
  const nowMs = performance.now();
  if (known === undefined || nowMs - known.atMs >= FRESH_MS) {
    const others = Deno.networkInterfaces().filter(({ name }) => name !== "lo");
    known = { text: others.map(({ address }) => address).join(" "), atMs: nowMs };
  }
  return known.text;
}
