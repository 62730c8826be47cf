import type { DeadLetter } from "../../evidence/sink_rows.ts";
import { isUrgent, type SinkNews } from "../../sinks/news.ts";
import type { Refused, Sink } from "../../sinks/sink.ts";

/** News that goes to a sink at one time: no more than it takes. */
export class Batch {
  readonly news: SinkNews[] = [];
  #bytes = 0;
  /** Whether there is no room for what came next. */
  isFull = false;
  /** Whether somebody must look at it now. */
  isUrgent = false;

  /**
   * @param most how many news, if that is less than the sink takes
   * @param upTo the `seq` up to which it has everything that is wanted
   */
  constructor(readonly sink: Pick<Sink, "limits" | "sizeOf">, readonly most: number, public upTo: number) {}

  /** Adds news; what is larger than a whole batch may be goes alone. */
  add(news: SinkNews): void {
    if (this.isFull) return;
    const { limits } = this.sink;
    const bytes = this.#bytes + this.sink.sizeOf(news);
    if (this.news.length > 0 && bytes > limits.bytes) {
      this.#close(news);
      return;
    }
    this.news.push(news);
    this.#bytes = bytes;
    this.isUrgent ||= isUrgent(news);
    this.upTo = news.seq;
    this.isFull = this.news.length >= Math.min(limits.count, this.most);
  }

  /** Whatever lies up to that event, and was not added, is not wanted. */
  reached(upTo: number): void {
    if (!this.isFull) this.upTo = upTo;
  }

  /** How much there is of what alone is larger than a whole batch may be; undefined where it fits. */
  get excess(): number | undefined {
    return this.#bytes > this.sink.limits.bytes ? this.#bytes : undefined;
  }

  #close({ seq }: SinkNews): void {
    this.isFull = true;
    this.upTo = seq - 1;
  }
}

/** @returns those of a batch that its sink has refused, in their order */
export function lettersOf(refused: readonly Refused[], news: readonly SinkNews[]): DeadLetter[] {
  const reasons = new Map(refused.map(({ id, reason }) => [id, reason]));
  return news.flatMap(({ id, seq }) => {
    const reason = reasons.get(id);
    return reason === undefined ? [] : [{ seq, reason }];
  });
}
