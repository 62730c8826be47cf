/** How an event stands on a line for people. */

import type { ReadEvent } from "../evidence/reading.ts";
import { lengthOfTime, localTime } from "../terminal/moments.ts";
import { visible } from "../terminal/visible.ts";

/** Whether a line is to be noticed: an emergency, or something that was tampered with. */
export interface EventLine {
  text: string;
  isAlarm: boolean;
}

/**
 * One line: time, user, ticket, and what happened.
 *
 * @param nameOf the user's name by the number, for what belongs to no session
 */
export function eventLine(event: ReadEvent, nameOf: (uid: number) => string): EventLine {
  const { text, isAlarm = false } = says(event);
  const user = event.user ?? (event.uid === null ? "agent" : nameOf(event.uid));
  const head = [localTime(event.atUs).slice(11), user, ...(event.ticket === null ? [] : [event.ticket])];
  return { text: visible([...head, text].join(" ")), isAlarm };
}

function says(event: ReadEvent): { text: string; isAlarm?: boolean } {
  const { data } = event;
  const of = (name: string) => textOf(data[name]);
  switch (event.kind) {
    case "command":
      return { text: commandOf(event) + endOf(event, "[runs]") };
    case "command ended":
      return { text: `${commandOf(event)}${endOf(event, "[ended]")}` };
    case "session opened": {
      const from = of("from") === "" ? "" : ` from ${of("from")}`;
      const where = of("tty") === "" ? "" : ` on ${of("tty").replace(/^\/dev\//, "")}`;
      const what = of("mode") === "command" ? `ran: ${of("command")}` : "logged in";
      if (data.emergency === undefined) return { text: `* ${what}${from}${where}` };
      return {
        text: `! EMERGENCY: ${what}${from}${where} without a ticket: ${of("emergency")}`,
        isAlarm: true,
      };
    }
    case "ticket switched":
      return { text: `* went on to ${of("to")}${data.from === null ? "" : `, from ${of("from")}`}` };
    case "note":
      return { text: `* noted: ${of("text")}` };
    case "status":
      return { text: `* set the status: ${of("from")} to ${of("to")}` };
    case "session closed":
      return { text: `* ${closings[of("how")] ?? `session closed: ${of("how")}`}${exitOf(data.exitCode)}` };
    case "shell started":
      return { text: `* started a shell: ${of("shell")}` };
    case "shell ended":
      return { text: `* ended a shell${exitOf(data.exitCode)}` };
    case "tamper":
      return { text: `! TAMPER: ${details(data)}`, isAlarm: true };
    case "agent":
      return { text: `* agent: ${details(data)}` };
  }
}

const closings: Readonly<Partial<Record<string, string>>> = {
  logout: "logged out",
  hangup: "hung up",
  killed: "was gone without a word",
  idle: "was silent for too long and put out",
};

function commandOf({ directory, text, textState, effectiveUid }: ReadEvent): string {
  const prompt = effectiveUid === 0 ? "#" : "$";
  const line = text ?? "";
  if (textState === "missing") return `${directory} ${prompt} (a command whose text the shell does not give)`;
  return `${directory} ${prompt} ${line}${textState === "partial" ? " ..." : ""}`;
}

/** Nothing for a command that went well, within a second. */
function endOf({ exitCode, startUs, endUs, pipeStates }: ReadEvent, otherwise: string): string {
  if (exitCode === null) return ` ${otherwise}`;
  const states = pipeStates.length > 1 ? ` (${pipeStates.join("|")})` : "";
  const tookUs = startUs === null || endUs === null ? 0 : endUs - startUs;
  const parts = [
    ...(exitCode === 0 && !pipeStates.some((state) => state !== 0) ? [] : [`exit ${exitCode}${states}`]),
    ...(tookUs < 1e6 ? [] : [lengthOfTime(tookUs)]),
  ];
  return parts.length === 0 ? "" : `  [${parts.join(", ")}]`;
}

function exitOf(code: unknown): string {
  return typeof code === "number" && code !== 0 ? ` (exit ${code})` : "";
}

/** What happened first, then whatever else is known. */
function details({ what, ...rest }: Readonly<Record<string, unknown>>): string {
  const others = Object.entries(rest).filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${textOf(value)}`);
  return [textOf(what), ...others].join(" ");
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
