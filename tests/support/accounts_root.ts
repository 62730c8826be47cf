/** A host's account files in a folder of its own: what changes them is given that as its root. */

import { existsSync } from "node:fs";
import type { Target } from "../../src/install/target.ts";

/** The bytes of a text in which each character is one. */
export function bytesOf(latin1: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
}

/** Where each fsync(2) is for nothing: some disks take a quarter of a second for one when others write too. */
const IN_MEMORY = existsSync("/dev/shm") ? { dir: "/dev/shm" } : {};

/** A folder with etc and some shells in it, which goes when it is disposed of. */
export class AccountsRoot implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "accounts_root_", ...IN_MEMORY });
  readonly target: Target = {
    root: this.path,
    family: "debian",
    init: "none",
    hasSelinux: false,
    library: "/usr/lib/srvaudit",
    hello: "/usr/bin/hello-srvaudit",
  };

  /** @param passwd each character is a byte */
  constructor(passwd: string) {
    for (const folder of ["etc/srvaudit", "usr/bin", "usr/sbin", "var/lib"]) {
      Deno.mkdirSync(`${this.path}/${folder}`, { recursive: true });
    }
    Deno.symlinkSync("usr/bin", `${this.path}/bin`);
    for (const shell of ["bash", "zsh", "sh", "fish"]) this.program(`/usr/bin/${shell}`);
    Deno.writeFileSync(`${this.path}/etc/passwd`, bytesOf(passwd));
    // As every host has it: it is never removed, since others may be waiting for it.
    Deno.writeTextFileSync(`${this.path}/etc/.pwd.lock`, "");
  }

  /** Puts a program there that nobody runs. */
  program(path: string): void {
    Deno.writeTextFileSync(`${this.path}${path}`, "#!/bin/sh\n", { mode: 0o755 });
  }

  write(path: string, text: string): void {
    Deno.writeTextFileSync(`${this.path}${path}`, text);
  }

  read(path: string): string {
    return Deno.readTextFileSync(`${this.path}${path}`);
  }

  /** All that is below etc: names, modes, bytes. */
  listing(folder = "etc"): string[] {
    const entries = [...Deno.readDirSync(`${this.path}/${folder}`)].sort((one, other) =>
      one.name < other.name ? -1 : 1
    );
    return entries.flatMap(({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      const mode = (Deno.lstatSync(`${this.path}/${path}`).mode ?? 0).toString(8);
      if (isDirectory) return [`${path} ${mode}`, ...this.listing(path)];
      return [`${path} ${mode} ${String.fromCharCode(...Deno.readFileSync(`${this.path}/${path}`))}`];
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
