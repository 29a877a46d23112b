import { define, EXIT } from './definition.ts';

/** Errors of the owner's HTTPS API: who may call, what a request may look like, and how the listener comes up. */
const REQUEST_ERRORS = {
  GATEWAY_TOKEN_MISSING: define<Record<string, never>>({
    message: () => 'the request carries no bearer token',
    remedy: 'Send `Authorization: Bearer TOKEN`; `nectar-byon token create` makes one.',
    http: 401,
    exit: EXIT.usage,
  }),
  GATEWAY_TOKEN_INVALID: define<Record<string, never>>({
    message: () => 'the bearer token is not one of this node',
    remedy:
      'Use a token that this very node made; a token of another node, an altered one or one that the node no longer lists does not open it.',
    http: 401,
    exit: EXIT.usage,
  }),
  GATEWAY_TOKEN_EXPIRED: define<{ expiredAt: string }>({
    message: ({ expiredAt }) => `the bearer token expired at ${expiredAt}`,
    remedy: 'Make a new token with `nectar-byon token create`, and check the clocks of both machines.',
    http: 401,
    exit: EXIT.usage,
  }),
  GATEWAY_TOKEN_REVOKED: define<{ tokenId: string }>({
    message: ({ tokenId }) => `token ${tokenId} is revoked`,
    remedy: 'Ask the node administrator why; a revoked token never comes back, a new one can be made.',
    http: 401,
    exit: EXIT.usage,
  }),
  GATEWAY_SCOPE_MISSING: define<{ scope: string }>({
    message: ({ scope }) => `the bearer token lacks scope ${scope}`,
    remedy: 'Make a token with the scope named: `nectar-byon token create --scope SCOPE`.',
    http: 403,
    exit: EXIT.usage,
  }),
  GATEWAY_REQUEST_INVALID: define<{ part: string; path: string; reason: string }>({
    message: ({ part, path, reason }) => `request ${part}${path} ${reason}`,
    remedy: 'Correct the request; `/openapi.json` of the node describes every part of it.',
    http: 400,
    exit: EXIT.usage,
  }),
  GATEWAY_REQUEST_MALFORMED: define<{ reason: string }>({
    message: ({ reason }) => `the request is not well formed: ${reason}`,
    remedy: 'Use a standard HTTP/1.1 client, and send valid JSON where JSON is asked for.',
    http: 400,
    exit: EXIT.usage,
  }),
  GATEWAY_HEADERS_TOO_LARGE: define<{ limitBytes: number }>({
    message: ({ limitBytes }) => `the request headers exceed ${limitBytes} bytes`,
    remedy: 'Send fewer or shorter headers (labels and names travel in headers), or raise `gateway.maxHeaderBytes`.',
    http: 431,
    exit: EXIT.usage,
  }),
  GATEWAY_BODY_TOO_LARGE: define<{ limitBytes: number }>({
    message: ({ limitBytes }) => `the request body exceeds ${limitBytes} bytes`,
    remedy: 'Send a smaller body, or raise the limit in the `gateway` section of the configuration.',
    http: 413,
    exit: EXIT.usage,
  }),
  GATEWAY_MEDIA_TYPE_UNSUPPORTED: define<Record<string, never>>({
    message: () => 'the media type of the request is not supported here',
    remedy: 'Send `Content-Type: application/json` on JSON routes, and a well-formed media type on record routes.',
    http: 415,
    exit: EXIT.usage,
  }),
  GATEWAY_ROUTE_ABSENT: define<Record<string, never>>({
    message: () => 'no such route',
    remedy: 'See `/openapi.json` of the node for every route.',
    http: 404,
    exit: EXIT.usage,
  }),
  GATEWAY_METHOD_UNSUPPORTED: define<{ allowed: readonly string[] }>({
    message: ({ allowed }) => `this route takes ${allowed.join(', ')} only`,
    remedy: 'Use one of the methods named in the Allow header.',
    http: 405,
    exit: EXIT.usage,
  }),
  GATEWAY_RANGE_INVALID: define<{ bytes: number }>({
    message: ({ bytes }) => `the range asked for is not one range within ${bytes} bytes`,
    remedy: 'Ask for a single byte range that begins inside the record.',
    http: 416,
    exit: EXIT.usage,
  }),
  GATEWAY_IDEMPOTENCY_MISMATCH: define<Record<string, never>>({
    message: () => 'the idempotency key was used before with another request',
    remedy: 'Use a fresh Idempotency-Key for every new record; repeat one only to retry the identical request.',
    http: 422,
    exit: EXIT.usage,
  }),
};

/** Errors of load, time and place: the same request may succeed later or after the operator has acted. */
const LOAD_ERRORS = {
  GATEWAY_IDEMPOTENCY_RUNNING: define<Record<string, never>>({
    message: () => 'a request with the same idempotency key is still running',
    remedy: 'Wait for the first request, then repeat this one to get the same answer.',
    http: 409,
    exit: EXIT.unreachable,
  }),
  GATEWAY_REQUEST_TIMEOUT: define<{ limitMs: number }>({
    message: ({ limitMs }) => `the request did not arrive within ${limitMs} ms`,
    remedy: 'Check the network between client and node; the limits are in the `gateway` section of the configuration.',
    http: 408,
    exit: EXIT.unreachable,
  }),
  GATEWAY_UPLOAD_STALLED: define<{ limitMs: number }>({
    message: ({ limitMs }) => `the upload paused for more than ${limitMs} ms`,
    remedy: 'Nothing was stored. Check the network and repeat, or raise `gateway.bodyIdleTimeoutMs`.',
    http: 408,
    exit: EXIT.unreachable,
  }),
  GATEWAY_UPLOAD_ABORTED: define<{ receivedBytes: number }>({
    message: ({ receivedBytes }) => `the client went away after ${receivedBytes} bytes`,
    remedy: 'Nothing was stored. Repeat the upload.',
    http: 400,
    exit: EXIT.unreachable,
  }),
  GATEWAY_BUSY: define<{ what: string; limit: number }>({
    message: ({ what, limit }) => `the node already serves its limit of ${limit} ${what}`,
    remedy:
      'Wait as long as the Retry-After header says and repeat, or raise the limit in the `gateway` section of the configuration.',
    http: 503,
    exit: EXIT.unreachable,
  }),
  GATEWAY_OPERATION_RUNNING: define<{ operation: string }>({
    message: ({ operation }) => `${operation} is already running`,
    remedy: 'Wait until the first one is finished, then repeat.',
    http: 429,
    exit: EXIT.unreachable,
  }),
  GATEWAY_STOPPING: define<Record<string, never>>({
    message: () => 'the node is stopping',
    remedy: 'Repeat when the node is up again.',
    http: 503,
    exit: EXIT.unreachable,
  }),
};

/** Errors of set-up: certificates, the token list, the listener. */
const SETUP_ERRORS = {
  GATEWAY_TOKEN_ABSENT: define<{ tokenId: string }>({
    message: ({ tokenId }) => `no token ${tokenId}`,
    remedy: 'See the ids in `nectar-byon token list`.',
    http: 404,
    exit: EXIT.usage,
  }),
  GATEWAY_TOKENS_FULL: define<{ limit: number }>({
    message: ({ limit }) => `the node already lists ${limit} tokens`,
    remedy: 'Revoke tokens that are no longer used, or wait until old ones have been expired for thirty days.',
    http: 409,
    exit: EXIT.usage,
  }),
  GATEWAY_TOKENS_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the token list ${path} is not usable: ${reason}`,
    remedy:
      'Restore the file from a backup. While it is damaged no token is accepted, so that a revoked one cannot come back.',
    http: 500,
    exit: EXIT.config,
  }),
  GATEWAY_CERTIFICATE_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the TLS file ${path} is not usable: ${reason}`,
    remedy:
      'Put the certificate and its matching key back in place, or let `nectar-byon up` issue a new one from the CA of the node.',
    http: 500,
    exit: EXIT.config,
  }),
  GATEWAY_CERTIFICATE_NAME_EXCLUDED: define<{ name: string }>({
    message: ({ name }) => `the CA of this node may not certify the name ${name}`,
    remedy:
      'The CA is limited to the names given at init and to private addresses; use a certificate of your site for other names.',
    http: 400,
    exit: EXIT.usage,
  }),
  GATEWAY_PORT_IN_USE: define<{ host: string; port: number }>({
    message: ({ host, port }) => `port ${port} on ${host} is taken by another program`,
    remedy: 'Stop the other program, or choose another port (`gateway.port`).',
    http: 500,
    exit: EXIT.config,
  }),
  GATEWAY_LISTEN_REFUSED: define<{ host: string; port: number; reason: string }>({
    message: ({ host, port, reason }) => `cannot listen on ${host} port ${port}: ${reason}`,
    remedy: 'Choose an address of this machine and a port from 1024 up (`gateway.host`, `gateway.port`).',
    http: 500,
    exit: EXIT.config,
  }),
};

export const GATEWAY_ERRORS = { ...REQUEST_ERRORS, ...LOAD_ERRORS, ...SETUP_ERRORS };
