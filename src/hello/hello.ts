export function main(_isLogin: boolean, _args: string[]): void {
  throw new Error("hello is being built");
}
