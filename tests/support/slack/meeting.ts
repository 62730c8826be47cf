/** A fake Slack, and a sink that talks to it as the dispatcher would have it do. */

import assert from "node:assert/strict";
import type { SlackSettings } from "../../../src/config/sink_settings.ts";
import type { SinkNews } from "../../../src/sinks/news.ts";
import { SlackSink } from "../../../src/sinks/slack/slack_sink.ts";
import { FakeSlack, type Message } from "./fake_slack.ts";
import { botSettings, hookSettings, TestMemory } from "./news.ts";
import { readBlocks } from "./reader.ts";

/** No proxy, no CA of its own. */
export const NETWORK = { proxy: "", noProxy: [], caFile: "" };

/** A fake, and a sink that talks to it without a pause. */
export class Meeting implements AsyncDisposable {
  readonly memory = new TestMemory();
  sink: SlackSink;

  constructor(readonly slack: FakeSlack, readonly settings: SlackSettings) {
    this.sink = new SlackSink(settings, NETWORK, 0);
  }

  static bot(more: Partial<SlackSettings> = {}): Meeting {
    const slack = FakeSlack.start();
    return new Meeting(slack, botSettings(slack, more));
  }

  static hook(more: (slack: FakeSlack) => Partial<SlackSettings> = () => ({})): Meeting {
    const slack = FakeSlack.start();
    return new Meeting(slack, hookSettings(slack, more(slack)));
  }

  /** As the dispatcher does it: what is remembered is kept with the batch, or not at all. */
  async tell(...batch: SinkNews[]): Promise<string> {
    try {
      const { answer, refused } = await this.sink.deliver(batch, this.memory, new AbortController().signal);
      assert.deepEqual(refused, []);
      this.memory.keep();
      return answer;
    } catch (error) {
      this.memory.forget();
      throw error;
    }
  }

  /** The agent was killed, and starts anew. */
  restart(): void {
    this.sink[Symbol.dispose]();
    this.sink = new SlackSink(this.settings, NETWORK, 0);
  }

  messages(channel = "ops"): Message[] {
    return this.slack.channel(channel).messages;
  }

  texts(channel = "ops"): string[] {
    return this.messages(channel).map(({ blocks }) => readBlocks(blocks).text);
  }

  lines(): string[] {
    return this.slack.requests.map(({ line }) => line.replace("POST /api/", "").replace("GET /api/", ""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.sink[Symbol.dispose]();
    await this.slack[Symbol.asyncDispose]();
  }
}
