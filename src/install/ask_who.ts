/** Asks an admin whose logins shall begin with `hello`, and shows who that is. */

import { messageOf } from "../terminal/message_of.ts";
import type { Who } from "./answers.ts";
import { chooseForced } from "./choose_forced.ts";
import { type Interview, NothingChangedError } from "./interview.ts";
import { chooseUsers, type ChosenUsers } from "./people.ts";
import { groupIn, usersIn } from "./read_answers.ts";
import type { Target } from "./target.ts";

/** So many are named. */
const SHOWN = 12;

/**
 * @param given what was said before; only who that is is shown then
 * @param isForced whether sshd will force them, and passwd stays
 * @throws {NothingChangedError} if she ends it
 */
export async function askWho(
  interview: Interview,
  target: Target,
  given: Who | undefined,
  isForced: boolean,
): Promise<Who> {
  for (let who = given;; who = undefined) {
    const wanted = who ?? await askKind(interview, target);
    try {
      if (await isMeant(interview, target, wanted, { isForced, isAsked: who === undefined })) return wanted;
    } catch (error) {
      if (error instanceof NothingChangedError) throw error;
      interview.say(`FAILED: ${messageOf(error)}`);
    }
  }
}

async function askKind(interview: Interview, target: Target): Promise<Who> {
  const { users } = chooseUsers(target, { who: "all" });
  interview.say("\nWhose logins shall ask for a ticket?");
  const kind = await interview.choose<Who["who"]>("Who", [
    { value: "nobody", label: "nobody yet: their shells are recorded all the same" },
    { value: "users", label: "some users, by name" },
    { value: "group", label: "the members of a group" },
    { value: "all", label: `all people with bash or zsh: ${counted(users.map(({ name }) => name))}` },
  ], "nobody");
  switch (kind) {
    case "users":
      return { who: kind, names: await askUntilTaken(interview, "Users (ann, bob): ", usersIn) };
    case "group":
      return {
        who: kind,
        group: await askUntilTaken(interview, "Group: ", groupIn),
      };
    default:
      return { who: kind };
  }
}

async function askUntilTaken<Value>(interview: Interview, prompt: string, read: (text: string) => Value) {
  while (true) {
    const answer = await interview.ask(prompt);
    try {
      return read(answer);
    } catch (error) {
      interview.say(messageOf(error));
    }
  }
}

/** Shows who it would be; a person who was asked says whether it is them. */
async function isMeant(
  interview: Interview,
  target: Target,
  who: Who,
  { isForced, isAsked }: { isForced: boolean; isAsked: boolean },
): Promise<boolean> {
  if (who.who === "nobody") return true;
  if (isForced) {
    const forced = await chooseForced(target, who);
    tellLeft(interview, forced?.left ?? []);
    interview.say(`sshd will force hello on: ${forced?.match ?? "nobody"}`);
    return !isAsked || await interview.confirm("Is that right?", true);
  }
  const chosen = chooseUsers(target, who);
  tellLeft(interview, chosen.left);
  interview.say(`hello will be the login shell of ${counted(chosen.users.map(({ name }) => name))}`);
  if (hasRoot(chosen)) return await mayHaveRoot(interview);
  return !isAsked || await interview.confirm("Is that right?", true);
}

function mayHaveRoot(interview: Interview): Promise<boolean> {
  interview.say(
    "WARNING: root is among them. If hello ever fails, root cannot log in to mend it: keep another way in, " +
      "a console or a user with sudo whose shell stays.",
  );
  return interview.confirm("Change root's shell, too?", false);
}

function hasRoot({ users }: ChosenUsers): boolean {
  return users.some(({ uid }) => uid === 0);
}

function tellLeft(interview: Interview, left: ChosenUsers["left"]): void {
  for (const { name, why } of left.slice(0, SHOWN)) interview.say(`not ${name}: ${why}`);
  if (left.length > SHOWN) interview.say(`and ${left.length - SHOWN} more are left as they are`);
}

/** How many they are, and which. */
function counted(names: readonly string[]): string {
  if (names.length === 0) return "nobody";
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return `${names.length} (${names.slice(0, SHOWN).join(", ")}${more})`;
}
