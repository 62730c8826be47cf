/**
 * The one executable: which program was it called as?
 *
 * Each program is a dynamic import, so that none pays for another: `hello` stands between a login and its shell.
 */

import { programName } from "./posix/program_name.ts";

const called = programName();
switch (called.name) {
  case "hello":
  case "hello-srvaudit":
    await (await import("./hello/hello.ts")).main(called, Deno.args);
    break;
  case "saticket":
    await (await import("./saticket/saticket.ts")).main(Deno.args);
    break;
  case "ash_query":
    await (await import("./ash_query/ash_query.ts")).main(Deno.args);
    break;
  default:
    // The su of Ubuntu 18.04 calls each login shell `-su`. Nobody logs in to any other of the programs.
    if (called.isLogin) await (await import("./hello/hello.ts")).main(called, Deno.args);
    else await (await import("./srvaudit/srvaudit.ts")).main(Deno.args);
}
