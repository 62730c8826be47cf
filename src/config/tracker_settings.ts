/** What the config says of the tracker, as types; `agent_settings.ts` reads it. */

/** Which tracker this host's tickets are in, and how to work with it. */
export type TrackerSettings = LocalSettings | RedmineSettings | JiraSettings;

/** `pms="0"`: the agent keeps the tickets itself. */
export interface LocalSettings {
  kind: "local";
}

/** What trackers elsewhere have in common. */
interface RemoteSettings {
  /** Without a slash at its end. */
  url: string;
  /** The projects whose tickets may be worked on, by identifier (Redmine) or key (Jira), the first being the default one; none: all. */
  projects: readonly string[];
  /** A new ticket's tracker (Redmine) or issue type (Jira), by name, where nobody says; empty for none. */
  newTicketType: string;
  /** Answers to a new ticket's further fields, by the field's name, where nobody says. */
  fields: Readonly<Record<string, string>>;
  /** What accounts of this host are called there, where that is not the same: a login, an e-mail address or an id. */
  users: Readonly<Record<string, string>>;
  /** What comes behind `name@` in the e-mail addresses of this host's accounts; empty for nothing. */
  mailDomain: string;
  /** Whether accounts that the tracker does not know work there as srvAudit's own account, or not at all. */
  unknownUsers: "allow" | "deny";
  /** Whether the time that a session has spent on a ticket is logged there. */
  logsTime: boolean;
  /** Every how many seconds a comment on a session that goes on is brought up to date, at the most. */
  storySeconds: number;
}

/** `pms="Redmine"`. */
export interface RedmineSettings extends RemoteSettings {
  kind: "Redmine";
  /** An API key; of an administrator, if it is to work in the name of others. */
  key: string;
  /** What the server takes its texts for: Administration, Settings, Text formatting. */
  format: "textile" | "markdown" | "common_mark";
  /** The activity of time entries, by name; empty for the server's default. */
  activity: string;
}

/** `pms="jira"`. */
export interface JiraSettings extends RemoteSettings {
  kind: "Jira";
  /** Cloud: the e-mail address that the token belongs to; empty for a personal access token (Server, Data Center). */
  mail: string;
  token: string;
  /** `ask`: by /serverInfo. */
  edition: "cloud" | "server" | "ask";
}

/** How to reach what is not on this host. */
export interface NetworkSettings {
  /** `http://[user:password@]host:port`; empty for none. */
  proxy: string;
  /** Hosts (with all below them) that the proxy is not asked for. */
  noProxy: readonly string[];
  /** A file of PEM certificates that are trusted beside the system's; empty for none. */
  caFile: string;
}
