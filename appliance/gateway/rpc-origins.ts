import type { IncomingHttpHeaders } from 'node:http';
import { NectarError } from '../../protocol/errors.ts';

/** How long a browser may remember the answer to a preflight. */
const MAX_AGE_S = 600;
const ALLOWED_METHODS = 'POST';
const ALLOWED_HEADERS = 'authorization, content-type';
/** A page cannot name one of these as its origin. Wallets are extensions, and their user has let them reach every host. */
const EXTENSION = /^(chrome-extension|moz-extension|safari-web-extension):\/\//;

/** Which web pages may call /rpc. A browser says where a page is from; every other client says nothing. */
export interface RpcOrigins {
  /** GATEWAY_ORIGIN_REFUSED for a page that is not on the list. */
  check(headers: IncomingHttpHeaders): void;
  /** What lets a page of the list read an answer; nothing for others. */
  answerHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>>;
  /** The same for what a browser asks before. GATEWAY_ORIGIN_REFUSED. */
  preflightHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>>;
}

export function createRpcOrigins(listed: readonly string[]): RpcOrigins {
  const origins = new Set(listed.map((origin) => origin.toLowerCase()));
  const allowed = ({ origin }: IncomingHttpHeaders): string | undefined =>
    origin !== undefined && origins.has(origin.toLowerCase()) ? origin : undefined;
  const answerHeaders = (headers: IncomingHttpHeaders): Record<string, string> => {
    const origin = allowed(headers);
    return {
      vary: 'origin',
      ...(origin !== undefined && {
        'access-control-allow-origin': origin,
        'access-control-expose-headers': 'retry-after, x-request-id',
        'cross-origin-resource-policy': 'cross-origin',
      }),
    };
  };
  return {
    answerHeaders,
    check(headers) {
      const { origin } = headers;
      if (origin === undefined || EXTENSION.test(origin) || allowed(headers) !== undefined) return;
      throw new NectarError('GATEWAY_ORIGIN_REFUSED', {});
    },
    preflightHeaders(headers) {
      if (allowed(headers) === undefined) throw new NectarError('GATEWAY_ORIGIN_REFUSED', {});
      return {
        ...answerHeaders(headers),
        'access-control-allow-methods': ALLOWED_METHODS,
        'access-control-allow-headers': ALLOWED_HEADERS,
        'access-control-max-age': String(MAX_AGE_S),
        // Browsers that still ask whether a public page may reach a machine of the local network.
        ...(headers['access-control-request-private-network'] === 'true' && {
          'access-control-allow-private-network': 'true',
        }),
      };
    },
  };
}
