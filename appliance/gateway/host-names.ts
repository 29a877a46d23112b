import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { NectarError } from '../../protocol/errors.ts';

/** RFC 9110, 7.2: a name, or an address, and perhaps a port. */
const HOST = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]{1,253}))(?::\d{1,5})?$/;

export interface HostNames {
  /** Reads the names of a certificate that comes into use. */
  use(certificate: Uint8Array): void;
  /** The same of the site's certificate, beside the node's own; undefined: there is none. */
  useSite(certificate: Uint8Array | undefined): void;
  /** GATEWAY_REQUEST_MALFORMED for none, several or what is no host; GATEWAY_HOST_UNKNOWN for a name of somebody else. */
  check(request: IncomingMessage): void;
}

/**
 * Answers only to names of its own: those in its certificate, those configured, `localhost`, and addresses. A web page that
 * had its own name point here (DNS rebinding) asks under that name, and gets nothing.
 */
export function createHostNames(configured: readonly string[]): HostNames {
  const named = new Set(['localhost', ...configured.map((name) => name.toLowerCase())]);
  let certificate: X509Certificate | undefined;
  let site: X509Certificate | undefined;
  const isIn = (of: X509Certificate | undefined, host: string): boolean =>
    of?.checkHost(host, { subject: 'never' }) !== undefined;
  const isOwn = (host: string): boolean =>
    named.has(host) || isIP(host) !== 0 || isIn(certificate, host) || isIn(site, host);

  return {
    use(pem) {
      certificate = new X509Certificate(pem);
    },
    useSite(pem) {
      site = pem === undefined ? undefined : new X509Certificate(pem);
    },
    check({ headers, rawHeaders }) {
      const count = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
      if (count > 1) throw new NectarError('GATEWAY_REQUEST_MALFORMED', { reason: 'it has several Host headers' });
      const [, address, name] = HOST.exec(headers.host ?? '') ?? [];
      const host = (address ?? name ?? '').toLowerCase().replace(/\.$/, '');
      if (host === '' || (address !== undefined && isIP(address) !== 6))
        throw new NectarError('GATEWAY_REQUEST_MALFORMED', { reason: 'its Host header names no host' });
      if (!isOwn(host)) throw new NectarError('GATEWAY_HOST_UNKNOWN', {});
    },
  };
}
