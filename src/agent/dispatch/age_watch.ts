import type { SinkStatus } from "../../desk/protocol.ts";
import { LATE_US, NOTHING_FAILED } from "../../sinks/late.ts";
import { log } from "../log.ts";

/** A sink that was late is so until nothing has waited longer than this, in microseconds. */
const YOUNG_US = 60_000_000;

/** Says in the log that a sink is late, once, and once that it is not any more. */
export class AgeWatch {
  #isLate = false;

  constructor(readonly sink: string) {}

  /** To be called every few seconds. */
  look({ oldestUs, depth, reason }: Pick<SinkStatus, "oldestUs" | "depth" | "reason">, nowUs: number): void {
    const ageUs = oldestUs === null ? 0 : nowUs - oldestUs;
    const why = reason ?? NOTHING_FAILED;
    const about = { sink: this.sink, depth, reason: why, minutes: Math.floor(ageUs / 60e6) };
    if (ageUs > LATE_US && !this.#isLate) {
      this.#isLate = true;
      log.warn("{sink} was not told of what happened {minutes} minutes ago: {reason}", about);
    } else if (ageUs < YOUNG_US && this.#isLate) {
      this.#isLate = false;
      log.info("{sink} is told of everything in time again", { sink: this.sink });
    }
  }
}
