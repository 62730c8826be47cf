/** The events of a login session that its stories are told from. */

import type { DatabaseSync } from "node:sqlite";
import { number, numberOrNull, text, textOrNull } from "./cells.ts";
import type { CommandEnd, EvidenceKind } from "./event.ts";

/** A command, its end, or something that was said of the session. */
export interface StoryEvent {
  seq: number;
  atUs: number;
  kind: EvidenceKind;
  data: Readonly<Record<string, unknown>>;
  /** Of a command; of a command's end those of the command. */
  ticket: string | null;
  directory: string;
  text: string;
  textState: string;
  tty: string;
  effectiveUid: number;
  /** Of a command: how it has ended, if that is known by now. Of a command's end: the same. */
  end: CommandEnd | undefined;
  /** Of a command: whether its end came later, as an event of its own. */
  endsLater: boolean;
  /** Of a command's end: the `seq` of the command. */
  command: number | null;
}

/** How a session ended. */
export interface SessionEnd {
  atUs: number;
  how: string;
  exitCode: number | undefined;
}

/** What is new of sessions in a stretch of the evidence. */
export interface StoryNews {
  /** The last command, or end of one, of each session. */
  commands: { session: number; seq: number }[];
  /** All else that was said of sessions. */
  events: { seq: number; kind: EvidenceKind; session: number; data: Readonly<Record<string, unknown>> }[];
}

/** So much of a command, and of a directory's name, is told, in characters: all of it is in evidence, and may be megabytes. */
const MOST_TOLD = 20_000;
const MOST_TOLD_OF_DIRECTORY = 4096;

const KINDS: readonly EvidenceKind[] = [
  "ticket switched",
  "note",
  "status",
  "session closed",
  "tamper",
  "agent",
];

// Rows that lie together: no index finds them faster.
const NEWS_OF_COMMANDS = `select session, max(seq) as seq from event not indexed
  where seq > ? and seq <= ? and kind in ('command', 'command ended') and session is not null group by session`;
const NEWS =
  `select seq, kind, session, case kind when 'note' then json_remove(data, '$.text') else data end as data
  from event not indexed where seq > ? and seq <= ?
  and session is not null and data is not null and kind in ('session opened', ${
    KINDS.map((kind) => `'${kind}'`).join()
  }) order by seq`;

const COMMANDS = `select e.seq, e.at_us, e.kind, e.command, coalesce(c.ticket, e.ticket) as ticket,
    substr(coalesce(c.directory, e.directory), -${MOST_TOLD_OF_DIRECTORY}) as directory,
    substr(coalesce(c.text, e.text), 1, ${MOST_TOLD}) as text, length(coalesce(c.text, e.text)) as length,
    coalesce(c.text_state, e.text_state) as text_state, coalesce(c.tty, e.tty) as tty,
    coalesce(c.effective_uid, e.effective_uid) as effective_uid, x.seq as ended,
    coalesce(e.end_us, x.end_us) as end_us, coalesce(e.exit_code, x.exit_code) as exit_code,
    coalesce(e.pipe_states, x.pipe_states) as pipe_states
  from event e
    left join event x on x.command = e.seq and x.command is not null
    left join event c on c.seq = e.command
  where e.kind in ('command', 'command ended') and e.session = ? and e.seq > ? and e.seq <= ?
  order by e.seq limit ?`;

const OTHERS = `select seq, at_us, kind, data from event where kind = ? and session = ? and data is not null
  and seq > ? and seq <= ? order by seq limit ?`;

/** The statements; for one open database. */
export class StoryEvents {
  readonly #commands;
  readonly #others;
  readonly #present;
  readonly #closing;
  readonly #newsOfCommands;
  readonly #news;

  constructor(database: DatabaseSync) {
    this.#commands = database.prepare(COMMANDS);
    this.#others = database.prepare(OTHERS);
    this.#newsOfCommands = database.prepare(NEWS_OF_COMMANDS);
    this.#news = database.prepare(NEWS);
    this.#closing = database.prepare(`select at_us, json_extract(data, '$.how') as how,
      json_extract(data, '$.exitCode') as exit_code from event
      where kind = 'session closed' and session = ? and data is not null order by seq limit 1`);
    this.#present = database.prepare(`select coalesce(
      (select json_extract(data, '$.to') from event where kind = 'ticket switched' and session = ?
        and data is not null and seq <= ? order by seq desc limit 1),
      (select json_extract(data, '$.ticket') from event where seq = ?)) as ticket`);
  }

  /** What is new behind an event, up to another one. */
  news(after: number, upTo: number): StoryNews {
    return {
      commands: this.#newsOfCommands.all(after, upTo).map((row) => ({
        session: number(row.session),
        seq: number(row.seq),
      })),
      events: this.#news.all(after, upTo).map((row) => ({
        seq: number(row.seq),
        kind: text(row.kind) as EvidenceKind,
        session: number(row.session),
        data: dataOf(row.data),
      })),
    };
  }

  /**
   * The next events of a session, in their order.
   *
   * @param session the `seq` of its opening
   * @param after the `seq` behind which, and `upTo` up to which
   * @param limit how many at most; -1 for all
   * @returns them, and up to which `seq` these are all
   */
  between(
    session: number,
    after: number,
    upTo: number,
    limit: number,
  ): { events: StoryEvent[]; upTo: number } {
    const streams = [
      this.#commands.all(session, after, upTo, limit),
      ...KINDS.map((kind) => this.#others.all(kind, session, after, upTo, limit)),
    ].map((rows) => rows.map(eventOf));
    const full = streams.filter((events) => events.length === limit).map((events) => events.at(-1)?.seq ?? 0);
    const last = Math.min(upTo, ...full);
    const events = streams.flat().filter(({ seq }) => seq <= last).sort((one, other) => one.seq - other.seq);
    return { events, upTo: last };
  }

  /** How a session ended; undefined while it is open. */
  closing(session: number): SessionEnd | undefined {
    const row = this.#closing.get(session);
    return row && {
      atUs: number(row.at_us),
      how: text(row.how),
      exitCode: numberOrNull(row.exit_code) ?? undefined,
    };
  }

  /** The ticket that a session was on when that event was taken in, as it was given. */
  ticketAt(session: number, seq: number): string | null {
    return textOrNull(this.#present.get(session, seq, session)?.ticket);
  }
}

function eventOf(row: Record<string, unknown>): StoryEvent {
  const [endUs, exitCode] = [numberOrNull(row.end_us), numberOrNull(row.exit_code)];
  const states = textOrNull(row.pipe_states);
  const kind = text(row.kind) as EvidenceKind;
  const isEnded = kind === "command ended" || endUs !== null || exitCode !== null ||
    typeof row.ended === "number";
  return {
    seq: number(row.seq),
    atUs: number(row.at_us),
    kind,
    data: dataOf(row.data),
    ticket: textOrNull(row.ticket),
    directory: text(row.directory),
    text: told(text(row.text), number(row.length) - MOST_TOLD),
    textState: text(row.text_state),
    tty: text(row.tty),
    effectiveUid: number(row.effective_uid),
    end: isEnded ? { endUs, exitCode, pipeStates: states?.split("_").map(Number) ?? [] } : undefined,
    endsLater: typeof row.ended === "number",
    command: numberOrNull(row.command),
  };
}

/** What is not told is said. */
function told(start: string, untold: number): string {
  return untold > 0 ? `${start}\n... and ${untold} characters more, in the host's evidence` : start;
}

function dataOf(cell: unknown): Readonly<Record<string, unknown>> {
  const parsed: unknown = typeof cell === "string" ? JSON.parse(cell) : {};
  return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
}
