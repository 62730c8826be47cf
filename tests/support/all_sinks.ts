/** All six sinks at once: strict fakes, and a real rsyslogd by TLS, each behind a network that fails at will. */

import { BrokenProxy } from "./broken_proxy.ts";
import { FakeDatadog } from "./datadog/fake_datadog.ts";
import { isRecord } from "./fake_intake.ts";
import { FakeNewRelic } from "./new_relic/fake_new_relic.ts";
import { OtlpReceiver } from "./otlp_receiver.ts";
import { Rsyslog } from "./rsyslog.ts";
import { FakeSlack, type Message } from "./slack/fake_slack.ts";
import { readBlocks } from "./slack/reader.ts";
import { WebhookReceiver } from "./webhook_receiver.ts";

/** Those that hear of every event, and those among them that are reached through a proxy. */
export const HEARERS = ["datadog", "newRelic", "syslog", "otlp", "webhook"] as const;
export type Hearer = (typeof HEARERS)[number];
type Proxied = "slack" | Exclude<Hearer, "syslog">;

/** A UUIDv8: of all that is told, news alone have one. */
const NEWS_ID = /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;

/** They run until they are disposed of. */
export class AllSinks implements AsyncDisposable {
  readonly slack = slackOfToday();
  readonly datadog = FakeDatadog.start();
  readonly newRelic = FakeNewRelic.start();
  readonly otlp = new OtlpReceiver();
  readonly webhook = new WebhookReceiver(randomSecret());
  readonly proxies: Readonly<Record<Proxied, BrokenProxy>> = {
    slack: new BrokenProxy(this.slack.apiUrl),
    datadog: new BrokenProxy(this.datadog.url),
    newRelic: new BrokenProxy(this.newRelic.url),
    otlp: new BrokenProxy(this.otlp.url),
    webhook: new BrokenProxy(this.webhook.url),
  };
  readonly #otlpKey = randomSecret();
  readonly #webhookKey = randomSecret();

  private constructor(readonly rsyslog: Rsyslog) {}

  /** @throws {Error} if rsyslogd does not start */
  static async start(): Promise<AllSinks> {
    return new AllSinks(await Rsyslog.start());
  }

  /** The lines of a host's config that switch them on: Slack hears of sessions, the others of commands too. */
  get config(): string[] {
    const { proxies } = this;
    return [
      `slackToken="${this.slack.world.token}"`,
      `slackApiURL="${proxies.slack.url}"`,
      'slackChannel="C0000000OPS"',
      'slackEmergencyChannel="C000000EMER"',
      `datadogKey="${this.datadog.key}"`,
      `datadogURL="${proxies.datadog.url}"`,
      'datadogTags="env:test"',
      `newRelicLicenseKey="${this.newRelic.licenseKey}"`,
      `newRelicAccount="${this.newRelic.account}"`,
      `newRelicURL="${proxies.newRelic.url}"`,
      `syslogURL="tls://127.0.0.1:${this.rsyslog.tlsPort}"`,
      `caFile="${this.rsyslog.network.caFile}"`,
      `otlpURL="${proxies.otlp.url}"`,
      `otlpHeaders="api-key=${this.#otlpKey}"`,
      `webhookURL="${proxies.webhook.url}/hook${new URL(this.webhook.hook).search}"`,
      `webhookSecret="${this.webhook.secret}"`,
      `webhookHeaders="x-key=${this.#webhookKey}"`,
    ];
  }

  /** What nobody but the agent may know of it. */
  get secrets(): string[] {
    return [
      this.slack.world.token,
      this.datadog.key,
      this.newRelic.licenseKey,
      this.#otlpKey,
      new URL(this.webhook.hook).search,
      this.webhook.secret,
      this.#webhookKey,
    ];
  }

  /** The ids of all that a sink has taken, in the order of its coming; what came twice is there twice. */
  async heard(name: Hearer): Promise<string[]> {
    switch (name) {
      case "datadog":
        return this.datadog.logs.indexed.map((log) => String(inner(log, "srvaudit").id));
      case "newRelic":
        return this.newRelic.logs.stored.map(({ newsId }) => String(newsId));
      case "syslog":
        return (await this.rsyslog.heard()).map(({ params }) => String(params?.id));
      case "otlp":
        return this.otlp.records.map(({ attributes }) => String(attributes["log.record.uid"]));
      case "webhook":
        return this.webhook.requests.filter(({ status }) => status === 202).flatMap(({ text }) =>
          idsIn(text)
        );
    }
  }

  /** When each was there first, in milliseconds since 1970, by its id; also what was not taken then. */
  async arrivals(name: Hearer): Promise<Map<string, number>> {
    const arrivals = new Map<string, number>();
    if (name === "syslog") {
      for (const { params, timegenerated } of await this.rsyslog.heard()) {
        const id = String(params?.id);
        if (!arrivals.has(id)) arrivals.set(id, Date.parse(timegenerated));
      }
      return arrivals;
    }
    for (const { text, atMs } of this[name].requests) {
      for (const [id] of text.matchAll(NEWS_ID)) if (!arrivals.has(id)) arrivals.set(id, atMs);
    }
    return arrivals;
  }

  /** How many sessions Slack shows as over. */
  get slackOver(): number {
    return this.slack.channel("ops").messages.filter(({ metadata, blocks }) =>
      payloadOf(metadata).session !== undefined && readBlocks(blocks).text.includes("over after")
    ).length;
  }

  /** What they were sent and could not keep as it came: empty where all is well. */
  get spoilt(): unknown[] {
    return [
      ...this.datadog.logs.spoilt,
      ...this.newRelic.logs.spoilt,
      ...this.newRelic.events.dropped,
    ];
  }

  /** The message that Slack keeps of a session, and what is in its thread. */
  slackOf(session: string): { card: Message; thread: Message[] } | undefined {
    const { messages } = this.slack.channel("ops");
    const [card, ...more] = messages.filter(({ metadata }) => payloadOf(metadata).session === session);
    if (!card) return undefined;
    if (more.length > 0) throw new Error(`${more.length + 1} messages of session ${session}`);
    return { card, thread: messages.filter(({ thread }) => thread === card.ts) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const proxy of Object.values(this.proxies)) proxy[Symbol.dispose]();
    const all = [this.slack, this.datadog, this.newRelic, this.otlp, this.webhook, this.rsyslog];
    for (const one of all) await one[Symbol.asyncDispose]();
  }
}

/** The news that a message of Slack's tells, by their ids. */
export function newsIn({ metadata }: Message): string[] {
  const { news } = payloadOf(metadata);
  return typeof news === "string" ? news.split(" ") : [];
}

function payloadOf(metadata: Message["metadata"]): Record<string, unknown> {
  return isRecord(metadata?.event_payload) ? metadata.event_payload : {};
}

/** A Slack whose clock goes right: the agent reads what was posted since something has happened. */
function slackOfToday(): FakeSlack {
  const slack = FakeSlack.start();
  let lastUs = 0;
  slack.world.nextTs = () => {
    lastUs = Math.max(lastUs + 1, Date.now() * 1000);
    return `${Math.floor(lastUs / 1e6)}.${String(lastUs % 1e6).padStart(6, "0")}`;
  };
  return slack;
}

function randomSecret(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

function inner(value: Record<string, unknown>, name: string): Record<string, unknown> {
  const found = value[name];
  return isRecord(found) ? found : {};
}

/** Of all news in a delivery of the webhook. */
function idsIn(delivery: string): string[] {
  const { news }: { news: { id: string }[] } = JSON.parse(delivery);
  return news.map(({ id }) => id);
}
