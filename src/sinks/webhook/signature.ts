/** By what a receiver knows that a delivery is ours, that nobody has changed it, and that it is not an old one. */

import { Buffer } from "node:buffer";

/**
 * Signs what is sent: HMAC-SHA256 of the time, a dot, and the body, byte for byte.
 *
 * @param secret the key; not empty
 * @param timestamp of the header: seconds since 1970
 * @returns as in `v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd`
 */
export async function sign(secret: string, timestamp: string, body: Uint8Array): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", Buffer.from(secret), algorithm, false, ["sign"]);
  const signed = Buffer.concat([Buffer.from(`${timestamp}.`), body]);
  return `v1=${Buffer.from(await crypto.subtle.sign("HMAC", key, signed)).toString("hex")}`;
}
