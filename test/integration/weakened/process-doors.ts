import { appendFileSync } from 'node:fs';
import { type CertificateWish, makeCertificate } from './certificate.ts';
import type { ProcessStack } from './process-stack.ts';
import { type ProxyWish, putProxy } from './proxy.ts';
import { unseen, type Weakening } from './weakening.ts';

type Row = Weakening<ProcessStack>;

/** Whoever asks the gateway as a stranger; all others would ask through the proxy what does not concern it. */
const DOOR = ['node', 'configuration', 'listeners'];

const proxied = (name: string, proxy: ProxyWish, fails: readonly string[], more: Partial<Row> = {}): Row => ({
  ...{ name: `a proxy ${name}`, fails, collectors: DOOR, ...more },
  weaken: (stack) => putProxy(stack, proxy),
});

const certified = (name: string, wish: CertificateWish, fails: readonly string[], more: Partial<Row> = {}): Row => ({
  ...{ name: `the certificate ${name}`, fails, collectors: DOOR, ...more },
  weaken: async (stack) => {
    const { authority, cert, key } = await makeCertificate(wish);
    stack.write(stack.path('tls', 'ca.crt'), authority);
    await putProxy(stack, { tls: { cert, key } });
  },
});

const header =
  (name: string, value: string) =>
  (headers: Record<string, unknown>): Record<string, unknown> => ({ ...headers, [name]: value });

/** What nobody can say of a door without TLS. */
const UNSPOKEN = {
  ...unseen('NET-014 NET-015 NET-018 NET-019 NET-020 TLS-015 TLS-016 TLS-017 TLS-018'),
  ...unseen(
    'TLS-003 TLS-004 TLS-005 TLS-006 TLS-007 TLS-008 TLS-009 TLS-010 TLS-011 TLS-012 TLS-013 TLS-014',
    'not-applicable',
  ),
};

/** What clients meet: a proxy that somebody put in front, with the node's key and one thing else. */
export const WEAKENED_DOORS: readonly Row[] = [
  proxied('speaks TLS 1.0', { tls: { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } }, ['TLS-003', 'TLS-005']),
  proxied('speaks no TLS 1.3', { tls: { maxVersion: 'TLSv1.2' } }, ['TLS-004']),
  proxied('takes ciphers of yesterday', { tls: { ciphers: 'ECDHE-ECDSA-AES128-SHA:ECDHE+AESGCM' } }, ['TLS-005']),
  proxied('lets clients renegotiate', { tls: { secureOptions: 0 } }, ['TLS-014']),
  proxied('speaks plain HTTP', { plain: true }, ['TLS-001', 'TLS-002'], { otherwise: UNSPOKEN }),
  proxied('names itself', { answer: header('server', 'nginx/1.18.0') }, ['TLS-016']),
  proxied('compresses', { gzip: true }, ['TLS-017']),
  proxied('lets any web page read', { answer: header('access-control-allow-origin', '*') }, ['NET-020']),
  proxied('takes headers away', { answer: ({ 'content-security-policy': _gone, ...headers }) => headers }, ['TLS-015']),
  {
    name: 'a proxy brings a token for everybody',
    collectors: DOOR,
    weaken: (stack) => putProxy(stack, { ask: header('authorization', `Bearer ${stack.read('client/token').trim()}`) }),
    fails: ['NET-014', 'NET-015', 'TLS-018'],
  },
  {
    name: 'a proxy keeps a copy of what passes',
    weaken: (stack) => {
      const path = stack.path('logs', 'proxy.log');
      stack.write(path, '');
      return putProxy(stack, { keep: (chunk) => appendFileSync(path, chunk) });
    },
    fails: ['DAT-030', 'DAT-034', 'DAT-043'],
  },
  {
    name: 'the certificate is of another authority',
    collectors: DOOR,
    weaken: async (stack) => {
      const { cert, key } = await makeCertificate({});
      await putProxy(stack, { tls: { cert, key } });
    },
    fails: ['TLS-011'],
    // Asking with a token takes an authority that one trusts.
    otherwise: unseen('TLS-017'),
  },
  certified('ends in three days', { daysLeft: 3 }, ['TLS-007']),
  certified('is good for ten years', { days: 3650 }, ['TLS-008']),
  certified('has a short RSA key', { rsa: true }, ['TLS-009']),
  certified('is for another name', { names: ['records.clinic.example'] }, ['TLS-012'], {
    otherwise: unseen('TLS-017'),
  }),
  certified('is of an authority for the whole world', { constrained: false }, ['TLS-013']),
];
