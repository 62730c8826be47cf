/** By what a receiver knows that a delivery is ours, that nobody has changed it, and that it is not an old one. */

import { createHmac } from "node:crypto";

/**
 * Signs what is sent: HMAC-SHA256 of the time, a dot, and the body, byte for byte.
 *
 * @param secret the key; not empty
 * @param timestamp of the header: seconds since 1970
 * @returns as in `v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd`
 */
export function sign(secret: string, timestamp: string, body: Uint8Array): string {
  return `v1=${createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex")}`;
}
