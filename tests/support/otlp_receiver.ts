/**
 * A receiver of OTLP's logs, as strict as the specification: https://opentelemetry.io/docs/specs/otlp/ . What it is sent must come
 * through OpenTelemetry's own generated protobuf code, to its bytes and back, as it was: no field that is unknown, none of another
 * type, no name of an enum, no number for 64 bits.
 */

import root from "@opentelemetry/otlp-transformer/build/src/generated/root.js";
import { isDeepStrictEqual } from "node:util";
import type { AnyValue, KeyValue } from "../../src/sinks/otlp/any_value.ts";
import type { ExportLogsServiceRequest, LogRecord } from "../../src/sinks/otlp/log_record.ts";
import { FakeIntake, type IntakeReply, type IntakeRequest, isRecord, parsedJson } from "./fake_intake.ts";

/** A record, with what is said of all that came with it. */
export interface ReceivedRecord extends Omit<LogRecord, "attributes" | "body"> {
  body: unknown;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
}

/** The part of what protobufjs generates that is used here. */
interface GeneratedType {
  fromObject(json: object): object;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: object): object;
}

/** OTLP/HTTP Request: "It is RECOMMENDED to use 20 MiB as the default limit". */
const MOST_BYTES = 20 * 1024 * 1024;

/** What the registry has, and of which type: https://opentelemetry.io/docs/specs/semconv/registry/attributes/ */
const CONVENTIONS: Readonly<Record<string, "stringValue" | "intValue">> = {
  "client.address": "stringValue",
  "host.name": "stringValue",
  "log.record.uid": "stringValue",
  "os.type": "stringValue",
  "process.command_line": "stringValue",
  "process.creation.time": "stringValue",
  "process.exit.code": "intValue",
  "process.exit.time": "stringValue",
  "process.user.id": "intValue",
  "process.working_directory": "stringValue",
  "service.name": "stringValue",
  "service.version": "stringValue",
  "session.id": "stringValue",
  "user.id": "stringValue",
  "user.name": "stringValue",
};

/** A collector on loopback; what it does not take is told with the reason. */
export class OtlpReceiver extends FakeIntake {
  /** What was taken, the oldest first. */
  readonly records: ReceivedRecord[] = [];
  /** Whether what is behind it rejects a record. */
  rejects: (record: ReceivedRecord) => boolean = () => false;
  mostBytes = MOST_BYTES;

  constructor() {
    super((request) => this.#answer(request));
  }

  #answer({ method, url, headers, body, packedBytes }: IntakeRequest): IntakeReply {
    // OTLP/HTTP Request
    if (url.pathname !== "/v1/logs") return status(404, "no such path");
    if (method !== "POST") return status(405, "POST alone");
    if (headers.get("content-type") !== "application/json") return status(415, "JSON alone");
    if (!body) return status(400, "cannot be unpacked");
    if (Math.max(body.length, packedBytes) > this.mostBytes) return status(413, "too large");
    try {
      return this.#take(checkedRequest(parsedJson(body)));
    } catch (error) {
      // OTLP/HTTP Response, Bad Data
      return status(400, String(error));
    }
  }

  /** OTLP/HTTP Response, Full Success, Partial Success. */
  #take(request: ExportLogsServiceRequest): IntakeReply {
    const all = request.resourceLogs.flatMap(({ resource, scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) => logRecords.map((record) => received(record, resource.attributes)))
    );
    const rejected = all.filter(this.rejects);
    this.records.push(...all.filter((record) => !rejected.includes(record)));
    if (rejected.length === 0) return { status: 200, body: {} };
    const rejectedLogRecords = String(rejected.length);
    return { status: 200, body: { partialSuccess: { rejectedLogRecords, errorMessage: "not these" } } };
  }
}

/** OTLP/HTTP Response, Failures: a google.rpc.Status. */
function status(code: number, message: string): IntakeReply {
  return { status: code, body: { message } };
}

/** JSON Protobuf Encoding, and what the .proto files demand. */
function checkedRequest(json: unknown): ExportLogsServiceRequest {
  if (!isRecord(json)) throw new Error("no object of JSON in UTF-8");
  // The generated code says nothing of its types.
  const { opentelemetry } = root as unknown as {
    opentelemetry: {
      proto: { collector: { logs: { v1: { ExportLogsServiceRequest: GeneratedType } } } };
    };
  };
  const type = opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
  const bytes = type.encode(type.fromObject(json)).finish();
  const again = type.toObject(type.decode(bytes), { longs: String, enums: Number, bytes: String });
  if (!isDeepStrictEqual({ ...again }, json)) {
    throw new Error(`protobuf understands ${JSON.stringify(again).slice(0, 500)}`);
  }
  const request = again as ExportLogsServiceRequest;
  // Empty Telemetry Envelopes
  check(request.resourceLogs.length > 0, "nothing in it");
  for (const { resource, scopeLogs } of request.resourceLogs) {
    checkAttributes(resource.attributes);
    check(scopeLogs.length > 0, "a resource with nothing in it");
    for (const { logRecords } of scopeLogs) {
      check(logRecords.length > 0, "a scope with nothing in it");
      logRecords.forEach(checkRecord);
    }
  }
  return request;
}

/** The comments of logs.proto. */
function checkRecord(record: LogRecord): void {
  check(
    record.severityNumber >= 1 && record.severityNumber <= 24,
    "SEVERITY_NUMBER_UNSPECIFIED MUST NOT be used",
  );
  check(Number(record.observedTimeUnixNano) > 0, "observed_time_unix_nano MUST be set");
  check(record.timeUnixNano !== "0", "a time of 0 is an unknown one");
  // Logs Data Model, Field: EventName
  check(record.eventName !== "", "no name");
  checkAttributes(record.attributes);
}

/** The comments of common.proto, and the registry of the semantic conventions. */
function checkAttributes(attributes: readonly KeyValue[]): void {
  const keys = attributes.map(({ key }) => key);
  check(new Set(keys).size === keys.length, "Attribute keys MUST be unique");
  for (const { key, value } of attributes) {
    check(Object.keys(value).length === 1, `${key}: one of the values`);
    if (key.startsWith("srvaudit.")) {
      check(/^[a-z]+([._][a-z]+)+$/.test(key), `${key}: no name for an attribute`);
    } else {check(
        CONVENTIONS[key] === Object.keys(value)[0],
        `${key}: not in the registry, or of another type`,
      );}
  }
}

function check(isRight: boolean, rule: string): void {
  if (!isRight) throw new Error(rule);
}

function received({ attributes, body, ...record }: LogRecord, resource: readonly KeyValue[]): ReceivedRecord {
  return { ...record, body: plain(body), attributes: plainly(attributes), resource: plainly(resource) };
}

function plainly(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

function plain(value: AnyValue): unknown {
  if ("arrayValue" in value) return value.arrayValue.values.map(plain);
  if ("intValue" in value) return BigInt(value.intValue);
  return Object.values(value)[0];
}
