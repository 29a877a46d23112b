import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../e2e/workplace.ts';
import { get, kubectl } from './cluster.ts';
import { keepAsking } from './node-api.ts';
import { type Release, ROLES } from './release.ts';

const PATIENCE_MS = 600_000;
/** How often the address of the gateways is asked, so that each of the two is met. */
const LOOKS = 8;
const API = 'cert-manager.io/v1';
const GROUP = { kind: 'Issuer', group: 'cert-manager.io' };
const SITE = { name: 'site', ...GROUP };

/** Valid for the shortest time that cert-manager takes, and renewed by it a minute after each issue. */
const LIFETIME = { duration: '1h', renewBefore: '59m' };

/** Values of a node whose certificates cert-manager issues: between the roles by a CA of the release, of the API by the site's. */
export const MANAGED = {
  crossings: { issuer: 'cert-manager', certManager: LIFETIME },
  gateway: { tls: { issuer: 'cert-manager', certManager: { ...LIFETIME, issuerRef: SITE } } },
} as const;

/** The site's authority in a namespace. */
export async function makeSiteIssuer(namespace: string): Promise<void> {
  const object = (kind: string, name: string, spec: object) => ({ apiVersion: API, kind, metadata: { name }, spec });
  const items = [
    object('Issuer', 'site-root', { selfSigned: {} }),
    object('Certificate', 'site-ca', {
      ...{ isCA: true, commonName: 'site', secretName: 'site-ca' },
      issuerRef: { name: 'site-root', ...GROUP },
    }),
    object('Issuer', SITE.name, { ca: { secretName: 'site-ca' } }),
  ];
  await kubectl(['-n', namespace, 'apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
}

/**
 * The CA between the roles in a new certificate, nine months before its time, as `cmctl renew` asks for it: each role gets it with its
 * own next one, at another moment than the others.
 */
async function renewAuthority({ namespace }: Release): Promise<void> {
  const name = 'nectar-crossings-ca';
  const read = () => get<{ data: Record<string, string> }>(namespace, 'secret', name);
  const before = await read();
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  const condition = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'by the test' };
  const patch = [{ op: 'add', path: '/status/conditions/-', value: { ...condition, lastTransitionTime: now } }];
  const args = ['patch', 'certificate', name, '--subresource=status', '--type=json', '-p', JSON.stringify(patch)];
  await kubectl(['-n', namespace, ...args]);
  const after = await until(
    'a new certificate of the authority',
    async () => {
      const found = await read();
      return found.data['tls.crt'] === before.data['tls.crt'] ? undefined : found;
    },
    PATIENCE_MS,
  );
  assert.equal(after.data['tls.key'], before.data['tls.key']);
}

/** What cert-manager renews reaches the API and every role, under clients that open new connections all the time. */
export async function watchRenewal(release: Release): Promise<void> {
  const api = await release.api();
  try {
    await renewAuthority(release);
    const before = await api.serial();
    const pods = (await Promise.all(ROLES.map((role) => release.pods(role)))).flat();
    const issued = new Map<string, string>();
    for (const role of ROLES) issued.set(role, await crossingCertificate(release, role));
    const reads = new Map<string, number>();
    for (const { metadata } of pods) reads.set(metadata.name, await countReads(release, metadata.name));
    const running = await identities(release);
    const stop = new AbortController();
    const asking = keepAsking(api, stop.signal);
    const began = performance.now();
    for (const role of ROLES)
      await until(
        `a renewed certificate of ${role}`,
        async () => (await crossingCertificate(release, role)) !== issued.get(role) || undefined,
        PATIENCE_MS,
      );
    for (const [pod, count] of reads)
      await until(`it in ${pod}`, async () => (await countReads(release, pod)) > count || undefined, PATIENCE_MS);
    await until(
      'the new certificate at each gateway',
      async () => {
        const seen = await Promise.all(Array.from({ length: LOOKS }, () => api.serial()));
        return seen.every((serial) => serial !== before) || undefined;
      },
      PATIENCE_MS,
    );
    // Connections between the roles that began with the certificates of before have ended meanwhile, or will under these requests.
    await sleep(2_000);
    stop.abort();
    const { count, refused, failures } = await asking;
    assert.deepEqual([refused, failures], [[], []]);
    assert.equal(await identities(release), running);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    process.stdout.write(`# renewed by cert-manager in ${seconds} s, ${count} requests meanwhile\n`);
  } finally {
    api.close();
  }
}

async function crossingCertificate({ namespace }: Release, role: string): Promise<string> {
  const { data } = await get<{ data: Record<string, string> }>(namespace, 'secret', `nectar-${role}-crossing`);
  return data['tls.crt'] ?? '';
}

async function countReads({ namespace }: Release, pod: string): Promise<number> {
  const { stdout } = await kubectl(['-n', namespace, 'logs', pod]);
  return stdout.split('crossing certificate read').length;
}

const identities = async (release: Release): Promise<string> =>
  JSON.stringify(await Promise.all(ROLES.map((role) => release.identity(role))));
