import type { Desk, OpenedSession } from "../desk/desk.ts";
import { RefusedError } from "../desk/desk.ts";
import type { Opening } from "../desk/protocol.ts";
import { isExempt } from "../desk/standing.ts";
import { tell } from "../terminal/ask.ts";
import { visible } from "../terminal/visible.ts";
import { ticketKeyOf } from "../trackers/ticket_key.ts";
import { TicketRefusedError, TrackerUnavailableError } from "../trackers/tracker.ts";
import { type Arrival, become, enter, openDeskFor, openSession } from "./arrival.ts";
import { variable } from "./environment.ts";
import { recordedText } from "./invocation.ts";
import { Outage } from "./outage.ts";
import { recordCommand } from "./record_command.ts";
import { RefusalError } from "./refusal.ts";
import { tidySpool } from "./tidy_spool.ts";

/** Where whoever starts a command says which ticket it is for; sshd must let it through (AcceptEnv). */
const TICKET_VARIABLE = "SRVAUDIT_TICKET";

/**
 * Without anybody to ask: the command goes on record and runs, with the ticket that the environment names, as the policy
 * wants it.
 *
 * @throws {RefusalError} by policy
 * @throws {Error} if the session cannot be opened
 */
export async function openForCommand(arrival: Arrival): Promise<never> {
  const { login, places, shell } = arrival;
  const outage = new Outage(arrival.policy.policy);
  using desk = await openDeskFor(arrival, outage);
  const text = recordedText(login.invocation);
  const session = await admit(arrival, desk, outage, text);
  const { forcesInteractive } = login.invocation;
  // What `hello -i` reads is recorded line by line.
  const isByHooks = forcesInteractive && text === undefined;
  const command = isByHooks ? {} : { commandFile: recordCommand(places, session, shell, text) };
  tidySpool(places);
  const spoolFile = isByHooks && session.spoolFile !== null ? { spoolFile: session.spoolFile } : {};
  // On a terminal there may be shells within, whose hooks record what is typed there; and `-i` is such a shell itself.
  const forHooks = Deno.stdin.isTerminal() || forcesInteractive ? { session: session.id, ...spoolFile } : {};
  become(login, shell, { paths: places, ...command, ...forHooks });
}

/** The session that the command is in already, or a new one. */
async function admit(
  arrival: Arrival,
  desk: Desk,
  outage: Outage,
  text: string | undefined,
): Promise<OpenedSession> {
  const { policy } = arrival.policy;
  const session = await desk.session();
  const isFree = policy.nonInteractive === "record" || isExempt(policy);
  const needsTicket = !isFree && policy.nonInteractive === "require";
  if (session && (session.ticket !== null || !needsTicket)) return await enter(desk, session.id);
  if (!isFree && !needsTicket) {
    throw new RefusalError('this host runs no commands that nobody types (nonInteractive="deny")');
  }
  const { why, ...choice } = await offeredTicket(desk, outage, policy, needsTicket);
  if (choice.ticket === null && needsTicket) {
    throw new RefusalError(
      `a command that nobody types needs an open ticket here (nonInteractive="require"): ${why}: ` +
        `${TICKET_VARIABLE}=KEY ssh -o SendEnv=${TICKET_VARIABLE} ...`,
    );
  }
  if (session && choice.ticket !== null) {
    await desk.switchTo(choice.ticket);
    return await enter(desk, session.id);
  }
  if (choice.ticket === null && variable(TICKET_VARIABLE)) {
    tell(`srvaudit: ${visible(why ?? "")}: this session is recorded, without a ticket\n`);
  }
  return await openSession(arrival, desk, outage, {
    ...choice,
    mode: "command",
    tty: "",
    ...(text === undefined ? {} : { command: text }),
  });
}

/** The ticket that the environment names; without one, why not. */
async function offeredTicket(
  desk: Desk,
  outage: Outage,
  { ticketPattern, onTrackerOutage }: { ticketPattern: string; onTrackerOutage: "allow" | "deny" },
  isNeeded: boolean,
): Promise<Pick<Opening, "ticket" | "unverified"> & { why?: string }> {
  const offered = variable(TICKET_VARIABLE) ?? "";
  if (offered === "") return { ticket: null, why: `${TICKET_VARIABLE} is not set` };
  const none = (why: string) => ({ ticket: null, why: `${TICKET_VARIABLE}="${offered}": ${why}` });
  const key = ticketKeyOf(offered, ticketPattern);
  if (key === undefined) return none("that is no ticket's key");
  try {
    const ticket = await desk.find(key);
    if (outage.isBorne) return { ticket: key, unverified: true };
    if (ticket?.open) return { ticket: ticket.key };
    return none(ticket ? `that ticket is ${ticket.status}` : "there is no such ticket");
  } catch (error) {
    if (error instanceof RefusedError || error instanceof TicketRefusedError) return none(error.message);
    if (!(error instanceof TrackerUnavailableError)) throw error;
    // Nobody is refused for a ticket that she need not have named.
    if (!isNeeded && onTrackerOutage === "deny") return none(error.message);
    outage.bear(error);
    return { ticket: key, unverified: true };
  }
}
