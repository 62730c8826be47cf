/**
 * Whom srvAudit itself gave a plain shell again (`uninstall`, `rescue`, what nobody confirmed), for the agent: what leaves
 * `hello` in passwd otherwise is somebody else's doing.
 *
 * JSON lines, root's alone, in `/var/lib/srvaudit/given-shells`. Lines are only ever added: an agent that did not run then
 * reads them at its next start.
 */

/** One time. */
export interface GivenShells {
  /** When, in microseconds since 1970: before passwd was changed. */
  atUs: number;
  /** Which program of ours, and for whom where somebody was named: `rescue`, `rescue alice`. */
  by: string;
  /** The shells by name, as passwd has them. */
  shells: Readonly<Record<string, string>>;
}

/** @param state `/var/lib/srvaudit` */
function fileIn(state: string): string {
  return `${state}/given-shells`;
}

/**
 * Puts it on record, where there is evidence that it will go into. What keeps it from being written keeps nobody from her
 * shell: the agent then says only that her shell has changed.
 *
 * @param state `/var/lib/srvaudit`
 */
export function addGivenShells(state: string, given: GivenShells): void {
  try {
    Deno.lstatSync(`${state}/evidence.db`);
    // After a line that a full disk has cut short.
    Deno.writeTextFileSync(fileIn(state), `\n${JSON.stringify(given)}\n`, { append: true, mode: 0o600 });
  } catch {
    // No agent ever ran here, or the disk is full, or read-only.
  }
}

/**
 * @param state `/var/lib/srvaudit`
 * @returns all that can be read of it, in its order
 */
export function readGivenShells(state: string): GivenShells[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(fileIn(state));
  } catch {
    // Nobody was ever given any; or the disk fails, and what is said then is only that a shell has changed.
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const found = givenIn(line);
    return found ? [found] : [];
  });
}

function givenIn(line: string): GivenShells | undefined {
  try {
    const { atUs, by, shells } = JSON.parse(line);
    const isOne = typeof atUs === "number" && typeof by === "string" && typeof shells === "object" &&
      shells !== null;
    return isOne ? { atUs, by, shells } : undefined;
  } catch {
    // An empty line, or one that was cut short.
    return undefined;
  }
}
