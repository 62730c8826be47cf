/**
 * What Redmine's REST API answers, as far as srvAudit needs it. Whatever a version adds is passed over; what older ones lack
 * is optional here, with the version that has brought it.
 */

import * as z from "zod/mini";

/** How Redmine names whatever it refers to. */
const NAMED = z.object({ id: z.number(), name: z.string() });
/** Somebody may be gone: then she is not there. */
const SOMEBODY = z.optional(NAMED);
const OPTIONAL_TEXT = z.nullish(z.string());

const STATUS = z.object({ id: z.number(), name: z.string(), is_closed: z.optional(z.boolean()) });

const JOURNAL = z.object({
  id: z.number(),
  user: SOMEBODY,
  notes: OPTIONAL_TEXT,
  private_notes: z.optional(z.boolean()),
  created_on: z.string(),
  details: z.optional(z.array(z.object({
    property: z.string(),
    name: z.string(),
    old_value: z.optional(z.unknown()),
    new_value: z.optional(z.unknown()),
  }))),
});

const ISSUE = z.object({
  id: z.number(),
  project: NAMED,
  tracker: SOMEBODY,
  /** `is_closed`: since 5.0. */
  status: STATUS,
  author: SOMEBODY,
  subject: z.string(),
  is_private: z.optional(z.boolean()),
  custom_fields: z.optional(z.array(z.object({ id: z.number(), name: z.string() }))),
  created_on: z.string(),
  updated_on: z.string(),
  journals: z.optional(z.array(JOURNAL)),
  /** Since 5.0. */
  allowed_statuses: z.optional(z.array(STATUS)),
});

const PROJECT = z.object({
  id: z.number(),
  name: z.string(),
  identifier: z.string(),
  /** 1 active, 5 closed, 9 archived. */
  status: z.optional(z.number()),
  is_public: z.optional(z.boolean()),
  trackers: z.optional(z.array(NAMED)),
  /** Since 4.2; without those of all projects before 5.1. */
  issue_custom_fields: z.optional(z.array(NAMED)),
  /** Since 3.4. */
  time_entry_activities: z.optional(z.array(NAMED)),
});

const USER = z.object({
  id: z.number(),
  /** For administrators alone, before 3.3 and for whoever hides it. */
  login: z.optional(z.string()),
  mail: OPTIONAL_TEXT,
  admin: z.optional(z.boolean()),
  /** For administrators alone: 1 active, 2 registered, 3 locked. */
  status: z.optional(z.number()),
  memberships: z.optional(z.array(z.object({ project: NAMED, roles: z.array(NAMED) }))),
});

const CUSTOM_FIELD = z.object({
  id: z.number(),
  name: z.string(),
  customized_type: z.optional(z.string()),
  field_format: z.string(),
  is_required: z.optional(z.boolean()),
  multiple: z.optional(z.boolean()),
  default_value: OPTIONAL_TEXT,
  possible_values: z.optional(z.array(z.object({ value: z.string(), label: z.optional(z.string()) }))),
  trackers: z.optional(z.array(NAMED)),
});

/** A status of a ticket. */
export type Status = z.infer<typeof STATUS>;
/** A ticket, as Redmine says it. */
export type Issue = z.infer<typeof ISSUE>;
/** One change of a ticket, or a note on it. */
export type Journal = z.infer<typeof JOURNAL>;
/** A project. */
export type Project = z.infer<typeof PROJECT>;
/** An account. */
export type User = z.infer<typeof USER>;
/** A field that an administrator has made. */
export type CustomField = z.infer<typeof CUSTOM_FIELD>;

/** GET /issues/ID.json, POST /issues.json */
export const ONE_ISSUE = z.object({ issue: ISSUE });
/** GET /issues.json */
export const ISSUES = z.object({ issues: z.array(ISSUE) });
/** GET /search.json */
export const FOUND = z.object({ results: z.array(z.object({ id: z.number() })) });
/** GET /issue_statuses.json */
export const STATUSES = z.object({
  issue_statuses: z.array(z.object({ id: z.number(), name: z.string(), is_closed: z.optional(z.boolean()) })),
});
/** GET /trackers.json */
export const TRACKERS = z.object({
  /** `enabled_standard_fields`: since 5.0. */
  trackers: z.array(z.object({ id: z.number(), enabled_standard_fields: z.optional(z.unknown()) })),
});
/** GET /projects/ID.json */
export const ONE_PROJECT = z.object({ project: PROJECT });
/** GET /projects.json */
export const PROJECTS = z.object({ projects: z.array(PROJECT), total_count: z.optional(z.number()) });
/** GET /users/ID.json, /users/current.json */
export const ONE_USER = z.object({ user: USER });
/** GET /users.json */
export const USERS = z.object({ users: z.array(USER), total_count: z.optional(z.number()) });
/** GET /roles/ID.json */
export const ONE_ROLE = z.object({ role: z.object({ permissions: z.optional(z.array(z.string())) }) });
/** GET /custom_fields.json */
export const CUSTOM_FIELDS = z.object({ custom_fields: z.array(CUSTOM_FIELD) });
/** GET /projects/ID/versions.json */
export const VERSIONS = z.object({
  versions: z.array(z.object({ id: z.number(), name: z.string(), status: z.optional(z.string()) })),
});
/** GET /projects/ID/memberships.json */
export const MEMBERSHIPS = z.object({ memberships: z.array(z.object({ user: SOMEBODY })) });
/** GET /time_entries.json */
export const TIME_ENTRIES = z.object({ time_entries: z.array(z.object({ comments: OPTIONAL_TEXT })) });
