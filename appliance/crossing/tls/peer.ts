import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

const MAX_CHAIN = 8;

/** The other side of a connection, as its certificate and those above it say. */
export interface Peer {
  readonly certificate: X509Certificate;
  /** Milliseconds since 1970; of the certificate, or of one above it that ends sooner. */
  readonly notAfter: number;
  /** Fingerprint (SHA-256) of the authority at the top. */
  readonly authority: string;
}

/**
 * Reads who the other side is; undefined when it shows no certificate. Asked for in this one way, and once: after
 * `getPeerX509Certificate` a client of Node 24 finds no certificate any more.
 */
export function peerOf(socket: TLSSocket): Peer | undefined {
  const [leaf, ...above] = chainOf(socket);
  if (leaf === undefined) return undefined;
  return {
    certificate: new X509Certificate(leaf.raw),
    notAfter: Math.min(...[leaf, ...above].map(({ valid_to }) => Date.parse(valid_to))),
    authority: (above.at(-1) ?? leaf).fingerprint256,
  };
}

/** From the certificate of the other side up to the authority, as OpenSSL built it; the topmost names itself as its issuer. */
function chainOf(socket: TLSSocket): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (at?.fingerprint256 !== undefined && chain.length < MAX_CHAIN) {
    const { fingerprint256 } = at;
    if (chain.some((one) => one.fingerprint256 === fingerprint256)) break;
    chain.push(at);
    at = at.issuerCertificate;
  }
  return chain;
}
