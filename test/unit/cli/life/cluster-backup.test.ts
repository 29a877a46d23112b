import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { backUp } from '../../../../cli/life/back-up.ts';
import { restoreHome } from '../../../../cli/life/backup/restore-home.ts';
import { restoreCluster } from '../../../../cli/life/restore-cluster.ts';
import { unlockKeys } from '../../../../cli/life/unlock-keys.ts';
import { findClusterTarget, writeClusterTarget } from '../../../../cli/provision/kubernetes/cluster-target.ts';
import { fakeTerminal } from '../capture.ts';
import { type ClusterDouble, clusterDouble, SETS } from '../kubernetes/cluster-double.ts';
import { makeHome, NOW, openHome, type StoredHome } from './stored-home.ts';

const scratch = mkdtempSync(join(tmpdir(), 'nectar-cluster-backup-'));
const keyFile = join(scratch, 'a.key');
const file = join(scratch, 'clinic.nectar-backup');
const { signal } = new AbortController();
const bodies = new Map<string, Buffer>();
let volumes = '';
let running: StoredHome;

const put = async (bytes: number): Promise<void> => {
  const body = randomBytes(bytes);
  bodies.set(await running.put(body), body);
};

/** The home of a node in a cluster has what is public. Its volumes are the folders of a store that runs here. */
before(async () => {
  volumes = await makeHome(scratch, 'a');
  const clinic = join(scratch, 'clinic');
  for (const path of ['config.json', 'network.json', 'identity/public.json', 'tls/ca.crt', 'client/token'])
    cpSync(join(volumes, path), join(clinic, path));
  await writeClusterTarget(clinic, {
    ...{ version: 1, target: 'kubernetes', state: 'ready', namespace: 'clinic', release: 'clinic' },
    ...{ chart: '/chart', nodeId: 'ab'.repeat(16), programVersion: '0.1.0' },
  });
  mkdirSync(join(volumes, 'keys'));
  cpSync(join(volumes, 'keys.json'), join(volumes, 'keys', 'keys.json'));
  cpSync(join(volumes, 'identity'), join(volumes, 'keys', 'identity'), { recursive: true });
  running = await openHome(volumes, keyFile);
  mkdirSync(join(volumes, 'store', 'gateway'), { recursive: true });
  cpSync(join(volumes, 'tokens.json'), join(volumes, 'store', 'gateway', 'tokens'));
  await put(100);
  await put(3_000_000);
});

after(async () => {
  await running.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function cluster(name: string): ClusterDouble {
  return clusterDouble(join(scratch, `bin-${name}`));
}

function terminalOf(double: ClusterDouble) {
  return { ...fakeTerminal({ env: { ...double.env } }).terminal, now: () => NOW };
}

test('a backup is made of the volumes of a node that runs, and restores into a process', async () => {
  const double = cluster('backup');
  for (const role of ['store', 'audit', 'rollup']) double.useVolumes(role, volumes);
  double.answer('statefulsets', { items: SETS });
  const terminal = terminalOf(double);
  const home = join(scratch, 'clinic');
  const onBytes = (): void => undefined;
  const done = await backUp({ home, out: file, force: false, passphraseFile: undefined, terminal, onBytes });
  assert.equal(done.recorded, false, 'its gateway has no pod here');

  const restored = join(scratch, 'restored');
  await restoreHome({
    ...{ file, home: restored, check: false, keyFile: undefined, signal, now: () => NOW, onBytes },
    unlock: (folder) => unlockKeys({ home: folder, terminal, keyFile }),
  });
  const opened = await openHome(restored, keyFile);
  for (const [id, body] of bodies) assert.ok((await opened.get(id)).equals(body));
  await opened.stop();
  assert.ok(existsSync(join(restored, 'tokens.json')), 'the tokens that the gateways share');

  const calls = double.calls();
  assert.match(calls.at(-1) ?? '', /kubectl --namespace=clinic delete pods (clinic-nectar-byon-volume-\w+ ){3}/);
  const [created] = double.given();
  const pods = (JSON.parse(created ?? '') as { items: { spec: Record<string, never> }[] }).items;
  for (const { spec } of pods) {
    const {
      containers,
      volumes: mounted,
      ...rest
    } = spec as unknown as {
      containers: { volumeMounts: { readOnly: boolean }[]; env?: unknown; securityContext: object }[];
      volumes: object[];
      automountServiceAccountToken: boolean;
      securityContext: object;
    };
    assert.equal(rest.automountServiceAccountToken, false);
    assert.deepEqual(rest.securityContext, { runAsUser: 64002, runAsNonRoot: true });
    assert.equal(mounted.length, 1, 'neither root key nor certificates');
    assert.equal(containers[0]?.env, undefined);
    assert.deepEqual(
      containers[0]?.volumeMounts.map(({ readOnly }) => readOnly),
      [true],
    );
    assert.deepEqual(containers[0]?.securityContext, {
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  }
});

test('a backup restores into a new release: its volumes are whole before the chart is installed on them', async () => {
  const double = cluster('restore');
  for (const role of ['store', 'audit', 'rollup']) {
    double.useVolumes(role, join(scratch, 'pod', role));
    for (const folder of role === 'store' ? ['keys', 'store'] : [role])
      mkdirSync(join(scratch, 'pod', role, folder), { recursive: true });
  }
  const home = join(scratch, 'moved');
  const { header } = await restoreInto(double, home);
  assert.equal(findClusterTarget(home)?.state, 'ready');
  assert.equal(findClusterTarget(home)?.nodeId, header.nodeId);
  for (const path of ['keys.json', 'tokens.json', 'store', 'audit', 'tls/server.key'])
    assert.equal(existsSync(join(home, path)), false, path);

  // What the volumes hold is a node: the folders of its roles, in one home, open and have every record.
  const whole = join(scratch, 'whole');
  const pod = join(scratch, 'pod');
  cpSync(home, whole, { recursive: true });
  cpSync(join(pod, 'store', 'keys'), whole, { recursive: true });
  cpSync(join(pod, 'store', 'store'), join(whole, 'store'), { recursive: true });
  cpSync(join(pod, 'audit', 'audit'), join(whole, 'audit'), { recursive: true });
  assert.ok(existsSync(join(whole, 'store', 'gateway', 'tokens')));
  const opened = await openHome(whole, keyFile);
  for (const [id, body] of bodies) assert.ok((await opened.get(id)).equals(body));
  await opened.stop();

  const calls = double.calls();
  const [filled, installed] = ['exec -i clinic-nectar-byon-volume-rollup', 'helm upgrade --install'].map((words) =>
    calls.findIndex((line) => line.includes(words)),
  );
  assert.ok((filled ?? 0) > 0 && (filled ?? 0) < (installed ?? 0), 'in this order');
  const key = readFileSync(keyFile);
  for (const encoding of ['base64', 'hex'] as const)
    assert.equal(calls.join('\n').includes(key.toString(encoding)), false, 'no secret is an argument');
  const names = double.given().flatMap((text) => [...text.matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name));
  assert.ok(names.includes('clinic-nectar-byon-root-key'));
  assert.ok(names.includes('data-clinic-nectar-byon-store-0'));
  const accounts = double.given().some((text) => text.includes('serviceAccountName'));
  assert.equal(accounts, false, 'the account of a release that is not installed is not there yet');
});

test('a volume that is not empty is not written to, and what was made goes again', async () => {
  const double = cluster('full');
  const pod = join(scratch, 'full');
  for (const role of ['store', 'audit', 'rollup']) {
    double.useVolumes(role, join(pod, role));
    for (const folder of role === 'store' ? ['keys', 'store'] : [role])
      mkdirSync(join(pod, role, folder), { recursive: true });
  }
  writeFileSync(join(pod, 'store', 'keys', 'keys.json'), 'of somebody else');
  const home = join(scratch, 'refused');
  await assert.rejects(restoreInto(double, home), /store\/keys is not empty|keys is not empty/);
  assert.equal(readFileSync(join(pod, 'store', 'keys', 'keys.json'), 'utf8'), 'of somebody else');
  assert.equal(existsSync(home), false);
  assert.deepEqual(
    readdirSync(scratch).filter((name) => name.startsWith('refused')),
    [],
  );
  assert.ok(double.calls().some((line) => line.includes('delete persistentvolumeclaims')));
});

test('a release that is there already is refused before anything is read', async () => {
  const double = cluster('present');
  writeFileSync(
    join(scratch, 'bin-present', 'get-deployments,statefulsets,persistentvolumeclaims'),
    'persistentvolumeclaim/data-x\n',
  );
  const home = join(scratch, 'present');
  await assert.rejects(restoreInto(double, home), { code: 'CLUSTER_RELEASE_PRESENT' });
  assert.equal(existsSync(home), false);
  assert.equal(double.calls().length, 1);
});

function restoreInto(double: ClusterDouble, home: string) {
  const terminal = terminalOf(double);
  return restoreCluster({
    ...{ file, home, check: false, keyFile, signal, now: () => NOW, onBytes: () => undefined, terminal },
    unlock: (folder) => unlockKeys({ home: folder, terminal, keyFile }),
    cluster: {
      ...{ kubeconfig: undefined, context: undefined, namespace: 'clinic', release: 'clinic', chart: '/chart' },
      ...{ registry: undefined, storageClass: undefined, values: [] },
    },
  });
}
