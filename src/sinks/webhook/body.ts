/** What a webhook is sent: docs/webhook.schema.json describes it for receivers. */

import { createHash } from "node:crypto";
import { cutToJsonBytes } from "../cut_text.ts";
import type { SinkNews } from "../news.ts";
import { newsId } from "../news_id.ts";

/** The schema's: another one where what is there gets another meaning, or goes. */
const SCHEMA_VERSION = 1;
/** Many receivers take 1 MB at a time, and news has three texts that people can make so long. */
const MOST_TEXT_BYTES = 250_000;

/** News as JSON. Texts that are too long end early: `cutCharacters` says how much is gone of them. */
export function newsJson(news: SinkNews): string {
  let cutCharacters = 0;
  const json = JSON.stringify(news, (_name, value) => {
    if (typeof value !== "string") return value;
    const { text, cut } = cutToJsonBytes(value, MOST_TEXT_BYTES);
    cutCharacters += cut;
    // Half a character is no text to many who read JSON.
    return text.toWellFormed();
  });
  return cutCharacters === 0 ? json : `${json.slice(0, -1)},"cutCharacters":${cutCharacters}}`;
}

/** A delivery, and by what its receiver knows it again. */
export interface Delivery {
  /** The same for the same news, however often they are sent. */
  id: string;
  body: Uint8Array;
}

/** @param batch not empty */
export function makeDelivery(batch: readonly SinkNews[]): Delivery {
  const ids = batch.map((news) => news.id).join("\n");
  const id = newsId(createHash("sha256").update(ids).digest());
  const head = JSON.stringify({ version: SCHEMA_VERSION, host: batch[0]?.host, delivery: id });
  const body = `${head.slice(0, -1)},"news":[${batch.map(newsJson).join(",")}]}`;
  return { id, body: new TextEncoder().encode(body) };
}
