/** Which issues a query means. */

import { textsOf } from "./adf.ts";
import { type Call, may, Refusal } from "./exchange.ts";
import { type Condition, type Operand, parseJql } from "./jql.ts";
import { textMatcher } from "./jql_text.ts";
import type { Issue, User } from "./world.ts";

type Matches = (issue: Issue) => boolean;

/**
 * @returns the issues that the caller may see and the query means; what is archived is not found
 * @throws {Refusal} 400, as Jira says it
 */
export function issuesMeantBy(call: Call, jql: string): Issue[] {
  const query = parseJql(jql);
  // https://developer.atlassian.com/changelog/#CHANGE-2046
  if (query.where === undefined && call.edition === "cloud") {
    throw new Refusal(400, [
      "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.",
    ]);
  }
  const matches = query.where === undefined ? () => true : matcherOf(call, query.where);
  for (const { field } of query.orderBy) if (!(field in ORDERS)) throw unknownField(field);
  const orderBy = query.orderBy.length > 0 ? query.orderBy : [{ field: "created", descending: true }];
  return call.world.issues
    .filter((issue) => isFindable(call, issue) && matches(issue))
    .sort((a, b) => {
      for (const { field, descending } of orderBy) {
        const order = ORDERS[field]?.(a, b) ?? 0;
        if (order !== 0) return descending ? -order : order;
      }
      return Number(b.id) - Number(a.id);
    });
}

const ORDERS: Record<string, (a: Issue, b: Issue) => number> = {
  created: (a, b) => a.created.getTime() - b.created.getTime(),
  updated: (a, b) => a.updated.getTime() - b.updated.getTime(),
  key: (a, b) => a.project.localeCompare(b.project) || numberIn(a.key) - numberIn(b.key),
  summary: (a, b) => a.summary.localeCompare(b.summary),
  status: (a, b) => a.status.localeCompare(b.status),
  assignee: (a, b) => (a.assignee ?? "").localeCompare(b.assignee ?? ""),
};

function numberIn(key: string): number {
  return Number(key.slice(key.lastIndexOf("-") + 1));
}

function isFindable(call: Call, issue: Issue): boolean {
  const project = call.world.projects.find((one) => one.key === issue.project);
  return project !== undefined && !project.archived && !issue.archived &&
    may(project, call.user, "BROWSE_PROJECTS");
}

function matcherOf(call: Call, condition: Condition): Matches {
  if (condition.kind === "not") {
    const inner = matcherOf(call, condition.one);
    return (issue) => !inner(issue);
  }
  if (condition.kind === "clause") return clauseMatcher(call, condition);
  const all = condition.all.map((one) => matcherOf(call, one));
  return condition.kind === "and"
    ? (issue) => all.every((one) => one(issue))
    : (issue) => all.some((one) => one(issue));
}

type Clause = Condition & { kind: "clause" };

function clauseMatcher(call: Call, clause: Clause): Matches {
  const field = ALIASES[clause.field] ?? clause.field;
  if (field in TEXTS) return ofText(field, clause);
  if (field in VALUES) return ofValue(call, field, clause);
  if (field === "created" || field === "updated") return ofDate(field, clause);
  throw unknownField(clause.field);
}

const ALIASES: Record<string, string> = { issue: "key", issuekey: "key", id: "key", type: "issuetype" };

const TEXTS: Record<string, (issue: Issue) => string> = {
  summary: (issue) => issue.summary,
  description: (issue) => plainText(issue.fields.description),
  comment: (issue) => issue.comments.map((comment) => plainText(comment.body)).join("\n"),
  text: (issue) => ["summary", "description", "comment"].map((name) => TEXTS[name]?.(issue)).join("\n"),
};

function plainText(body: unknown): string {
  return typeof body === "string" ? body : textsOf(body).join(" ");
}

function ofText(field: string, { operator, operands }: Clause): Matches {
  if (operator === "is" || operator === "is not") {
    return ofEmptiness(operator, operands, field, (issue) => TEXTS[field]?.(issue) === "");
  }
  if (operator !== "~" && operator !== "!~") throw wrongOperator(operator, field);
  const [operand] = operands;
  if (operand === undefined || !("text" in operand)) throw wrongOperator(operator, field);
  const has = textMatcher(field, operand.text);
  return (issue) => has(TEXTS[field]?.(issue) ?? "") === (operator === "~");
}

/** Fields with values of their own: which issues have the one that is meant, and whether there is such a value at all. */
const VALUES: Record<string, (call: Call, text: string) => Matches | undefined> = {
  project: (call, text) => {
    const project = call.world.projects.find((one) =>
      [one.key, one.name, one.id].some((name) => same(name, text)) && may(one, call.user, "BROWSE_PROJECTS")
    );
    return project && ((issue) => issue.project === project.key);
  },
  key: (call, text) => {
    const found = call.world.issues.find((one) => one.key === text.toUpperCase() || one.id === text);
    const project = call.world.projects.find((one) => one.key === found?.project);
    if (found === undefined || project === undefined || !may(project, call.user, "BROWSE_PROJECTS")) {
      throw new Refusal(400, [
        call.edition === "cloud"
          ? "Issue does not exist or you do not have permission to see it."
          : `An issue with key '${text}' does not exist for field 'key'.`,
      ]);
    }
    return (issue) => issue === found;
  },
  status: (call, text) => {
    const status = call.world.statuses.find((one) => same(one.name, text) || one.id === text);
    return status && ((issue) => issue.status === status.name);
  },
  statuscategory: (call, text) => {
    const category = {
      "to do": "new",
      "in progress": "indeterminate",
      done: "done",
      new: "new",
      indeterminate: "indeterminate",
    }[
      text.toLowerCase()
    ];
    if (category === undefined) return undefined;
    return (issue) => call.world.statuses.find((one) => one.name === issue.status)?.category === category;
  },
  assignee: (call, text) => {
    const user = userMeant(call, text);
    return user && ((issue) => issue.assignee === user.name);
  },
  reporter: (call, text) => {
    const user = userMeant(call, text);
    return user && ((issue) => issue.reporter === user.name);
  },
  resolution: (call, text) => {
    if (same(text, "unresolved")) return (issue) => issue.resolution === null;
    const resolution = call.world.resolutions.find((one) => same(one.name, text));
    return resolution && ((issue) => issue.resolution === resolution.name);
  },
  issuetype: (call, text) => {
    const known = call.world.projects.some((project) =>
      project.issueTypes.some((type) => same(type.name, text))
    );
    return known ? (issue) => same(issue.type, text) : undefined;
  },
};

/** Cloud has known users by their accountId alone since 2019, Server by name. */
function userMeant(call: Call, text: string): User | undefined {
  return call.world.users.find((user) =>
    call.edition === "cloud" ? user.accountId === text : same(user.name, text)
  );
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function ofValue(call: Call, field: string, { operator, operands }: Clause): Matches {
  const isEmpty = (issue: Issue) =>
    field === "assignee"
      ? issue.assignee === null
      : field === "resolution"
      ? issue.resolution === null
      : false;
  if (operator === "is" || operator === "is not") return ofEmptiness(operator, operands, field, isEmpty);
  if (!["=", "!=", "in", "not in"].includes(operator)) throw wrongOperator(operator, field);
  const any = operands.map((operand) => valueMatcher(call, field, operand, isEmpty));
  const isMeant: Matches = (issue) => any.some((one) => one(issue));
  if (operator === "=" || operator === "in") return isMeant;
  // As everywhere in JQL: what has no value at all is not found by what it is not.
  return (issue) => !isEmpty(issue) && !isMeant(issue);
}

function valueMatcher(call: Call, field: string, operand: Operand, isEmpty: Matches): Matches {
  if ("call" in operand) {
    if (operand.call === "empty") return isEmpty;
    if (operand.call.toLowerCase() !== "currentuser") {
      throw new Refusal(400, [`Unable to find JQL function '${operand.call}()'.`]);
    }
    if (field === "assignee") return (issue) => issue.assignee === call.user.name;
    if (field === "reporter") return (issue) => issue.reporter === call.user.name;
    throw new Refusal(400, [
      `A value provided by the function 'currentUser' is invalid for the field '${field}'.`,
    ]);
  }
  const matches = VALUES[field]?.(call, operand.text);
  if (matches === undefined) {
    throw new Refusal(400, [`The value '${operand.text}' does not exist for the field '${field}'.`]);
  }
  return matches;
}

function ofEmptiness(operator: string, [operand]: Operand[], field: string, isEmpty: Matches): Matches {
  if (operand === undefined || !("call" in operand) || operand.call !== "empty") {
    throw wrongOperator(operator, field);
  }
  return (issue) => isEmpty(issue) === (operator === "is");
}

const UNITS: Record<string, number> = { w: 7 * 86_400_000, d: 86_400_000, h: 3_600_000, m: 60_000 };

function ofDate(field: "created" | "updated", { operator, operands: [operand] }: Clause): Matches {
  const text = operand !== undefined && "text" in operand ? operand.text : "";
  const [, count, unit = ""] = /^(-?\d+)([wdhm])$/.exec(text) ?? [];
  const atMs = count === undefined
    ? Date.parse(
      /^\d{4}[-/]\d\d[-/]\d\d(?: \d\d:\d\d)?$/.test(text)
        ? text.replaceAll("/", "-").replace(/( .*)?$/, (time) => `T${time.trim() || "00:00"}Z`)
        : "",
    )
    : Date.now() + Number(count) * (UNITS[unit] ?? 0);
  if (Number.isNaN(atMs)) {
    throw new Refusal(400, [
      `Date value '${text}' for field '${field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.`,
    ]);
  }
  const compare: Record<string, (ms: number) => boolean> = {
    "<": (ms) => ms < atMs,
    "<=": (ms) => ms <= atMs,
    ">": (ms) => ms > atMs,
    ">=": (ms) => ms >= atMs,
  };
  const holds = compare[operator];
  if (holds === undefined) throw wrongOperator(operator, field);
  return (issue) => holds(issue[field].getTime());
}

function unknownField(field: string): Refusal {
  return new Refusal(400, [`Field '${field}' does not exist or you do not have permission to view it.`]);
}

function wrongOperator(operator: string, field: string): Refusal {
  return new Refusal(400, [`The operator '${operator}' is not supported by the '${field}' field.`]);
}
