import { prepareErrno } from "./errno.ts";

/**
 * Declares calls of libc. The library is opened at the first one and stays open: who needs none of them does not pay for
 * it. Why a call failed `errno()` knows.
 *
 * @param symbols the calls, as `Deno.dlopen` takes them
 * @returns what gives them
 *
 * @example
 * ```ts
 * const libc = fromLibc({ getpgrp: { parameters: [], result: "i32" } });
 * const group = libc().getpgrp();
 * ```
 */
export function fromLibc<const Symbols extends Deno.ForeignLibraryInterface>(
  symbols: Symbols,
): () => Deno.DynamicLibrary<Symbols>["symbols"] {
  let opened: Deno.DynamicLibrary<Symbols> | undefined;
  return () => {
    if (!opened) {
      prepareErrno();
      opened = Deno.dlopen("libc.so.6", symbols);
    }
    return opened.symbols;
  };
}
