/** A receiver of the webhook, written as docs/integrations.md advises: it checks who sends, when, and what, and takes nothing twice. */

import { type ErrorObject } from "ajv";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { Buffer } from "node:buffer";
import { FakeIntake, type IntakeReply, type IntakeRequest, isRecord, parsedJson } from "./fake_intake.ts";

/** The schema that receivers are given. */
export const WEBHOOK_SCHEMA = new URL("../../docs/webhook.schema.json", import.meta.url);
/** How old a delivery may be, or how far ahead, in seconds. */
const WINDOW_S = 300;

/** On loopback, at `/hook?key=`; what it does not take is told with the reason. */
export class WebhookReceiver extends FakeIntake {
  readonly hook: string;
  /** What was taken, the oldest first, each once. */
  readonly news: Record<string, unknown>[] = [];
  /** The deliveries that it has taken, by their ids, in order. */
  readonly deliveries = new Set<string>();
  mostBytes = 1024 * 1024;
  /** Its clock, in milliseconds since 1970. */
  now: () => number = Date.now;
  readonly #known = new Set<unknown>();
  readonly #validate = strictValidator();

  constructor(readonly secret: string) {
    super((request) => this.#answer(request));
    this.hook = `${this.url}/hook?key=abcdefghijkl`;
  }

  async #answer({ method, url, headers, body }: IntakeRequest): Promise<IntakeReply> {
    if (url.pathname + url.search !== "/hook?key=abcdefghijkl") return refusal(404, "no such hook");
    if (method !== "POST") return refusal(405, "POST alone");
    if (headers.get("content-type") !== "application/json") return refusal(415, "JSON alone");
    if (!body || headers.has("content-encoding")) return refusal(415, "nothing packed");
    if (body.length > this.mostBytes) return refusal(413, "too large");
    if (this.secret !== "") {
      const timestamp = headers.get("x-srvaudit-timestamp") ?? "";
      if (!await this.#isSigned(timestamp, headers.get("x-srvaudit-signature") ?? "", body)) {
        return refusal(401, "not signed with our secret");
      }
      const isFresh = /^[0-9]+$/.test(timestamp) &&
        Math.abs(this.now() / 1000 - Number(timestamp)) <= WINDOW_S;
      if (!isFresh) return refusal(401, "too old, or of a clock that is wrong");
    }
    const delivery = parsedJson(body);
    if (!this.#validate(delivery) || !isRecord(delivery)) return refusal(422, told(this.#validate.errors));
    const { delivery: id, news } = delivery;
    const names = [headers.get("x-srvaudit-delivery"), headers.get("idempotency-key")];
    if (names.some((name) => name !== id)) return refusal(422, "a header names another delivery");
    this.#take(String(id), news);
    return { status: 202, body: "taken" };
  }

  async #isSigned(timestamp: string, signature: string, body: Uint8Array): Promise<boolean> {
    const [, hex = ""] = /^v1=([0-9a-f]{64})$/.exec(signature) ?? [];
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const secret = await crypto.subtle.importKey("raw", Buffer.from(this.secret), algorithm, false, [
      "verify",
    ]);
    const signed = Buffer.concat([Buffer.from(`${timestamp}.`), body]);
    return await crypto.subtle.verify("HMAC", secret, Buffer.from(hex, "hex"), signed);
  }

  /** A delivery that is known is taken without being looked at; what else comes twice is known by its own id. */
  #take(delivery: string, news: unknown): void {
    if (this.deliveries.has(delivery)) return;
    this.deliveries.add(delivery);
    for (const one of Array.isArray(news) ? news.filter(isRecord) : []) {
      if (!this.#known.has(one.id)) this.news.push(one);
      this.#known.add(one.id);
    }
  }
}

/** The schema lets more come later; what comes now is all in it. */
function strictValidator(): ValidateFunction {
  const schema: unknown = JSON.parse(Deno.readTextFileSync(WEBHOOK_SCHEMA));
  const definitions = isRecord(schema) && isRecord(schema.$defs) ? Object.values(schema.$defs) : [];
  for (const one of [schema, ...definitions]) {
    if (isRecord(one) && isRecord(one.properties)) one.additionalProperties = false;
  }
  return new Ajv2020({ allErrors: true, strictTypes: false, strictRequired: false }).compile(
    isRecord(schema) ? schema : {},
  );
}

function told(errors: readonly ErrorObject[] | null | undefined): string {
  return (errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`).join(", ");
}

function refusal(status: number, why: string): IntakeReply {
  return { status, body: why };
}
