export function main(_args: string[]): void {
  throw new Error("ash_query is being built");
}
