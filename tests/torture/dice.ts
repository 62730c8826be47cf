/** Chance that can be had again: the same seed gives the same numbers. */

/** Numbers as by chance. */
export class Dice {
  #state: number;

  /** @param seed a whole number */
  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** @returns a number from 0 to 1, 1 excluded (mulberry32) */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @returns a whole number from `least` to `most` */
  between(least: number, most: number): number {
    return least + Math.floor(this.roll() * (most - least + 1));
  }

  /** @returns one of the things */
  pick<Thing>(things: readonly [Thing, ...Thing[]]): Thing {
    return things[this.between(0, things.length - 1)] ?? things[0];
  }
}

/** Waits, where what is waited for is the passing of time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
