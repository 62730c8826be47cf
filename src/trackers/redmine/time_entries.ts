/** Logs the time that was spent on a ticket. */

import { HttpStatusError } from "../../net/http.ts";
import { TicketRefusedError, type TimeSpent } from "../tracker.ts";
import { existingIssue } from "./issues.ts";
import type { Redmine } from "./redmine.ts";
import { type Issue, ONE_PROJECT, TIME_ENTRIES } from "./replies.ts";
import { type Actor, OWN_ACCOUNT } from "./server.ts";

/** Redmine keeps hundredths of an hour. */
const HUNDREDTH = 0.01;
/** Redmine takes no longer comments. */
const MOST_COMMENT = 1024;
const PAGE = 100;

/**
 * Logs it as the person, where she is known and may log time, and else as srvAudit's own account; once, by its mark.
 *
 * @throws {TicketNotFoundError} @throws {TicketRefusedError}
 */
export async function logTime(
  redmine: Redmine,
  key: string,
  time: TimeSpent,
  signal: AbortSignal,
): Promise<void> {
  const issue = await existingIssue(redmine, key, { actor: OWN_ACCOUNT, signal });
  const spentOn = dateOf(time.startUs);
  if (await isLogged(redmine, { key, mark: time.mark, spentOn, signal })) return;
  const entry = {
    issue_id: issue.id,
    spent_on: spentOn,
    hours: Math.max(HUNDREDTH, Math.round(time.seconds / 36) / 100),
    comments: [...time.comment].slice(0, MOST_COMMENT).join(""),
    activity_id: await activityOf(redmine, issue, signal),
  };
  const log = (actor: Actor) =>
    redmine.server.nothing({
      method: "POST",
      path: "/time_entries.json",
      body: { time_entry: entry },
      signal,
    }, actor);
  try {
    await redmine.people.as({ person: time.person, signal }, log);
  } catch (error) {
    // She may not, or not work there at all.
    if (!isRefused(error)) throw error;
    await log(OWN_ACCOUNT).catch((second: unknown) => {
      if (!isRefused(second)) throw second;
      const why = second instanceof TicketRefusedError
        ? second.message
        : "its account may not log time there";
      throw new TicketRefusedError(
        `no time is logged on ticket ${key}: ${why}: see redmineActivity, logTime`,
      );
    });
  }
}

async function isLogged(
  { server }: Redmine,
  { key, mark, spentOn, signal }: { key: string; mark: string; spentOn: string; signal: AbortSignal },
): Promise<boolean> {
  for (let offset = 0;; offset += PAGE) {
    const query = { issue_id: key, spent_on: spentOn, limit: PAGE, offset };
    const reply = await server.jsonIfThere(
      { method: "GET", path: "/time_entries.json", query, signal },
      TIME_ENTRIES,
    );
    const entries = reply?.time_entries ?? [];
    if (entries.some(({ comments }) => comments?.includes(mark))) return true;
    if (entries.length < PAGE) return false;
  }
}

/** @returns undefined for the server's default one */
async function activityOf(
  { server, settings }: Redmine,
  issue: Issue,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (settings.activity === "") return undefined;
  const query = { include: "time_entry_activities" };
  const path = `/projects/${issue.project.id}.json`;
  const { project } = await server.json({ method: "GET", path, query, signal }, ONE_PROJECT);
  const activities = project.time_entry_activities ?? [];
  const found = activities.find(({ name }) => name.toLowerCase() === settings.activity.toLowerCase());
  if (found) return found.id;
  const names = activities.map(({ name }) => name).join(", ");
  throw new TicketRefusedError(
    `project ${project.name} has no activity ${settings.activity} (${names}): see redmineActivity`,
  );
}

/** The host's own date at that moment. */
function dateOf(us: number): string {
  const date = new Date(us / 1000);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function isRefused(error: unknown): boolean {
  return error instanceof TicketRefusedError || error instanceof HttpStatusError;
}
