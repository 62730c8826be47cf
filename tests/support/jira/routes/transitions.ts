/** Ways from status to status. */

import {
  type Call,
  changeableIssueOf,
  isRecord,
  issueOf,
  may,
  newId,
  partsOf,
  Refusal,
  type Reply,
} from "../exchange.ts";
import { statusShape } from "../shapes.ts";
import type { Issue, Project, Transition } from "../world.ts";
import { notOnScreen } from "./create.ts";
import type { Route } from "./route.ts";

/**
 * Only those that the caller may take now.
 *
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-issueidorkey-transitions-get
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-getTransitions
 */
function list(call: Call, idOrKey: string): Reply {
  const { issue, project } = issueOf(call, idOrKey);
  const expand = call.query.get("expand");
  if (expand !== null && expand !== "transitions.fields") {
    throw new Refusal(400, [`'${expand}' is not a valid value for 'expand'.`]);
  }
  const only = call.query.get("transitionId");
  const transitions = possible(call, issue, project)
    .filter(({ id }) => only === null || id === only)
    .map((transition) => transitionShape(call, transition, expand !== null));
  return { status: 200, body: { expand: "transitions", transitions } };
}

function possible(call: Call, issue: Issue, project: Project): Transition[] {
  if (issue.archived || project.archived || !may(project, call.user, "TRANSITION_ISSUES")) return [];
  return call.world.transitions.filter(({ from, to, only }) =>
    (from.length === 0 ? to !== issue.status : from.includes(issue.status)) &&
    (only.length === 0 || only.includes(call.user.name))
  );
}

function transitionShape(call: Call, transition: Transition, withFields: boolean): Record<string, unknown> {
  const to = call.world.statuses.find((status) => status.name === transition.to);
  if (to === undefined) throw new Error(`the fake Jira's world has no status ${transition.to}`);
  const resolution = {
    required: true,
    schema: { type: "resolution", system: "resolution" },
    name: "Resolution",
    ...(call.edition === "cloud" ? { key: "resolution" } : { fieldId: "resolution" }),
    hasDefaultValue: false,
    operations: ["set"],
    allowedValues: call.world.resolutions.map((one) => ({
      self: `${call.api}/resolution/${one.id}`,
      ...one,
    })),
  };
  return {
    id: transition.id,
    name: transition.name,
    to: statusShape(call, to),
    ...(call.edition === "cloud"
      ? {
        hasScreen: transition.needsResolution,
        isGlobal: transition.from.length === 0,
        isInitial: false,
        isAvailable: true,
        isConditional: transition.only.length > 0,
        isLooped: false,
      }
      : { opsbarSequence: 10 }),
    ...(withFields ? { fields: transition.needsResolution ? { resolution } : {} } : {}),
  };
}

/**
 * https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-issueidorkey-transitions-post
 * https://docs.atlassian.com/software/jira/docs/api/REST/9.12.0/#api/2/issue-doTransition
 */
function take(call: Call, idOrKey: string): Reply {
  const { issue, project } = changeableIssueOf(call, idOrKey);
  const parts = partsOf(call, ["transition", "fields", "update", "historyMetadata", "properties"]);
  const id = isRecord(parts.transition) ? parts.transition.id : undefined;
  if (typeof id !== "string") throw new Refusal(400, ["Missing 'transition' identifier"]);
  const transition = possible(call, issue, project).find((one) => one.id === id);
  if (transition === undefined) {
    throw new Refusal(400, [`Transition id '${id}' is not valid for this issue.`]);
  }
  const resolution = resolutionOf(call, transition, isRecord(parts.fields) ? parts.fields : {});
  const before = issue.status;
  issue.status = transition.to;
  const done = call.world.statuses.find((status) => status.name === transition.to)?.category === "done";
  issue.resolution = resolution ?? (done ? issue.resolution : null);
  issue.updated = new Date();
  issue.changes.push({
    id: newId(call.world),
    author: call.user.name,
    created: issue.updated,
    from: before,
    to: transition.to,
  });
  return { status: 204 };
}

function resolutionOf(
  call: Call,
  transition: Transition,
  fields: Record<string, unknown>,
): string | undefined {
  const odd = Object.keys(fields).find((name) => name !== "resolution" || !transition.needsResolution);
  if (odd !== undefined) throw new Refusal(400, [], { [odd]: notOnScreen(odd) });
  if (!transition.needsResolution) return undefined;
  const asked = fields.resolution;
  if (asked === undefined || asked === null) {
    throw new Refusal(400, [], { resolution: "Resolution is required." });
  }
  const found = call.world.resolutions.find((one) =>
    isRecord(asked) && (one.id === asked.id || one.name === asked.name)
  );
  if (found === undefined) {
    throw new Refusal(400, [], { resolution: "Could not find valid 'id' or 'name' in resolution object." });
  }
  return found.name;
}

const PATH = /^\/issue\/([^/]+)\/transitions$/;

export const TRANSITION_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: PATH,
    edition: "cloud",
    query: [
      "expand",
      "transitionId",
      "skipRemoteOnlyCondition",
      "includeUnavailableTransitions",
      "sortByOpsBarAndStatus",
    ],
    handle: list,
  },
  { method: "GET", path: PATH, edition: "server", query: ["expand", "transitionId"], handle: list },
  { method: "POST", path: PATH, query: ["expand"], handle: take },
];
