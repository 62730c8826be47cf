/** OpenTelemetry: every news a log record, by OTLP/HTTP in JSON. https://opentelemetry.io/docs/specs/otlp/ */

import * as z from "zod/mini";
import type { OtlpSettings } from "../../config/sink_settings.ts";
import type { NetworkSettings } from "../../config/tracker_settings.ts";
import { HttpStatusError } from "../../net/http.ts";
import { HttpClient } from "../../net/http_client.ts";
import { beginningOf, sinkError } from "../http_errors.ts";
import type { SinkNews } from "../news.ts";
import {
  type Limits,
  type Outcome,
  type Sink,
  type SinkMemory,
  SinkRefusedError,
  SinkUnavailableError,
} from "../sink.ts";
import { exportRequest, logRecord } from "./log_record.ts";

/** OTLP/HTTP Response, Retryable Response Codes: whatever else is an error of the request or the server is not sent again. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Those that HTTP has for what may be sent again, and OTLP has not. */
const NOT_RETRYABLE: ReadonlySet<number> = new Set([408, 409, 425]);

const REPLY = z.object({
  partialSuccess: z.optional(z.nullable(z.object({
    // 64 bits: a decimal string, by the rules; receivers that write a number are many.
    rejectedLogRecords: z.optional(z.union([z.number(), z.string().check(z.regex(/^-?[0-9]+$/))])),
    errorMessage: z.optional(z.string()),
  }))),
});

/** Tells a collector, or whatever else takes OTLP's logs. */
export class OtlpSink implements Sink {
  readonly name = "otlp";
  /** A collector takes 20 MiB, what stands behind it often 4: a record alone has 1.5 MB at most. */
  readonly limits: Limits = { count: 1_000, bytes: 3_000_000, lingerMs: 250, paceMs: 0 };
  readonly #http: HttpClient;

  /** @throws {HttpError} for a CA file that cannot be used */
  constructor({ url, headers }: OtlpSettings, network: NetworkSettings) {
    this.#http = new HttpClient({
      service: "OTLP",
      url,
      headers,
      network,
      configKeys: { url: "otlpURL", secret: "otlpHeaders" },
    });
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  sizeOf(news: SinkNews): number {
    return new TextEncoder().encode(JSON.stringify(logRecord(news, Date.now()))).length + 1;
  }

  async deliver(batch: readonly SinkNews[], _memory: SinkMemory, signal: AbortSignal): Promise<Outcome> {
    const { status, text } = await this.#http.text({
      method: "POST",
      path: "/v1/logs",
      body: exportRequest(batch, Date.now()),
      gzip: true,
      signal,
    }).catch((error) => {
      throw otlpError(error);
    });
    const { rejected: said, message } = readReply(text);
    const rejected = Math.min(said, batch.length);
    const answer = [`${batch.length - rejected} taken (${status})`, beginningOf(message)];
    return {
      refused: refusedOf(batch, rejected, message),
      answer: answer.filter((part) => part !== "").join(": "),
    };
  }
}

/**
 * OTLP/HTTP Response, Partial Success: it says how many records are rejected, and not which.
 *
 * @throws {SinkRefusedError} where it is not plain which: they are told again by halves, until each that is rejected is alone. All
 * records keep their log.record.uid, so that who has one already knows it.
 */
function refusedOf(batch: readonly SinkNews[], rejected: number, message: string): Outcome["refused"] {
  if (rejected === 0) return [];
  const reason = `OTLP: rejected${message && `: ${beginningOf(message)}`}`;
  if (rejected < batch.length) {
    throw new SinkRefusedError(`${reason} (${rejected} of ${batch.length} log records)`);
  }
  return batch.map(({ id }) => ({ id, reason }));
}

/** @throws {SinkUnavailableError} for what is no reply of OTLP's: a portal's, or a proxy's, in front of it */
function readReply(text: string): { rejected: number; message: string } {
  // Some have nothing to say, and say 204.
  if (text.trim() === "") return { rejected: 0, message: "" };
  const { data } = REPLY.safeParse(parsed(text));
  if (!data) {
    throw new SinkUnavailableError("OTLP: answered, but not as OTLP's receivers do: see otlpURL");
  }
  const { rejectedLogRecords = 0, errorMessage = "" } = data.partialSuccess ?? {};
  return { rejected: Math.max(0, Number(rejectedLogRecords)), message: errorMessage };
}

function otlpError(error: unknown): unknown {
  if (!(error instanceof HttpStatusError)) return sinkError(error);
  const { status } = error;
  const detail = detailOf(error);
  if (NOT_RETRYABLE.has(status) || (status >= 500 && !RETRYABLE.has(status))) {
    return new SinkRefusedError(error.message + (detail && `: ${detail}`), { cause: error });
  }
  return sinkError(error, detail);
}

/** OTLP/HTTP Response, Failures: errors are a google.rpc.Status. */
function detailOf({ body, text }: HttpStatusError): string {
  const { data } = z.object({ message: z.string() }).safeParse(body);
  return beginningOf(data?.message ?? text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
