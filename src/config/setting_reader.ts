/** Reads the values of a config, each by its key, and goes on after one that is wrong, so that every error is found. */

import { messageOf } from "../terminal/message_of.ts";
import type { Findings } from "./findings.ts";
import type { Setting } from "./key_values.ts";

/** The settings of one file. */
export class SettingReader {
  /**
   * @param secrets the keys whose values are in no message
   * @param errors where is added what is wrong
   * @param warnings where is added what may not be what was meant
   */
  constructor(
    readonly settings: ReadonlyMap<string, Setting>,
    readonly secrets: readonly string[],
    readonly errors: Findings,
    readonly warnings: Findings,
  ) {}

  /**
   * @param read throws an Error that says what the value is not
   * @param otherwise what a key that is not there means
   */
  read<Value>(key: string, read: (value: string) => Value, otherwise: Value): Value {
    const setting = this.settings.get(key);
    if (setting === undefined) return otherwise;
    try {
      return read(setting.value);
    } catch (error) {
      this.errors.add(setting.line, `${this.#shown(key, setting.value)} ${messageOf(error)}`);
      return otherwise;
    }
  }

  /** The same for a key that is there empty where nothing is set, as in the config that is shipped. */
  readIfSet<Value>(key: string, read: (value: string) => Value, otherwise: Value): Value {
    return this.isSet(key) ? this.read(key, read, otherwise) : otherwise;
  }

  /** Whether there is such a key, with a value. */
  isSet(key: string): boolean {
    return (this.settings.get(key)?.value ?? "") !== "";
  }

  /** Says what is wrong with a key that is there. */
  wrong(key: string, words: string): void {
    const setting = this.settings.get(key);
    this.errors.add(setting?.line ?? 0, `${this.#shown(key, setting?.value ?? "")} ${words}`);
  }

  /** Says what may not have been meant with a key that is there. */
  doubtful(key: string, words: string): void {
    const setting = this.settings.get(key);
    this.warnings.add(setting?.line ?? 0, `${this.#shown(key, setting?.value ?? "")} ${words}`);
  }

  #shown(key: string, value: string): string {
    // In an address what stands before @, or behind ?, may be a secret as well.
    const isSecret = this.secrets.includes(key) || (key.endsWith("URL") && /[@?#]/.test(value));
    return isSecret ? key : `${key}="${value}"`;
  }
}
