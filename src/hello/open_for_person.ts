import type { Desk, OpenedSession } from "../desk/desk.ts";
import { isExempt, mayBreakGlass } from "../desk/standing.ts";
import { terminalOf } from "../posix/process.ts";
import { tell } from "../terminal/ask.ts";
import { visible } from "../terminal/visible.ts";
import { type Arrival, become, enter, openDeskFor, openSession } from "./arrival.ts";
import { recordedText } from "./invocation.ts";
import { Outage } from "./outage.ts";
import { recordCommand } from "./record_command.ts";
import { RefusalError } from "./refusal.ts";
import type { Choice } from "./ticket_dialogue.ts";

const BANNER = "This session is recorded, and belongs to a ticket (srvAudit).\n";
const BANNER_FOR_EXEMPT = "This session is recorded (srvAudit).\n";

/**
 * With somebody to ask: a ticket, then the shell. Within a session that is open already nothing is asked.
 *
 * @throws {RefusalError} by policy
 * @throws {NoTicketError} {SilenceError} as `askForTicket`
 * @throws {Error} if the session cannot be opened
 */
export async function openForPerson(arrival: Arrival): Promise<never> {
  const { policy } = arrival.policy;
  const outage = new Outage(policy);
  using desk = await openDeskFor(arrival, outage);
  let refusal: RefusalError | undefined;
  try {
    const session = await desk.session();
    if (session) becomeRecorded(arrival, await enter(desk, session.id));
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    refusal = error;
  }
  const exempt = isExempt(policy);
  if (policy.showBanner) tell(exempt ? BANNER_FOR_EXEMPT : BANNER);
  const choice = exempt && !refusal ? { ticket: null } : await choose(arrival, desk, outage, refusal);
  if (choice.emergency !== undefined) outage.isWaived = true;
  const { command } = arrival.login.invocation;
  const session = await openSession(arrival, desk, outage, {
    ...choice,
    mode: "interactive",
    tty: terminalOf(0) ?? "",
    ...(command === undefined ? {} : { command }),
  });
  return becomeRecorded(arrival, session);
}

/** Asks. Where the policy refuses everybody, those of the break-glass group are asked for that alone. */
async function choose(
  { policy: { policy } }: Arrival,
  desk: Desk,
  outage: Outage,
  refusal: RefusalError | undefined,
): Promise<Choice> {
  const { askForEmergency, askForTicket } = await import("./ticket_dialogue.ts");
  try {
    if (refusal) throw refusal;
    return await askForTicket(desk, {
      ticketPattern: policy.ticketPattern,
      mayBreakGlass: () => mayBreakGlass(policy),
      outage,
    });
  } catch (error) {
    if (!(error instanceof RefusalError) || !mayBreakGlass(policy)) throw error;
    tell(`srvaudit: ${visible(error.message)}\n`);
    return askForEmergency();
  }
}

function becomeRecorded({ login, places, shell }: Arrival, session: OpenedSession): never {
  const text = recordedText(login.invocation);
  const recording = { paths: places, session: session.id };
  // The end of the one command goes where its beginning is.
  if (text !== undefined) {
    become(login, shell, { ...recording, commandFile: recordCommand(places, session, shell, text) });
  }
  const { spoolFile } = session;
  become(login, shell, { ...recording, ...(spoolFile === null ? {} : { spoolFile }) });
}
