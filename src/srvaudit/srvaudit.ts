export function main(_args: string[]): void {
  throw new Error("srvaudit is being built");
}
