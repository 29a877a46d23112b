import { isNectarError } from '../../../protocol/errors.ts';

const UNTRUSTED = 'its certificate is not signed by an authority that is trusted here';
const TOO_LATE = 'it did not answer in time';
const CUT_OFF = 'the connection was cut off';
const NO_NAME = 'its name is not known';

/** Codes of Node, OpenSSL and undici. The texts are ours: what an endpoint or a proxy says of itself goes nowhere. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there'],
  ['ENOTFOUND', NO_NAME],
  ['EAI_AGAIN', NO_NAME],
  ['EHOSTUNREACH', 'no way leads there'],
  ['ENETUNREACH', 'no way leads there'],
  ['ECONNRESET', CUT_OFF],
  ['EPIPE', CUT_OFF],
  ['UND_ERR_SOCKET', CUT_OFF],
  ['ETIMEDOUT', TOO_LATE],
  ['UND_ERR_CONNECT_TIMEOUT', TOO_LATE],
  ['UND_ERR_HEADERS_TIMEOUT', TOO_LATE],
  ['UND_ERR_BODY_TIMEOUT', TOO_LATE],
  ['UND_ERR_ABORTED', 'the proxy did not open the way'],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet: is the clock right?'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS'],
]);
const MAX_DEPTH = 8;

/** Why an endpoint gave no answer, in words of ours: an operator must not have to guess between a proxy, an authority and a cable. */
export function whyUnreachable(error: unknown): string {
  if (error === undefined) return 'none is configured';
  let current: unknown = error;
  for (let depth = 0; depth < MAX_DEPTH && current instanceof Error; depth++) {
    if (isNectarError(current, 'ROLLUP_L1_RESPONSE_INVALID')) return `its answer is of no use: ${current.data.what}`;
    if (isNectarError(current, 'ROLLUP_L1_REFUSED')) return 'it does not know the method';
    if (current.name === 'TimeoutError') return TOO_LATE;
    if (current instanceof SyntaxError) return 'what answers there is no Ethereum node';
    const reason = REASONS.get(String((current as { code?: unknown }).code));
    if (reason !== undefined) return reason;
    current = current.cause;
  }
  return 'the connection did not come about';
}
