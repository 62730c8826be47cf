/** Values and attributes in OTLP's JSON: opentelemetry/proto/common/v1/common.proto. */

/** A value; integers are decimal strings there, since JSON's own numbers lose digits. */
export type AnyValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { arrayValue: { values: AnyValue[] } };

/** An attribute. */
export interface KeyValue {
  key: string;
  value: AnyValue;
}

/** What becomes a value: numbers are integers. */
export type Fact = string | number | boolean | readonly number[];

/**
 * @param facts by their names; what is null or undefined is no attribute
 *
 * @example
 * ```ts
 * attributesOf({ "process.exit.code": 1 }); // [{ key: "process.exit.code", value: { intValue: "1" } }]
 * ```
 */
export function attributesOf(facts: Readonly<Record<string, Fact | null | undefined>>): KeyValue[] {
  return Object.entries(facts).flatMap(([key, fact]) =>
    fact === null || fact === undefined ? [] : [{ key, value: valueOf(fact) }]
  );
}

/** @returns a text as protobuf can have it: half a character becomes U+FFFD */
export function valueOf(fact: Fact): AnyValue {
  switch (typeof fact) {
    case "string":
      return { stringValue: fact.toWellFormed() };
    case "boolean":
      return { boolValue: fact };
    case "number":
      return { intValue: String(Math.trunc(fact)) };
    default:
      return { arrayValue: { values: fact.map(valueOf) } };
  }
}
