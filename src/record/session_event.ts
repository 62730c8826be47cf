import type { SessionEvent } from "./event.ts";

/**
 * Whether a value that came from outside (the JSON of an `event` record) has all that its kind of event must have.
 *
 * Written by hand: a schema library is too slow to load on the way from a login to its shell.
 */
export function isSessionEvent(value: unknown): value is SessionEvent {
  if (typeof value !== "object" || value === null) return false;
  const event: Partial<Record<string, unknown>> = { ...value };
  const isText = (...names: string[]) => names.every((name) => typeof event[name] === "string");
  const isTextOrNull = (...names: string[]) => names.every((name) => event[name] === null || isText(name));
  const isWhole = (...names: string[]) => names.every((name) => Number.isSafeInteger(event[name]));
  if (!isText("session") || !isWhole("atUs")) return false;
  switch (event.kind) {
    case "session opened":
      return isText("user", "host", "tty", "from", "shell", "bootId") && isTextOrNull("ticket") &&
        isWhole("uid", "leaderPid", "leaderStartTicks") &&
        (event.mode === "interactive" || event.mode === "command") &&
        ["command", "wanted", "emergency"].every((name) => event[name] === undefined || isText(name)) &&
        ["unverified", "exempt"].every((name) => event[name] === undefined || event[name] === true);
    case "ticket switched":
      return isTextOrNull("from") && isText("to");
    case "note":
      return isText("ticket", "text") && (event.told === undefined || event.told === true);
    case "status":
      return isText("ticket", "from", "to");
    case "session closed":
      return ["logout", "hangup", "killed", "idle", "unknown"].some((how) => how === event.how) &&
        (event.exitCode === undefined || isWhole("exitCode"));
    default:
      return false;
  }
}
