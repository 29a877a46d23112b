import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificateNames, permittedNames } from '../../appliance/gateway/tls.ts';
import { NectarError } from '../../protocol/errors.ts';
import { gatewayUrl } from '../provision/docker/gateway-url.ts';

/**
 * The name by which the command line of this machine reaches the gateway, where the certificate is not for it: `gateway.host` was
 * changed, and whoever started the node so could not speak to it any more. undefined: it is.
 *
 * @throws NectarError GATEWAY_CERTIFICATE_NAME_EXCLUDED for one that the node's own CA may not certify
 */
export async function findUnnamedHost(
  home: string,
  {
    gateway,
    certificate,
  }: { readonly gateway: { readonly host: string; readonly port: number }; readonly certificate: string },
): Promise<string | undefined> {
  const ca = await readFile(join(home, 'tls', 'ca.crt'), 'utf8').catch(() => '');
  // The site's own certificate is the site's business.
  if (!isOfNode(certificate, ca)) return undefined;
  const name = new URL(gatewayUrl(gateway)).hostname.replace(/^\[|\]$/g, '');
  if (certificateNames(certificate).some((known) => isSameName(known, name))) return undefined;
  if (permittedNames(ca, [name]).length === 0) throw new NectarError('GATEWAY_CERTIFICATE_NAME_EXCLUDED', { name });
  return name;
}

/** Whether the node's own CA issued it; a damaged one is nobody's, and is told of by whoever needs it. */
export function isOfNode(certificate: string, ca: string): boolean {
  try {
    return new X509Certificate(certificate).verify(new X509Certificate(ca).publicKey);
  } catch {
    return false;
  }
}

/** Certificates write out what addresses shorten: `::1` is `0:0:0:0:0:0:0:1`. */
function isSameName(one: string, other: string): boolean {
  const canonical = (name: string): string =>
    name.includes(':') ? new URL(`https://[${name}]`).hostname : name.toLowerCase();
  return canonical(one) === canonical(other);
}
