/** Whom this host trusts to sign the certificates of others. */

/** Where distributions keep what they trust: Debian and its kin, Red Hat and its, SUSE, Alpine. */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * Finds the certificates of the system's CAs: an admin who has added her own one there need not tell srvAudit.
 *
 * @param bundles where to look; the first file that is there counts
 * @returns PEM texts; none where the system has none: what is built in is trusted all the same
 */
export function systemCertificates(bundles: readonly string[] = BUNDLES): string[] {
  for (const bundle of bundles) {
    const text = readIfAllowed(bundle);
    if (text === undefined) continue;
    if (isTaken(text)) return [text];
    // One that Deno does not take makes it refuse all of them.
    return (text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []).filter(isTaken);
  }
  return [];
}

function isTaken(certificates: string): boolean {
  try {
    Deno.createHttpClient({ caCerts: [certificates] }).close();
    return true;
  } catch {
    return false;
  }
}

function readIfAllowed(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    // Not there, or not to be read: another one may be.
    return undefined;
  }
}
