import { visible } from "../terminal/visible.ts";
import { myDesk } from "./my_desk.ts";

/** More than these nobody chooses from with the Tab key. */
const MOST_TICKETS = 200;

/**
 * What the shells' completions ask: a word, a tab and what it means, a line. `tickets`: the open ones; `statuses`, with
 * a KEY or for the session's ticket: those that it may go to, as words without blanks, which nobody has to quote.
 * Prints nothing where there is nothing.
 */
export async function complete(args: readonly string[]): Promise<void> {
  const [what, named] = args;
  // Whoever presses Tab is in the middle of a line.
  using desk = await myDesk(() => {});
  let lines: string[] = [];
  if (what === "tickets") {
    const tickets = await desk.search("", MOST_TICKETS);
    lines = tickets.map(({ key, subject }) => `${visible(key)}\t${visible(subject)}`);
  } else if (what === "statuses") {
    const key = named || (await desk.session())?.ticket;
    const statuses = key && await desk.find(key) ? await desk.nextStatuses(key) : [];
    lines = statuses.map((status) => visible(status)).map((status) =>
      `${status.toLowerCase().replaceAll(" ", "-")}\t${status}`
    );
  }
  if (lines.length > 0) console.log(lines.join("\n"));
}
