/**
 * What people ask the evidence: ASH's tables, our history's tables of the same names as in `history/schema.ts`, and
 * `login_session`; all of them views on `event`.
 *
 * Whose a shell or a command is, is the kernel's word here, not the shell's: `uid` and `euid` are the spool file's owner.
 * Each view repeats the conditions of the index that it is to use, word for word: that is how SQLite knows it may.
 */

import { MISSING_TEXT } from "../record/readable.ts";

/** The id of the login session that a row is of. */
const SESSION_ID = "(select json_extract(o.data, '$.session') from event o where o.seq = e.session)";

/** What the shell says of its user is its own word; of the session's user it is the agent's. */
const USER = `coalesce(
    (select json_extract(o.data, '$.user') from event o where o.seq = e.session and o.uid = e.uid),
    nullif(json_extract(e.data, '$.user'), ''))`;

/** The first event of a kind that says how a session or a shell, the row `e`, ended. */
function ending(kind: string, of: "session" | "shell", column: string): string {
  return `(select ${column} from event x where x.kind = '${kind}' and x.${of} = e.seq and x.data is not null
    order by x.seq limit 1)`;
}

/** A command's end: in its own row, or in that of a "command ended". */
const END_US = "coalesce(e.end_us, x.end_us, x.at_us, e.at_us)";
const PIPE_STATES = "coalesce(e.pipe_states, x.pipe_states)";
const LATE_END = "left join event x on x.command = e.seq and x.command is not null";

const PRESENT_TICKET = `coalesce(
    (select json_extract(x.data, '$.to') from event x
      where x.kind = 'ticket switched' and x.session = e.seq and x.data is not null
      order by x.at_us desc, x.seq desc limit 1),
    json_extract(e.data, '$.ticket'))`;

/** As SQL. */
export const VIEWS = `
create view login_session as select
  json_extract(e.data, '$.session') as id,
  e.seq as seq,
  json_extract(e.data, '$.user') as user,
  e.uid as uid,
  json_extract(e.data, '$.host') as host,
  json_extract(e.data, '$.tty') as tty,
  json_extract(e.data, '$.from') as from_address,
  json_extract(e.data, '$.mode') as mode,
  json_extract(e.data, '$.command') as command,
  json_extract(e.data, '$.shell') as shell,
  e.at_us as opened_us,
  ${ending("session closed", "session", "x.at_us")} as closed_us,
  ${ending("session closed", "session", "json_extract(x.data, '$.how')")} as how_closed,
  ${ending("session closed", "session", "json_extract(x.data, '$.exitCode')")} as exit_code,
  ${PRESENT_TICKET} as ticket,
  json_extract(e.data, '$.emergency') as emergency,
  (select count(*) from event h join event c on c.shell = h.seq and c.kind = 'command'
    where h.kind = 'shell started' and h.session = e.seq and h.data is not null) as commands
from event e where e.kind = 'session opened' and e.data is not null;

create view sessions as select
  e.seq as id,
  json_extract(e.data, '$.host') as hostname,
  json_extract(e.data, '$.hostAddresses') as host_ip,
  json_extract(e.data, '$.parentPid') as ppid,
  json_extract(e.data, '$.pid') as pid,
  json_extract(e.data, '$.timeZone') as time_zone,
  e.at_us / 1000000 as start_time,
  ${ending("shell ended", "shell", "x.at_us / 1000000")} as end_time,
  max(0, ${ending("shell ended", "shell", "x.at_us / 1000000")} - e.at_us / 1000000) as duration,
  json_extract(e.data, '$.tty') as tty,
  e.uid as uid,
  e.uid as euid,
  ${USER} as logname,
  coalesce(nullif(substr(json_extract(e.data, '$.shell'), 1,
    instr(json_extract(e.data, '$.shell') || ' ', ' ') - 1), ''), 'unknown') as shell,
  nullif(json_extract(e.data, '$.sudoUser'), '') as sudo_user,
  cast(nullif(json_extract(e.data, '$.sudoUid'), '') as integer) as sudo_uid,
  nullif(json_extract(e.data, '$.sshClient'), '') as ssh_client,
  nullif(json_extract(e.data, '$.sshConnection'), '') as ssh_connection
from event e where e.kind = 'shell started' and e.data is not null;

create view commands as select
  e.seq as id,
  e.shell as session_id,
  e.shell_level as shell_level,
  e.number as command_no,
  e.tty as tty,
  e.uid as euid,
  e.directory as cwd,
  coalesce(e.exit_code, x.exit_code, -1) as rval,
  e.at_us / 1000000 as start_time,
  ${END_US} / 1000000 as end_time,
  max(0, ${END_US} / 1000000 - e.at_us / 1000000) as duration,
  1 + length(${PIPE_STATES}) - length(replace(${PIPE_STATES}, '_', '')) as pipe_cnt,
  ${PIPE_STATES} as pipe_vals,
  case when e.text = '' and e.text_state = 'missing' then '${MISSING_TEXT}' else e.text end as command
from event e ${LATE_END}
where e.kind = 'command';

create view srvaudit_sessions as select
  l.id, l.user, l.uid, l.host, l.tty, l.from_address, l.mode, l.command, l.shell, l.opened_us, l.closed_us,
  l.how_closed, l.exit_code,
  json_extract(e.data, '$.leaderPid') as leader_pid,
  json_extract(e.data, '$.leaderStartTicks') as leader_start_ticks,
  json_extract(e.data, '$.bootId') as boot_id
from login_session l join event e on e.seq = l.seq;

create view srvaudit_shells as select
  e.seq as session_id,
  ${SESSION_ID} as login_session,
  json_extract(e.data, '$.knownBy') as known_by,
  nullif(json_extract(e.data, '$.session'), '') as claimed_session,
  json_extract(e.data, '$.pid') as pid,
  json_extract(e.data, '$.startTicks') as start_ticks,
  json_extract(e.data, '$.bootId') as boot_id,
  json_extract(e.data, '$.shell') as version,
  json_extract(e.data, '$.shellLevel') as shell_level,
  e.at_us as start_us,
  ${ending("shell ended", "shell", "x.at_us")} as end_us,
  ${
  ending(
    "shell ended",
    "shell",
    "case when json_extract(x.data, '$.exitCode') is not null then x.at_us end",
  )
} as exit_us,
  ${ending("shell ended", "shell", "json_extract(x.data, '$.exitCode')")} as exit_code
from event e where e.kind = 'shell started' and e.data is not null;

create view srvaudit_commands as select
  e.seq as command_id,
  ${SESSION_ID} as login_session,
  e.ticket as ticket,
  e.at_us as start_us,
  coalesce(e.end_us, x.end_us) as end_us,
  e.text_state as text_state
from event e ${LATE_END}
where e.kind = 'command';

create view srvaudit_bytes as select
  e.seq as command_id,
  coalesce(e.directory_bytes, cast(e.directory as blob)) as directory,
  coalesce(e.text_bytes, cast(e.text as blob)) as text
from event e where e.kind = 'command' and (e.directory_bytes is not null or e.text_bytes is not null);

create view srvaudit_tickets as select
  json_extract(e.data, '$.session') as login_session,
  json_extract(e.data, '$.ticket') as ticket,
  e.at_us as since_us
from event e
where e.kind = 'session opened' and e.data is not null and json_extract(e.data, '$.ticket') is not null
union all select ${SESSION_ID}, json_extract(e.data, '$.to'), e.at_us
from event e where e.kind = 'ticket switched' and e.data is not null;

create view srvaudit_events as select
  e.seq as id,
  ${SESSION_ID} as login_session,
  e.at_us as at_us,
  e.kind as kind,
  coalesce(json_extract(e.data, '$.ticket'), json_extract(e.data, '$.to')) as ticket,
  json_extract(e.data, '$.from') as from_value,
  json_extract(e.data, '$.to') as to_value,
  json_extract(e.data, '$.text') as text
from event e where e.kind in ('ticket switched', 'note', 'status') and e.data is not null;
`;
