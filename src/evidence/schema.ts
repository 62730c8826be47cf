/**
 * The tables of `/var/lib/srvaudit/evidence.db`. `views.ts` has what people ask.
 *
 * Nothing in here is younger than SQLite 3.26 (no STRICT, no `->>`), so that the sqlite3 of any distribution that is
 * still cared for can read the evidence.
 */

import { ERRAND_TABLE } from "./errand_rows.ts";
import { LOGIN_SHELL_TABLE } from "./login_shell_rows.ts";
import { MASKED_TABLE } from "./masked.ts";
import { SINK_TABLES } from "./sink_rows.ts";
import { VIEWS } from "./views.ts";

const TABLES = `
-- What happened, in the order that it was taken in. Rows are added at the end and, by retention, removed from the front.
-- session, shell: the seq of "session opened" and "shell started", their own in those; command: the seq of a "command".
-- data: JSON of all that is not of a command; null for commands.
-- directory_bytes, text_bytes: the bytes where they are no text without NUL in UTF-8: see record/readable.ts.
-- end_us, exit_code, pipe_states: of "command" if its end was there when it was taken in, and of "command ended".
-- hash: SHA-256 over the hash of the row before and all the other columns: see chain.ts.
create table event (
  seq integer primary key,
  at_us integer not null,
  taken_us integer not null,
  kind text not null,
  session integer,
  shell integer,
  uid integer,
  data text,
  number integer,
  ticket text,
  tty text,
  effective_uid integer,
  shell_level integer,
  directory text,
  directory_bytes blob,
  text text,
  text_bytes blob,
  text_state text,
  command integer,
  end_us integer,
  exit_code integer,
  pipe_states text,
  hash blob not null
);

-- The last row that retention has removed: what the chain begins after.
create table anchor (
  id integer primary key check (id = 1),
  seq integer not null,
  hash blob not null
);

-- How far each spool file is taken in; rows go with their files. folder: '' for the host's spool, else a user's own.
-- inode: as text, since some file systems have numbers beyond what a double holds.
-- open_command: the seq of a command whose end is to come.
create table spool (
  folder text not null,
  name text not null,
  inode text not null,
  position integer not null,
  session integer,
  shell integer,
  uid integer not null,
  pid integer,
  start_ticks integer,
  last_number integer not null,
  open_command integer,
  last_us integer not null,
  leaving integer not null,
  gone integer not null,
  done integer not null,
  taken integer not null,
  primary key (folder, name)
);

-- Who is told of events, in their order. delivered: the seq up to which it has been.
create table consumer (
  name text primary key,
  delivered integer not null,
  since_us integer not null,
  success_us integer,
  error text,
  error_us integer
);
`;

const INDEXES = `
-- ASH's ME, and how many commands a shell had.
create index event_command_shell on event (shell) where kind = 'command';
-- ASH's CWD and RCWD.
create index event_command_directory on event (directory) where kind = 'command';
-- TODAY, and ash_query's --since and --until.
create index event_command_start on event (at_us / 1000000) where kind = 'command';
-- TICKET.
create index event_command_ticket on event (ticket) where ticket is not null;
-- The end that came later.
create index event_command_end on event (command) where command is not null;
-- What there is beside commands: a few rows for each session and shell.
create index event_of_session on event (kind, session) where data is not null;
create index event_of_shell on event (kind, shell) where data is not null;
create index event_session_id on event (json_extract(data, '$.session')) where kind = 'session opened';
create index event_shell_pid on event (json_extract(data, '$.pid')) where kind = 'shell started';
`;

/** A seat belt against slips: whoever may write the file can drop them. The chain is the proof. */
const TRIGGERS = `
create trigger event_is_never_changed before update on event begin
  select raise(abort, 'evidence is never changed');
end;
create trigger event_is_kept before delete on event
when old.seq > coalesce((select seq from anchor), 0) begin
  select raise(abort, 'evidence is removed by retention alone');
end;
`;

const STORIES = `
-- What is told of login sessions on their tickets: one row for a session and a ticket. Rows go with their session's events.
-- tracker: which one, by kind and address. session: the seq of its opening. ticket: the key as the tracker writes it.
-- standing: 'true'; 'unverified' while the ticket is the user's word; 'false' where the tracker knows no such ticket.
-- adopts: whether the session's commands without a ticket belong to it. is_over: whether the session is closed.
-- cut: the seq up to which its entries lie in parts. news: the seq up to which there may be some.
-- waiting_us: since when something is to be told, or null. is_logged: whether the time that it took is.
-- held_us, error, tries: since when, why and how often the tracker has refused this one; it holds up no other.
-- is_asleep: whether it is another tracker's than the config's.
create table story (
  id integer primary key,
  tracker text not null,
  session integer not null,
  ticket text not null,
  uid integer,
  standing text not null,
  adopts integer not null,
  is_over integer not null default 0,
  is_asleep integer not null default 0,
  is_logged integer not null default 0,
  cut integer not null,
  news integer not null,
  commands integer not null default 0,
  failures integer not null default 0,
  waiting_us integer,
  held_us integer,
  error text,
  tries integer not null default 0,
  unique (session, ticket, tracker)
);

-- One comment each. first, first_piece: the event, and the piece of it, that it begins with; it ends where the next begins.
-- size: how much of the tracker's limit it may take up. day: which one the lines at its end are of, or ''.
-- wanted, told: the seq up to which it is to be told, and is. comment: its id. mark: what it is found by where the id is lost.
create table story_part (
  story integer not null,
  number integer not null,
  first integer not null,
  first_piece integer not null,
  size integer not null,
  day text not null,
  wanted integer not null,
  told integer not null default 0,
  comment text,
  mark text,
  primary key (story, number)
) without rowid;

create index story_waiting on story (waiting_us) where waiting_us is not null;
-- The commands of a session in their order, with the ends that came later.
create index event_command_session on event (session) where kind in ('command', 'command ended');
`;

/**
 * What brings a database from one version to the next: the first entry from 0, and so on. Each runs in the transaction
 * that the version is raised in.
 */
export const MIGRATIONS: readonly string[] = [
  TABLES + INDEXES + TRIGGERS + VIEWS,
  STORIES,
  ERRAND_TABLE,
  SINK_TABLES,
  MASKED_TABLE,
  LOGIN_SHELL_TABLE,
];

/** The schema's version, which `PRAGMA user_version` holds. */
export const SCHEMA_VERSION = MIGRATIONS.length;
