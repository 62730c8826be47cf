import { makePrivateFolder, type Paths } from "../config/paths.ts";
import type { Policy } from "../config/policy.ts";
import { effectiveUid, ownName } from "../posix/libc.ts";
import { bootId, processOf } from "../posix/process.ts";
import { nowUs } from "../record/clock.ts";
import type { SessionClosed, SessionEvent } from "../record/event.ts";
import { currentSession, type LoginSession, readLoginSession, sessionFile } from "../record/login_session.ts";
import { newSessionId } from "../record/session_id.ts";
import { appendEvent } from "../record/spool.ts";
import { messageOf } from "../terminal/message_of.ts";
import { NoSessionError, NotOnRecordError, type OpenedSession } from "./desk.ts";
import type { Opening, PresentSession } from "./protocol.ts";
import { isExempt } from "./standing.ts";

/** Where the user's sessions and tickets are. */
export type DeskPlaces = Pick<Paths, "user" | "spool" | "hostSpool" | "tickets" | "socket">;

/** An event without what every event of a session has. */
export type Saying = SessionEvent extends infer Kind
  ? Kind extends SessionEvent ? Omit<Kind, "session" | "atUs"> : never
  : never;

/** The half of a desk that needs no tickets and no agent: login sessions in the user's own spool. */
export abstract class SpoolDesk {
  /** Which session this process is in does not change while it lives, once it is in one. */
  #mine: LoginSession | undefined;

  /**
   * @param places where the sessions are
   * @param policy says who is exempt
   */
  constructor(readonly places: DeskPlaces, readonly policy: Policy) {}

  /** See `Desk.session`. */
  // deno-lint-ignore require-await -- what it throws is a rejection, as of every desk
  async session(): Promise<PresentSession | undefined> {
    const session = this.#now();
    if (!session || session.closed) return undefined;
    const { id, ticket, opened, events } = session;
    const switched = events.findLast((event) => event.kind === "ticket switched");
    return {
      id,
      ticket,
      sinceUs: opened.atUs,
      ticketSinceUs: switched?.atUs ?? opened.atUs,
      leaderPid: opened.leaderPid,
      leaderStartTicks: opened.leaderStartTicks,
    };
  }

  /** See `Desk.open`. @throws {Error} when the spool cannot be written */
  // deno-lint-ignore require-await -- as above
  async open(opening: Opening): Promise<OpenedSession> {
    makePrivateFolder(this.places.user);
    makePrivateFolder(this.places.spool);
    const id = newSessionId();
    appendEvent(sessionFile(this.places.spool, id), {
      kind: "session opened",
      session: id,
      atUs: nowUs(),
      user: ownName(),
      uid: effectiveUid(),
      host: Deno.hostname(),
      ...opening,
      ...(opening.emergency === undefined && isExempt(this.policy) ? { exempt: true } : {}),
      leaderPid: Deno.pid,
      leaderStartTicks: processOf("self")?.startTicks ?? 0,
      bootId: bootId(),
    });
    return { id, spoolFile: null };
  }

  /** See `Desk.attach`. */
  attach(): Promise<null> {
    return Promise.resolve(null);
  }

  /** See `Desk.switchTo`. */
  // deno-lint-ignore require-await -- as above
  async switchTo(key: string): Promise<string | null> {
    const session = this.#existing();
    if (session.closed) throw new NoSessionError("this session was closed meanwhile");
    putOnRecord(session, { kind: "ticket switched", from: session.ticket, to: key });
    return session.ticket;
  }

  /** See `Desk.close`. */
  // deno-lint-ignore require-await -- as above
  async close(how: SessionClosed["how"], exitCode: number | undefined): Promise<boolean> {
    const session = this.#existing();
    using file = Deno.openSync(session.file, { append: true, create: true, mode: 0o600 });
    file.lockSync(true);
    if (this.#now()?.closed) return false;
    putOnRecord(session, { kind: "session closed", how, ...(exitCode === undefined ? {} : { exitCode }) });
    return true;
  }

  /**
   * Puts on the session's record what was done.
   *
   * @returns whether this process is in a session
   * @throws {NotOnRecordError}
   */
  say(saying: Saying): boolean {
    const session = this.#now();
    if (session) putOnRecord(session, saying);
    return session !== undefined;
  }

  /** The session as it stands now. One whose file was taken away stands as it was. */
  #now(): LoginSession | undefined {
    const { spool, hostSpool } = this.places;
    this.#mine = this.#mine
      ? readLoginSession(spool, this.#mine.id, hostSpool) ?? this.#mine
      : currentSession(spool, claimedSession(), hostSpool);
    return this.#mine;
  }

  #existing(): LoginSession {
    const session = this.#now();
    if (!session) throw new NoSessionError("this is not in a login session of srvAudit");
    return session;
  }
}

/** What the environment says, whatever bytes it holds. */
function claimedSession(): string | undefined {
  try {
    return Deno.env.get("SRVAUDIT_SESSION");
  } catch {
    // Not UTF-8: no id of a session.
    return undefined;
  }
}

function putOnRecord(session: LoginSession, saying: Saying): void {
  try {
    appendEvent(session.file, { ...saying, session: session.id, atUs: nowUs() } as SessionEvent);
  } catch (error) {
    const reason = messageOf(error);
    throw new NotOnRecordError(
      `cannot put the ${saying.kind} on record: ${reason}: ` +
        `see whether ${session.file} can be written and the disk has room`,
      { cause: error },
    );
  }
}
