import { type HttpTarget, type ProbeAnswer, probeHttp } from './http-probe.ts';
import type { ExpectedListener } from './listener.ts';
import { look, type Observed } from './look.ts';
import type { NodeApi } from './node-api.ts';
import { forEach } from './observe.ts';
import { createStrangerCertificate } from './stranger-certificate.ts';

/** What browsers and intermediaries obey. */
const SECURITY_HEADERS = [
  'cache-control',
  'content-security-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'permissions-policy',
  'referrer-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
];
/** The usual bound of one header field set, where nobody says what the bound is. */
const MAX_HEADER_BYTES = 1024 * 1024;
const STRANGER = 'https://stranger.example';
/** Well-formed, and nobody's: {"alg":"EdDSA","typ":"JWT"}, {"sub":"stranger","exp":9999999999}, 64 zero bytes. */
const FORGED_TOKEN = [
  Buffer.from('{"alg":"EdDSA","typ":"JWT"}'),
  Buffer.from('{"sub":"stranger","scope":"admin","jti":"00000000000000000000000000000000","iat":0,"exp":9999999999}'),
  Buffer.alloc(64),
]
  .map((part) => part.toString('base64url'))
  .join('.');

export const HTTP_FACTS = [
  'listener.anonymousStatus',
  'listener.wrongTokenStatus',
  'listener.wrongCertificateStatus',
  'listener.securityHeaders',
  'listener.serverHeader',
  'listener.compressed',
  'listener.oversizedHeaderStatus',
  'listener.traceStatus',
  'listener.crossOrigin',
] as const;

/** Requests that a stranger would make; each that is refused leaves an entry in the node's audit log, as it should. */
export async function observeHttp(
  listener: ExpectedListener,
  api: NodeApi | undefined,
  signal: AbortSignal,
): Promise<Observed<(typeof HTTP_FACTS)[number]>> {
  if (listener.speaks === 'libp2p') return forEach(HTTP_FACTS, { absent: 'it speaks no HTTP' });
  const target: HttpTarget = { host: listener.host, port: listener.port, tls: listener.speaks === 'https' };
  const path = listener.name === 'gateway' ? '/v1/records' : '/metrics';
  const ask = (method: string, headers: readonly (readonly [string, string])[] = [], at = path): Promise<ProbeAnswer> =>
    probeHttp(target, { method, path: at, headers }, signal);
  const seen = (read: () => Promise<number | boolean | string | readonly string[]>) => look(signal, read);
  const long = 'x'.repeat((listener.maxHeaderBytes ?? MAX_HEADER_BYTES) + 1024);

  return {
    'listener.anonymousStatus': await seen(async () => (await ask('GET')).status),
    'listener.wrongTokenStatus': await seen(
      async () => (await ask('GET', [['authorization', `Bearer ${FORGED_TOKEN}`]])).status,
    ),
    'listener.wrongCertificateStatus': await look(signal, async () => {
      if (!target.tls) return { absent: 'it speaks no TLS' };
      const certificate = createStrangerCertificate(Date.now());
      return (await probeHttp(target, { method: 'GET', path, certificate }, signal)).status;
    }),
    'listener.securityHeaders': await seen(async () => {
      const { headers } = answered(await ask('GET'));
      return SECURITY_HEADERS.filter((name) => headers[name] !== undefined);
    }),
    'listener.serverHeader': await seen(async () => {
      const { headers } = answered(await ask('GET'));
      return [headers.server, headers['x-powered-by']].filter((value) => value !== undefined).join(', ');
    }),
    'listener.compressed': await look(signal, () => observeCompression(listener, api, signal)),
    'listener.oversizedHeaderStatus': await seen(async () => (await ask('GET', [['x-long', long]])).status),
    'listener.traceStatus': await seen(async () => (await ask('TRACE')).status),
    'listener.crossOrigin': await seen(async () => {
      const plain = await ask('GET', [['origin', STRANGER]]);
      const preflight = await ask('OPTIONS', [
        ['origin', STRANGER],
        ['access-control-request-method', 'GET'],
        ['access-control-request-headers', 'authorization'],
      ]);
      const allowed = [plain, preflight].map(({ headers }) => headers['access-control-allow-origin'] ?? '');
      return allowed.some((value) => value === '*' || value === STRANGER || value === 'null');
    }),
  };
}

/** Of the list of tokens: secrets of many and what a stranger chose never share an answer that is compressed. */
async function observeCompression(listener: ExpectedListener, api: NodeApi | undefined, signal: AbortSignal) {
  if (listener.name !== 'gateway') return { absent: 'its answers carry no secrets' };
  if (api === undefined) throw new Error("the owner's token could not be read");
  const headers = { 'accept-encoding': 'gzip, deflate, br, zstd' };
  const answer = await api.request({ method: 'GET', path: '/v1/tokens', headers, signal });
  if (answer.status !== 200) throw new Error(`the list of tokens was answered with ${answer.status}`);
  return (answer.headers['content-encoding'] ?? 'identity') !== 'identity';
}

function answered(answer: ProbeAnswer): ProbeAnswer {
  if (answer.status === 0) throw new Error('the connection was cut without an answer');
  return answer;
}
