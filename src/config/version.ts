import deno from "../../deno.json" with { type: "json" };

/** The version of srvAudit: deno.json alone says which one it is. */
export const VERSION: string = deno.version;
