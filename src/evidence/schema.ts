/**
 * The tables of `/var/lib/srvaudit/evidence.db`. `views.ts` has what people ask.
 *
 * Nothing in here is younger than SQLite 3.26 (no STRICT, no `->>`), so that the sqlite3 of any distribution that is
 * still cared for can read the evidence.
 */

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

/**
 * What brings a database from one version to the next: the first entry from 0, and so on. Each runs in the transaction
 * that the version is raised in.
 */
export const MIGRATIONS: readonly string[] = [TABLES + INDEXES + TRIGGERS + VIEWS];

/** The schema's version, which `PRAGMA user_version` holds. */
export const SCHEMA_VERSION = MIGRATIONS.length;
