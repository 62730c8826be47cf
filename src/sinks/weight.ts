import type { SinkNews } from "./news.ts";

/** How much news weigh. */
export type Weight = "usual" | "failure" | "emergency" | "tamper";

/** A command that fails is nothing unusual: it weighs less than what somebody must look at. So does one whose end nobody saw. */
export function weightOf({ kind, session, command }: SinkNews): Weight {
  if (kind === "tamper") return "tamper";
  if (kind === "session opened" && session?.emergency !== undefined) return "emergency";
  return kind === "command" && command?.exitCode !== 0 ? "failure" : "usual";
}
