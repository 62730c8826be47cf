/**
 * Who may open a session, and on what terms. `hello` asks by the same policy; what it says is not believed here, since a
 * user can speak to the socket herself.
 */

import type { Policy } from "../config/policy.ts";
import { compiledTicketPattern } from "../config/ticket_pattern.ts";
import { ERRORS, type Opening } from "../desk/protocol.ts";
import { groupId } from "../posix/groups.ts";
import type { Account } from "../posix/libc.ts";
import { credentialsOf, processOf } from "../posix/process.ts";
import { type Ticket, TicketRefusedError, TrackerUnavailableError } from "../trackers/tracker.ts";
import { type Peer, RequestError } from "./server.ts";
import type { Marks } from "./sessions.ts";
import type { Tickets } from "./tickets.ts";

/** Under what terms a session may begin. */
export interface Admitted {
  ticket: string | null;
  marks: Marks;
}

/** Admits sessions, by the policy of the day. */
export class Admission {
  #policy: Policy;
  #ticketPattern;
  #breakGlass: number | undefined;
  #exempt: number[] = [];

  /** @param policy what is decided by */
  constructor(policy: Policy, readonly tickets: Pick<Tickets, "find" | "isDown" | "tracker">) {
    this.#policy = policy;
    this.#ticketPattern = compiledTicketPattern(policy.ticketPattern);
    this.follow(policy);
  }

  /** Goes on by another policy. Groups are looked up now, so that no login waits for that. */
  follow(policy: Policy): void {
    this.#policy = policy;
    this.#ticketPattern = compiledTicketPattern(policy.ticketPattern);
    this.#breakGlass = policy.breakGlassGroup === "" ? undefined : groupId(policy.breakGlassGroup);
    this.#exempt = policy.exemptGroups.map(groupId).filter((gid) => gid !== undefined);
  }

  /** @throws {RequestError} if the policy does not let the session begin */
  async admit(peer: Peer, account: Account, opening: Opening): Promise<Admitted> {
    const { emergency, ticket, mode } = opening;
    if (emergency !== undefined) {
      if (!this.#isIn(peer, [this.#breakGlass])) throw refused(`${account.name} may not call an emergency`);
      return { ticket: null, marks: { emergency } };
    }
    const isExempt = this.#policy.exemptUsers.includes(account.name) || this.#isIn(peer, this.#exempt);
    if (ticket !== null) return await this.#onTicket(account, ticket, isExempt);
    if (isExempt) return { ticket: null, marks: { exempt: true } };
    if (mode === "interactive") return await this.#withoutTicket(account, opening);
    if (this.#policy.nonInteractive === "record") return { ticket: null, marks: {} };
    throw refused(
      this.#policy.nonInteractive === "deny"
        ? 'commands without a terminal are refused here (nonInteractive="deny")'
        : "a command without a terminal needs a ticket in SRVAUDIT_TICKET",
    );
  }

  async #onTicket(account: Account, key: string, isExempt: boolean): Promise<Admitted> {
    const exempt: Marks = isExempt ? { exempt: true } : {};
    const ticket = await this.#find(account, key);
    if (ticket === "unverified") {
      return { ticket: this.tickets.tracker.keyOf(key), marks: { ...exempt, unverified: true } };
    }
    if (ticket?.open) return { ticket: ticket.key, marks: exempt };
    throw refused(ticket ? `ticket ${ticket.key} is ${ticket.status}` : `there is no ticket ${key}`);
  }

  /**
   * Whether somebody may go on within a session that is on a ticket by her own word.
   *
   * @throws {TrackerUnavailableError} where that cannot be told, and the policy wants it told
   */
  async mayStay(account: Account, key: string): Promise<boolean> {
    try {
      const ticket = await this.#find(account, key);
      return ticket === "unverified" || ticket?.open === true;
    } catch (error) {
      if (error instanceof RequestError) return false;
      throw error;
    }
  }

  /**
   * @returns the ticket, if there is one; `unverified` where the tracker cannot say, and the policy takes her word
   * @throws {RequestError} where the tracker does not let her work there, or her word can be none
   */
  async #find(account: Account, key: string): Promise<Ticket | undefined | "unverified"> {
    try {
      return await this.tickets.find(account.uid, key);
    } catch (error) {
      if (error instanceof TicketRefusedError) throw refused(error.message);
      if (!(error instanceof TrackerUnavailableError) || this.#policy.onTrackerOutage === "deny") throw error;
      const isKey = [key, this.tickets.tracker.keyOf(key)].some((one) => this.#ticketPattern.matches(one));
      if (!isKey) throw refused(`${key} is no ticket's number`);
      return "unverified";
    }
  }

  /** Only where the agent itself has seen that the tracker cannot be asked now: the ticket is made later. */
  async #withoutTicket(account: Account, { wanted }: Opening): Promise<Admitted> {
    // A wish is for outages: where none is borne, it is nobody's from `hello`.
    if (this.#policy.onTrackerOutage === "deny") throw refused("a session needs a ticket");
    if (await this.tickets.isDown(account.uid)) {
      return { ticket: null, marks: wanted === undefined ? {} : { wanted } };
    }
    throw refused(
      wanted === undefined
        ? "a session needs a ticket"
        : "tickets can be made again by now: log in once more, and give the same answers",
    );
  }

  #isIn(peer: Peer, wanted: readonly (number | undefined)[]): boolean {
    const credentials = credentialsOf(peer.pid);
    if (credentials?.effectiveUid !== peer.uid || processOf(peer.pid)?.startTicks !== peer.startTicks) {
      return false;
    }
    const groups = [credentials.effectiveGid, ...credentials.groups];
    return wanted.some((gid) => gid !== undefined && groups.includes(gid));
  }
}

function refused(message: string): RequestError {
  return new RequestError(ERRORS.refused, message);
}
