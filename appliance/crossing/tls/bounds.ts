import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/**
 * TLS 1.3 and nothing else, at both ends, which are ours. Nothing is resumed: a session would outlive the check of the certificate
 * that it began with; and there is no early data, which comes with resumption alone (RFC 8446, 2.3).
 */
export const TLS_BOUNDS = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const satisfies SecureContextOptions;

/** The kernel asks a silent other side, whose machine may be gone, after so long. */
export const KEEP_ALIVE = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 } as const;
