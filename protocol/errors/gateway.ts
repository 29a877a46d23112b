import { define } from './definition.ts';

/** Errors of the owner's HTTPS API: who may call, what a request may look like, and how the listener comes up. */
const REQUEST_ERRORS = {
  GATEWAY_TOKEN_MISSING: define<Record<string, never>>({
    message: () => 'the request carries no bearer token',
  }),
  GATEWAY_TOKEN_INVALID: define<Record<string, never>>({
    message: () => 'the bearer token is not one of this node',
  }),
  GATEWAY_TOKEN_EXPIRED: define<{ expiredAt: string }>({
    message: ({ expiredAt }) => `the bearer token expired at ${expiredAt}`,
  }),
  GATEWAY_TOKEN_REVOKED: define<{ tokenId: string }>({
    message: ({ tokenId }) => `token ${tokenId} is revoked`,
  }),
  GATEWAY_SCOPE_MISSING: define<{ scope: string }>({
    message: ({ scope }) => `the caller lacks scope ${scope}`,
  }),
  GATEWAY_CLIENT_CERTIFICATE_MISSING: define<Record<string, never>>({
    message: () => 'this caller must present its client certificate, and the connection has none',
  }),
  GATEWAY_CLIENT_CERTIFICATE_UNKNOWN: define<Record<string, never>>({
    message: () => 'no client of this node has this certificate',
  }),
  GATEWAY_CLIENT_CERTIFICATE_MISMATCH: define<Record<string, never>>({
    message: () => 'the bearer token is bound to a certificate that is not the one of this connection',
  }),
  GATEWAY_CLIENT_CERTIFICATE_EXPIRED: define<{ expiredAt: string }>({
    message: ({ expiredAt }) => `the client certificate, or what this node gave its holder, expired at ${expiredAt}`,
  }),
  GATEWAY_CLIENT_CERTIFICATE_NOT_YET: define<{ validFrom: string }>({
    message: ({ validFrom }) => `the client certificate is valid from ${validFrom} on`,
  }),
  GATEWAY_CLIENT_REVOKED: define<{ tokenId: string }>({
    message: ({ tokenId }) => `the client certificate is of client ${tokenId}, which is revoked`,
  }),
  GATEWAY_CLIENT_CERTIFICATE_REVOKED: define<Record<string, never>>({
    message: () => 'the client certificate is revoked by the authority that issued it',
  }),
  GATEWAY_CLIENT_REVOCATION_UNKNOWN: define<{ state: string }>({
    message: ({ state }) =>
      `cannot tell whether the client certificate is revoked: the list of its authority is ${state}`,
  }),
  GATEWAY_CLIENT_REVOCATIONS_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the revocation lists of client authorities are not usable: ${reason}`,
  }),
  GATEWAY_CLIENT_REVOCATIONS_PARTIAL: define<{
    kind: 'delta' | 'indirect' | 'scoped' | 'unknown';
    extension: string;
  }>({
    message: ({ kind, extension }) =>
      `a revocation list is not complete: ${PARTIAL_LISTS[kind] ?? kind} (${extension})`,
  }),
  GATEWAY_CLIENT_REQUEST_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the client cannot be added: ${reason}`,
  }),
  GATEWAY_CLIENT_AUTHORITY_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the certificate authorities of clients are not usable: ${reason}`,
  }),
  GATEWAY_REQUEST_INVALID: define<{ part: string; path: string; reason: string }>({
    message: ({ part, path, reason }) => `request ${part}${path} ${reason}`,
  }),
  GATEWAY_REQUEST_MALFORMED: define<{ reason: string }>({
    message: ({ reason }) => `the request is not well formed: ${reason}`,
  }),
  GATEWAY_HEADERS_TOO_LARGE: define<{ limitBytes: number }>({
    message: ({ limitBytes }) => `the request headers exceed ${limitBytes} bytes`,
  }),
  GATEWAY_BODY_TOO_LARGE: define<{ limitBytes: number }>({
    message: ({ limitBytes }) => `the request body exceeds ${limitBytes} bytes`,
  }),
  GATEWAY_MEDIA_TYPE_UNSUPPORTED: define<Record<string, never>>({
    message: () => 'the media type of the request is not supported here',
  }),
  GATEWAY_CONTENT_ENCODING_UNSUPPORTED: define<Record<string, never>>({
    message: () => 'the body has a Content-Encoding, which is not kept here',
  }),
  GATEWAY_TUS_VERSION: define<{ version: string }>({
    message: ({ version }) => `the request does not say that it is of tus ${version}`,
  }),
  GATEWAY_ORIGIN_REFUSED: define<Record<string, never>>({
    message: () => 'web pages of this origin may not call the node',
  }),
  GATEWAY_HOST_UNKNOWN: define<Record<string, never>>({
    message: () => 'the request names a host that is not this node',
  }),
  GATEWAY_DIGEST_INVALID: define<{ header: string; reason: string }>({
    message: ({ header, reason }) => `the ${header} header ${reason}`,
  }),
  GATEWAY_DIGEST_MISMATCH: define<{ algorithm: string }>({
    message: ({ algorithm }) => `the body has another ${algorithm} digest than announced`,
  }),
  GATEWAY_ROUTE_ABSENT: define<Record<string, never>>({
    message: () => 'no such route',
  }),
  GATEWAY_METHOD_UNSUPPORTED: define<{ allowed: readonly string[] }>({
    message: ({ allowed }) => `this route takes ${allowed.join(', ')} only`,
  }),
  GATEWAY_RANGE_INVALID: define<{ bytes: number }>({
    message: ({ bytes }) => `no range asked for begins within ${bytes} bytes`,
  }),
  GATEWAY_IDEMPOTENCY_MISMATCH: define<Record<string, never>>({
    message: () => 'the idempotency key was used before with another request',
  }),
};

/** Errors of load, time and place: the same request may succeed later or after the operator has acted. */
const LOAD_ERRORS = {
  GATEWAY_IDEMPOTENCY_RUNNING: define<Record<string, never>>({
    message: () => 'a request with the same idempotency key is still running',
  }),
  GATEWAY_REQUEST_TIMEOUT: define<{ limitMs: number }>({
    message: ({ limitMs }) => `the request did not arrive within ${limitMs} ms`,
  }),
  GATEWAY_UPLOAD_STALLED: define<{ limitMs: number }>({
    message: ({ limitMs }) => `the upload paused for more than ${limitMs} ms`,
  }),
  GATEWAY_UPLOAD_ABORTED: define<{ receivedBytes: number }>({
    message: ({ receivedBytes }) => `the client went away after ${receivedBytes} bytes`,
  }),
  GATEWAY_BUSY: define<{ what: string; limit: number }>({
    message: ({ what, limit }) => `the node already serves its limit of ${limit} ${what}`,
  }),
  GATEWAY_TOKEN_BUSY: define<{ what: string; limit: number }>({
    message: ({ what, limit }) =>
      `this token already has its share of ${limit} ${what}, and as many waiting as may wait`,
  }),
  GATEWAY_OPERATION_RUNNING: define<{ operation: string }>({
    message: ({ operation }) => `${operation} is already running`,
  }),
  GATEWAY_STOPPING: define<Record<string, never>>({
    message: () => 'the node is stopping',
  }),
};

/** Errors of set-up: certificates, the token list, the listener. */
const SETUP_ERRORS = {
  GATEWAY_TOKEN_ABSENT: define<{ tokenId: string }>({
    message: ({ tokenId }) => `no token ${tokenId}`,
  }),
  GATEWAY_BOOTSTRAP_TOKEN_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the bootstrap token in ${path} cannot be taken: ${reason}`,
  }),
  GATEWAY_TOKENS_FULL: define<{ limit: number }>({
    message: ({ limit }) => `the node already lists ${limit} tokens`,
  }),
  GATEWAY_TOKENS_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the token list ${path} is not usable: ${reason}`,
  }),
  GATEWAY_CERTIFICATE_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the TLS file ${path} is not usable: ${reason}`,
  }),
  GATEWAY_CERTIFICATE_NAME_EXCLUDED: define<{ name: string }>({
    message: ({ name }) => `the CA of this node may not certify the name ${name}`,
  }),
  GATEWAY_SITE_CERTIFICATE_INVALID: define<{ problem: string }>({
    message: ({ problem }) => `the certificate cannot be used: ${problem}`,
  }),
  GATEWAY_PORT_IN_USE: define<{ host: string; port: number; option?: string; holder?: string }>({
    message: ({ host, port, option, holder }) =>
      `port ${port} on ${host}${option === undefined ? '' : ` (${option})`} is taken by another program${holder === undefined ? '' : ` (${holder})`}`,
  }),
  GATEWAY_LISTEN_REFUSED: define<{ host: string; port: number; reason: string }>({
    message: ({ host, port, reason }) => `cannot listen on ${host} port ${port}: ${reason}`,
  }),
};

/** Why a revocation list may leave out a revoked certificate. */
const PARTIAL_LISTS: Readonly<Partial<Record<string, string>>> = {
  delta: 'a delta list names only what changed since another list',
  indirect: 'an indirect list names certificates of other issuers',
  scoped: 'it is for one distribution point, or one kind of certificate',
  unknown: 'it has a critical extension that is not known here',
};

export const GATEWAY_ERRORS = { ...REQUEST_ERRORS, ...LOAD_ERRORS, ...SETUP_ERRORS };
