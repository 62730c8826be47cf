/** Users who speak to the agent's socket by hand. */

import type { TestHost, TestUser } from "./sshd.ts";

/** What the agent says to a request. */
export interface AgentReply {
  result?: Partial<Record<string, unknown>> | null;
  error?: { code: number; message: string };
}

/** Puts the program that asks, `ask_agent.pl`, into a user's home. */
export async function bringAskAgent(host: TestHost, user: TestUser): Promise<void> {
  const file = new URL("ask_agent.pl", import.meta.url);
  await host.write(user, "ask_agent.pl", await Deno.readTextFile(file));
}

/** The words of a shell that ask the agent: for a user's login, or for `host.as`. */
export function askAgentWords(host: TestHost, method: string, params: object = {}): string[] {
  // The socket as the users of the host see it.
  const socket = host.program("hello").startsWith("/usr/")
    ? "/run/srvaudit/agent.sock"
    : `${host.root}/run/srvaudit/agent.sock`;
  return ["perl", "ask_agent.pl", socket, method, JSON.stringify(params)];
}

/** Asks as a user who is in no session. */
export async function askAgentAs(
  host: TestHost,
  user: TestUser,
  method: string,
  params: object = {},
): Promise<AgentReply> {
  const { code, text, errors } = await host.as(user, askAgentWords(host, method, params));
  if (code !== 0) throw new Error(errors);
  return JSON.parse(text);
}
