/**
 * The tables of `~/.ash/history.db`.
 *
 * `sessions` and `commands` are ASH's, column for column, so that its tools and ours read and write beside each
 * other. All that we know more lies in tables of our own. ASH's C++ program brings a SQLite of 2013 along, which must
 * still be able to read the schema: nothing in here is younger than 3.8.0 (no WITHOUT ROWID, no STRICT, no
 * expression in an index).
 */

const ASH_TABLES = `
create table if not exists sessions (
  id integer primary key autoincrement,
  hostname varchar(128),
  host_ip varchar(40),
  ppid int(5) not null,
  pid int(5) not null,
  time_zone str(3) not null,
  start_time integer not null,
  end_time integer,
  duration integer,
  tty varchar(20) not null,
  uid int(16) not null,
  euid int(16) not null,
  logname varchar(48),
  shell varchar(50) not null,
  sudo_user varchar(48),
  sudo_uid int(16),
  ssh_client varchar(60),
  ssh_connection varchar(100)
);
create table if not exists commands (
  id integer primary key autoincrement,
  session_id integer not null,
  shell_level integer not null,
  command_no integer,
  tty varchar(20) not null,
  euid int(16) not null,
  cwd varchar(256) not null,
  rval int(5) not null,
  start_time integer not null,
  end_time integer not null,
  duration integer not null,
  pipe_cnt int(3),
  pipe_vals varchar(80),
  command varchar(1000) not null,
  unique(session_id, command_no)
);
`;

const OUR_TABLES = `
-- A login session: from hello to the end of the shell that it became.
create table srvaudit_sessions (
  id text primary key,
  user text not null,
  uid integer not null,
  host text not null,
  tty text not null,
  from_address text not null,
  mode text not null,
  command text,
  shell text not null,
  opened_us integer not null,
  closed_us integer,
  how_closed text,
  exit_code integer,
  leader_pid integer not null,
  leader_start_ticks integer not null,
  boot_id text not null
);
create index srvaudit_sessions_leader on srvaudit_sessions (leader_pid, leader_start_ticks);

-- What more there is to a row of sessions. boot_id: set once the process was seen alive.
-- known_by: 'leader' where the kernel's numbers prove the login session, 'agent' where the agent says so, 'claim' where only
-- the environment does.
create table srvaudit_shells (
  session_id integer primary key,
  login_session text,
  known_by text,
  claimed_session text,
  pid integer not null,
  start_ticks integer not null,
  boot_id text,
  version text not null,
  shell_level integer not null,
  start_us integer not null,
  end_us integer,
  exit_us integer,
  exit_code integer
);
create index srvaudit_shells_open on srvaudit_shells (pid, start_ticks) where end_us is null;
create index srvaudit_shells_login_session on srvaudit_shells (login_session);

-- What more there is to a row of commands. end_us: null where nobody saw its end.
create table srvaudit_commands (
  command_id integer primary key,
  login_session text,
  ticket text,
  start_us integer not null,
  end_us integer,
  text_state text not null
);
create index srvaudit_commands_ticket on srvaudit_commands (ticket) where ticket is not null;

-- The bytes of those texts and directories that are not UTF-8: see readable.ts.
create table srvaudit_bytes (
  command_id integer primary key,
  directory blob not null,
  text blob not null
);

-- Which ticket a login session was on, and since when.
create table srvaudit_tickets (
  login_session text not null,
  ticket text not null,
  since_us integer not null,
  unique (login_session, since_us, ticket)
);

-- Notes, statuses and switches.
create table srvaudit_events (
  id integer primary key,
  login_session text not null,
  at_us integer not null,
  kind text not null,
  ticket text,
  from_value text,
  to_value text,
  text text
);
create index srvaudit_events_session on srvaudit_events (login_session, at_us);
create index srvaudit_events_ticket on srvaudit_events (ticket);

-- How far each spool file is taken in. Rows stay when their file is gone, so that no file is ever taken in twice.
-- inode: as text, since some file systems have numbers beyond what a double holds.
-- seen: how far it has been looked at; position: how far its records are stored.
create table srvaudit_spool (
  file text primary key,
  inode text not null,
  position integer not null,
  seen integer not null,
  damaged integer not null,
  session_id integer,
  login_session text,
  host text not null,
  pid integer,
  start_ticks integer,
  leaving integer not null,
  gone integer not null,
  done integer not null
);
create index srvaudit_spool_at_work on srvaudit_spool (file) where done = 0;
`;

const INDEXES = `
create index if not exists srvaudit_commands_cwd on commands (cwd);
create index if not exists srvaudit_commands_start_time on commands (start_time);
create index if not exists srvaudit_commands_failed on commands (start_time) where rval <> 0;
`;

/** Whether nobody has said how the session ended: then a word that comes later is better. */
const GUESSED_ENDS = `
alter table srvaudit_sessions add column guessed integer not null default 0;
`;

/**
 * What brings a database from one version to the next: the first entry from 0 (none, or ASH's own) to 1, and so on.
 * Each runs in the transaction that the version is raised in.
 */
export const MIGRATIONS: readonly string[] = [ASH_TABLES + OUR_TABLES + INDEXES, GUESSED_ENDS];

/** The schema's version, which `PRAGMA user_version` holds. ASH leaves it at 0. */
export const SCHEMA_VERSION = MIGRATIONS.length;
