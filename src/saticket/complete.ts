import type { Desk } from "../desk/desk.ts";
import { choiceOf, defaultOf } from "../desk/ticket_form.ts";
import { visible } from "../terminal/visible.ts";
import type { Choice } from "../trackers/tracker.ts";
import { myDesk } from "./my_desk.ts";

/** More than these nobody chooses from with the Tab key. */
const MOST = 200;
/** What a completion may put on somebody's command line as it is. bash even expands what it is offered. */
const HARMLESS = /^[\p{L}\p{N}][\p{L}\p{N}._:@%+,-]*$/u;

/**
 * What the shells' completions ask: a word, a tab and what it means, a line. `tickets`: the open ones; `statuses`, with
 * a KEY or for the session's ticket: those that it may go to; `projects`, and `trackers`, with a PROJECT or for the default
 * one: what a new ticket may be made with. All as words without blanks, which nobody has to quote: those that would not do
 * are left out. Prints nothing where there is nothing.
 */
export async function complete(args: readonly string[]): Promise<void> {
  const [what, named] = args;
  // Whoever presses Tab is in the middle of a line.
  using desk = await myDesk(() => {});
  const lines = (await offers(desk, what, named || undefined)).filter(({ word }) => HARMLESS.test(word))
    .slice(0, MOST).map(({ word, meaning }) => `${word}\t${visible(meaning)}`);
  if (lines.length > 0) console.log(lines.join("\n"));
}

interface Offer {
  word: string;
  meaning: string;
}

async function offers(desk: Desk, what: string | undefined, named: string | undefined): Promise<Offer[]> {
  switch (what) {
    case "tickets":
      return (await desk.search("", MOST)).map(({ key, subject }) => ({ word: key, meaning: subject }));
    case "statuses": {
      const key = named ?? (await desk.session())?.ticket;
      const statuses = key && await desk.find(key) ? await desk.nextStatuses(key) : [];
      return statuses.map((status) => ({ word: wordFor(status), meaning: status }));
    }
    case "projects":
      return (await choicesFor(desk, "project", undefined)).map(offerOf);
    case "trackers":
      return (await choicesFor(desk, "tracker", named)).map(offerOf);
    default:
      return [];
  }
}

/** What a new ticket is asked for by that name. Without a subject none is made. */
async function choicesFor(desk: Desk, name: "project" | "tracker", project?: string): Promise<Choice[]> {
  const created = await desk.create({});
  if ("ticket" in created) return [];
  const projects = created.questions.find((question) => question.name === "project");
  const asked = created.questions.find((question) => question.name === name);
  if (asked || !projects?.choices) return asked?.choices ?? [];
  const typed = project ?? defaultOf(projects);
  const chosen = typed === undefined ? undefined : choiceOf(projects.choices, typed);
  const further = chosen && await desk.create({ project: chosen.value });
  if (!further || "ticket" in further) return [];
  return further.questions.find((question) => question.name === name)?.choices ?? [];
}

function offerOf({ label }: Choice): Offer {
  return { word: wordFor(label), meaning: label };
}

/** One word for a name: what reads it takes `-` for a blank. */
function wordFor(name: string): string {
  return name.trim().toLowerCase().replace(/\s+/g, "-");
}
