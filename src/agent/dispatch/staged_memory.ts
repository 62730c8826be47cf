import type { SinkRows } from "../../evidence/sink_rows.ts";
import type { SinkMemory } from "../../sinks/sink.ts";

/** A sink's memory while a batch is under way: what is set is seen at once, and written with what became of the batch. */
export class StagedMemory implements SinkMemory {
  readonly #staged = new Map<string, string | null>();

  constructor(readonly rows: Pick<SinkRows, "remembered" | "remember">, readonly sink: string) {}

  get(name: string): string | undefined {
    const staged = this.#staged.get(name);
    return staged === undefined ? this.rows.remembered(this.sink, name) : staged ?? undefined;
  }

  set(name: string, value: string | null): void {
    this.#staged.set(name, value);
  }

  /** Within the transaction of the batch. */
  write(nowUs: number): void {
    for (const [name, value] of this.#staged) this.rows.remember(this.sink, name, value, nowUs);
  }
}
