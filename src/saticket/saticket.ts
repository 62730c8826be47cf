export function main(_args: string[]): void {
  throw new Error("saticket is being built");
}
