import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCrossingAuthority, issueRoleCertificate } from '../../cli/provision/crossings/crossing-authority.ts';
import { until, type Workplace } from '../e2e/workplace.ts';
import { get, kubectl, root } from './cluster.ts';
import { type Kept, keepAsking, keepPutting, lost, type NodeApi } from './node-api.ts';
import { CHART, evict, type Pod, type Release, ROLES } from './release.ts';

const PATIENCE_MS = 600_000;
const DAY_MS = 86_400_000;
const SINGLE = ['audit', 'store', 'rollup'] as const;

/** The node as the steps before have left it. */
export interface Site {
  readonly release: Release;
  readonly api: NodeApi;
  readonly kept: Kept[];
}

type Step = (name: string, body: () => Promise<void>) => void;

const ready = (release: Release) =>
  Promise.all(
    ROLES.map((role) => until(`ready ${role}`, async () => (await release.isReady(role)) || undefined, PATIENCE_MS)),
  );

/** A budget is counted anew some moments after pods have come and gone: refused, a drain asks again. */
const evicted = (pod: Pod) =>
  until(`the eviction of ${pod.metadata.name}`, async () => (await evict(pod)) === 'evicted' || undefined, PATIENCE_MS);

/** Its machine is drained, its chart upgraded and taken back. */
export function tellMoves(step: Step, work: Workplace, site: () => Site): void {
  step('moves with a drain, its gateways one after the other, and loses nothing that it acknowledged', async () => {
    const { release, api, kept } = site();
    const stop = new AbortController();
    const putting = keepPutting(api, stop.signal);
    const [first, second] = await release.pods('gateway');
    assert.ok(first && second);
    await kubectl(['cordon', 'node1']);
    try {
      for (const role of SINGLE) for (const pod of await release.pods(role)) await evicted(pod);
      await evicted(first);
      // Its successor has no machine to go to.
      assert.match(await evict(second), /disruption budget/);
      for (const role of SINGLE)
        await until(`${role} to wait`, async () => (await isPending(release, role)) || undefined, PATIENCE_MS);
    } finally {
      await kubectl(['uncordon', 'node1']);
    }
    await ready(release);
    stop.abort();
    const more = await putting;
    kept.push(...more);
    assert.deepEqual(await lost(api, more), []);
  });

  step(
    'takes another version of the chart, and the one before again, and loses nothing that it acknowledged',
    async () => {
      const { release, api, kept } = site();
      const stop = new AbortController();
      const putting = keepPutting(api, stop.signal);
      await release.install({}, { chart: anotherVersion(work) });
      await release.rollback();
      stop.abort();
      const more = await putting;
      kept.push(...more);
      assert.deepEqual(await lost(api, more), []);
    },
  );
}

/** A certificate ends before another is there. */
export function tellExpired(step: Step, site: () => Site): void {
  step('starts with no expired certificate, says so, and goes on when the authority is replaced', async () => {
    const { release, api, kept } = site();
    const [before] = await release.pods('store');
    const logs = ['-n', release.namespace, 'logs', 'nectar-store-0'];
    const isSaid = async () => /expired at/.test((await kubectl(logs)).stdout) || undefined;
    await showExpired(release);
    // The one that runs keeps the pair of before.
    await until('the word of it', isSaid, PATIENCE_MS);
    await until('a ready store', async () => (await release.isReady('store')) || undefined, PATIENCE_MS);
    assert.equal((await release.pods('store'))[0]?.metadata.uid, before?.metadata.uid);
    await kubectl(['-n', release.namespace, 'delete', 'pod', 'nectar-store-0']);
    await until('the word of the next one', isSaid, PATIENCE_MS);
    const [now] = await release.pods('store');
    assert.notEqual(now?.metadata.uid, before?.metadata.uid);
    assert.equal(await release.isReady('store'), false);
    await release.install({ crossings: { helm: { epoch: 4 } } });
    assert.deepEqual(await lost(api, kept.slice(-3)), []);
    const [after] = await release.pods('store');
    assert.equal(after?.metadata.uid, now?.metadata.uid);
    assert.equal(after?.status.containerStatuses?.[0]?.restartCount, 0);
  });
}

/** An empty volume of the store beside the full ones of the others: a lost one, and no new node. */
export function tellLostVolume(step: Step, site: () => Site): void {
  step('takes an empty volume for a lost one, and goes on once what it held is back', async () => {
    const { release } = site();
    const at = await volumeOf(release, 'data-nectar-store-0');
    const aside = `${at}-aside`;
    rmSync(aside, { recursive: true, force: true });
    renameSync(at, aside);
    mkdirSync(at);
    await release.install({}, { isAwaited: false });
    const logs = ['-n', release.namespace, 'logs', 'nectar-store-0'];
    const isSaid = async () => (await kubectl(logs)).stdout.includes('NODE_VOLUME_LOST') || undefined;
    await until('a lost volume', isSaid, PATIENCE_MS);
    assert.equal(await release.isReady('store'), false);
    // Held by the process that waits.
    rmSync(join(aside, 'store', 'lock'), { recursive: true, force: true });
    // keys.json last: with it there is a node.
    for (const part of ['store', 'keys'])
      for (const name of readdirSync(join(aside, part)).sort(
        (a, b) => Number(a === 'keys.json') - Number(b === 'keys.json'),
      ))
        renameSync(join(aside, part, name), join(at, part, name));
    rmSync(aside, { recursive: true });
    await ready(release);
  });
}

/** The same chart under another version, as a release of it would be. */
function anotherVersion(work: Workplace): string {
  const folder = work.path('another-chart');
  cpSync(join(root, CHART), folder, { recursive: true });
  const path = join(folder, 'Chart.yaml');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^version: .*$/m, 'version: 0.1.1'));
  return folder;
}

async function isPending(release: Release, role: (typeof SINGLE)[number]): Promise<boolean> {
  const [pod] = await release.pods(role);
  return pod?.status.phase === 'Pending';
}

/** Puts a pair of the store into its Secret that ended yesterday, of an authority that has not. */
async function showExpired({ namespace }: Release): Promise<void> {
  const instance = `nectar.${namespace}`;
  const now = Date.now();
  const issuer = await createCrossingAuthority(instance, { now: now - 3 * DAY_MS, notAfter: now + DAY_MS });
  const lifetime = { now: now - 2 * DAY_MS, notAfter: now - DAY_MS };
  const pair = await issueRoleCertificate(issuer, { role: 'store', instance }, lifetime);
  const files = { 'tls.crt': pair.certificate, 'tls.key': pair.key, 'ca.crt': issuer.certificate };
  const data = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
  const { metadata, ...secret } = await get<Secret>(namespace, 'secret', 'nectar-store-crossing');
  const { name, labels, annotations } = metadata;
  const input = JSON.stringify({ ...secret, metadata: { name, labels, annotations }, data });
  // In Helm's own name: it would not take back what another has written.
  const asHelm = ['apply', '--server-side', '--force-conflicts', '--field-manager=helm'];
  await kubectl(['-n', namespace, ...asHelm, '-f', '-'], { input });
}

interface Secret {
  readonly metadata: { readonly name: string; readonly labels: object; readonly annotations: object };
}

/** Where a claim's volume lies on this machine. */
async function volumeOf({ namespace }: Release, claim: string): Promise<string> {
  const { spec } = await get<{ spec: { volumeName: string } }>(namespace, 'pvc', claim);
  const volume = await get<{ spec: { local: { path: string } } }>(namespace, 'pv', spec.volumeName);
  return volume.spec.local.path;
}

/** How often the address of the gateways is asked, so that each of the two is met. */
const LOOKS = 8;

/** The chart's own certificate of the API, issued anew under the eyes of clients that know the authority of before. */
export function tellApiCertificate(step: Step, site: () => Site): void {
  step('takes a new certificate of its API without a restart and without a failed request', async () => {
    const { release, api } = site();
    const before = await api.serial();
    const running = JSON.stringify(await release.identity('gateway'));
    const stop = new AbortController();
    const asking = keepAsking(api, stop.signal);
    await release.install({ crossings: { helm: { epoch: 3 } }, gateway: { tls: { helm: { epoch: 2 } } } });
    await until(
      'the new certificate at each gateway',
      async () => {
        const seen = await Promise.all(Array.from({ length: LOOKS }, () => api.serial()));
        return seen.every((serial) => serial !== before) || undefined;
      },
      PATIENCE_MS,
    );
    stop.abort();
    const { refused, failures } = await asking;
    assert.deepEqual([refused, failures], [[], []]);
    assert.equal(JSON.stringify(await release.identity('gateway')), running);
  });
}
