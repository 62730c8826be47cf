/**
 * The environment that the real shell gets.
 *
 * The kernel's own bytes are handed on, since a variable need not be UTF-8: what Deno.env would make of it is not what
 * /bin/bash would have had.
 */

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** What is to be set, or, where it is undefined, unset. */
export type Changes = Readonly<Record<string, string | undefined>>;

/**
 * @param changes variables to set or unset; all others stay byte for byte as they came
 * @returns the entries, each `NAME=value` and a NUL
 */
export function environmentWith(changes: Changes): Uint8Array<ArrayBuffer>[] {
  const entries: Uint8Array<ArrayBuffer>[] = [];
  const bytes = Deno.readFileSync("/proc/self/environ");
  for (let from = 0; from < bytes.length;) {
    const nul = bytes.indexOf(0, from);
    const end = nul < 0 ? bytes.length : nul;
    const entry = new Uint8Array(end - from + 1);
    entry.set(bytes.subarray(from, end));
    from = end + 1;
    const equals = entry.indexOf(0x3d);
    const name = decoder.decode(entry.subarray(0, equals < 0 ? entry.length - 1 : equals));
    if (!Object.hasOwn(changes, name)) entries.push(entry);
  }
  for (const [name, value] of Object.entries(changes)) {
    if (value !== undefined) entries.push(new Uint8Array(encoder.encode(`${name}=${value}\0`)));
  }
  return entries;
}

/** A variable as it came, or undefined. Never fails, whatever bytes it holds. */
export function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined;
  }
}

/** A variable, without control characters: whatever it holds, it must not look like a record's end. */
export function plainVariable(name: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what this is about
  return (variable(name) ?? "").replace(/[\x00-\x1f\x7f]/g, "");
}
