/** What Jira's replies must be, as far as they are read. Names in brackets are those of the reference's schemas. */

import * as z from "zod/mini";
import type { ReplySchema } from "../../net/http.ts";

/** A part of a list. */
export interface Page<Item> {
  items: Item[];
  /** How many there are in all, where it says. */
  total?: number;
  /** Whether this is the last part, where it says. */
  isLast?: boolean;
  /** What the next part is asked for by, where it says. */
  next?: string;
}

const PAGING = z.object({
  total: z.nullish(z.number()),
  isLast: z.nullish(z.boolean()),
  nextPageToken: z.nullish(z.string()),
});

/**
 * A part of a list; or all of it, where the reply is nothing else.
 *
 * @param item what is in the list
 * @param names what the list may be called: createmeta has `issueTypes` and `fields` on Cloud, `values` on Server
 */
export function pageOf<Item>(
  item: z.ZodMiniType<Item>,
  ...names: readonly string[]
): ReplySchema<Page<Item>> {
  const lists = z.object(Object.fromEntries(names.map((name) => [name, z.optional(z.array(item))])));
  const page = z.intersection(
    PAGING,
    lists.check(z.refine((reply) => names.some((name) => reply[name]), `it has no ${names.join(" or ")}`)),
  );
  return z.pipe(
    z.union([z.array(item), page]),
    z.transform((reply): Page<Item> => {
      if (Array.isArray(reply)) return { items: reply, isLast: true };
      const { total, isLast, nextPageToken } = PAGING.parse(reply);
      return {
        items: names.map((name) => reply[name]).find((list) => Array.isArray(list)) ?? [],
        ...(typeof total === "number" && { total }),
        ...(typeof isLast === "boolean" && { isLast }),
        ...(typeof nextPageToken === "string" && { next: nextPageToken }),
      };
    }),
  );
}

/** [ServerInformation] */
export const SERVER_INFO = z.object({ deploymentType: z.nullish(z.string()) });

/** [User] Mail addresses are hidden where the user, or Jira, wants it so; that is an empty text at times. */
export const USER = z.object({
  accountId: z.nullish(z.string()),
  name: z.nullish(z.string()),
  displayName: z.nullish(z.string()),
  emailAddress: z.nullish(z.string()),
  active: z.nullish(z.boolean()),
});
/** Somebody, as a ticket or a list names her. */
export type UserReply = z.infer<typeof USER>;

/** [StatusDetails] */
const STATUS = z.object({ name: z.string(), statusCategory: z.nullish(z.object({ key: z.string() })) });
/** A status of a ticket. */
export type StatusReply = z.infer<typeof STATUS>;

/** [IssueBean], asked for the fields of `TICKET_FIELDS`. */
export const ISSUE = z.object({
  key: z.string(),
  fields: z.object({
    summary: z.nullish(z.string()),
    status: STATUS,
    project: z.object({ key: z.string() }),
    created: z.nullish(z.string()),
    creator: z.nullish(USER),
  }),
});
/** A ticket. */
export type IssueReply = z.infer<typeof ISSUE>;

/** [SearchAndReconcileResults] and Server's [SearchResults] */
export const ISSUES = pageOf(ISSUE, "issues");

/** [CreatedIssue] */
export const CREATED = z.object({ key: z.string() });

/** [Project] Both editions leave archived ones out. */
export const PROJECTS = pageOf(z.object({ key: z.string(), name: z.nullish(z.string()) }), "values");

/** [IssueTypeIssueCreateMetadata] */
export const ISSUE_TYPES = pageOf(
  z.object({ id: z.string(), name: z.string(), subtask: z.nullish(z.boolean()) }),
  "issueTypes",
  "values",
);

/** One of a field's values: options have a `value`, all others a `name`. */
const ALLOWED_VALUE = z.object({
  id: z.nullish(z.union([z.string(), z.number()])),
  name: z.nullish(z.string()),
  value: z.nullish(z.string()),
  disabled: z.nullish(z.boolean()),
  children: z.nullish(
    z.array(z.object({ id: z.union([z.string(), z.number()]), value: z.nullish(z.string()) })),
  ),
});
/** One of the values that a field takes. */
export type AllowedValue = z.infer<typeof ALLOWED_VALUE>;

/** [FieldMetadata], of the screen of a transition. */
const FIELD = z.object({
  required: z.boolean(),
  name: z.string(),
  hasDefaultValue: z.nullish(z.boolean()),
  schema: z.nullish(z.object({
    type: z.nullish(z.string()),
    items: z.nullish(z.string()),
    system: z.nullish(z.string()),
    custom: z.nullish(z.string()),
  })),
  allowedValues: z.nullish(z.array(ALLOWED_VALUE)),
});
/** A field of a screen. */
export type FieldReply = z.infer<typeof FIELD>;

/** [FieldCreateMetadata] */
export const CREATE_FIELDS = pageOf(z.extend(FIELD, { fieldId: z.string() }), "fields", "values", "results");

/** [Transitions] */
export const TRANSITIONS = z.object({
  transitions: z.array(z.object({
    id: z.string(),
    name: z.nullish(z.string()),
    to: STATUS,
    isAvailable: z.nullish(z.boolean()),
    fields: z.nullish(z.record(z.string(), FIELD)),
  })),
});
/** A transition that the workflow allows. */
export type TransitionReply = z.infer<typeof TRANSITIONS>["transitions"][number];

/** [Comment] A body is a document on Cloud, a text on Server. */
export const COMMENT = z.object({
  id: z.string(),
  author: z.nullish(USER),
  created: z.nullish(z.string()),
  body: z.unknown(),
});
/** A comment. */
export type CommentReply = z.infer<typeof COMMENT>;

/** [PageOfComments] */
export const COMMENTS = pageOf(COMMENT, "comments");

/** [PageOfWorklogs] */
export const WORKLOGS = pageOf(z.object({ author: z.nullish(USER), comment: z.unknown() }), "worklogs");

/** [Changelog] Who made it is missing where her account is gone. */
const CHANGE = z.object({
  created: z.nullish(z.string()),
  author: z.nullish(USER),
  items: z.nullish(z.array(z.looseObject({ field: z.nullish(z.string()) }))),
});
/** One change of a ticket: who has made it, when, and of which fields. */
export type ChangeReply = z.infer<typeof CHANGE>;

/** [PageBeanChangelog] */
export const CHANGES = pageOf(CHANGE, "values");

/** What Server says with expand=changelog: all of it. */
export const ISSUE_CHANGES: ReplySchema<Page<ChangeReply>> = z.pipe(
  z.object({ changelog: z.object({ histories: z.array(CHANGE) }) }),
  z.transform(({ changelog }) => ({ items: changelog.histories, isLast: true })),
);

/** [Permissions] */
export const PERMISSIONS = z.object({
  permissions: z.record(z.string(), z.object({ havePermission: z.nullish(z.boolean()) })),
});

/** [ErrorCollection]: what is wrong, in all, and field by field. */
export const REFUSAL = z.object({
  errorMessages: z.nullish(z.array(z.string())),
  errors: z.nullish(z.record(z.string(), z.string())),
});
