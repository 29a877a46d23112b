import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setChainAside } from '../../../../cli/life/rebuild-chain.ts';
import { verifyCluster } from '../../../../cli/life/verify-cluster.ts';
import { writeClusterTarget } from '../../../../cli/provision/kubernetes/cluster-target.ts';
import { fakeTerminal } from '../capture.ts';
import { type ClusterDouble, clusterDouble, SETS } from '../kubernetes/cluster-double.ts';
import { makeHome, NOW, openHome } from './stored-home.ts';

const scratch = mkdtempSync(join(tmpdir(), 'nectar-cluster-at-rest-'));
const home = join(scratch, 'clinic');
let volumes = '';

/** The home of a node in a cluster that is down, and folders in place of its volumes. */
before(async () => {
  volumes = await makeHome(scratch, 'a');
  for (const path of ['config.json', 'network.json', 'identity/public.json', 'tls/ca.crt', 'client/token'])
    cpSync(join(volumes, path), join(home, path));
  await writeClusterTarget(home, {
    ...{ version: 1, target: 'kubernetes', state: 'ready', namespace: 'clinic', release: 'clinic' },
    ...{ chart: '/chart', nodeId: 'ab'.repeat(16), programVersion: '0.1.0' },
  });
  mkdirSync(join(volumes, 'keys'));
  cpSync(join(volumes, 'keys.json'), join(volumes, 'keys', 'keys.json'));
  cpSync(join(volumes, 'identity'), join(volumes, 'keys', 'identity'), { recursive: true });
  const running = await openHome(volumes, join(scratch, 'a.key'));
  await running.put(randomBytes(100));
  await running.stop();
});

after(() => rmSync(scratch, { recursive: true, force: true }));

function cluster(name: string, { pods = [], replicas = 0 }: { pods?: string[]; replicas?: number } = {}) {
  const double = clusterDouble(join(scratch, `bin-${name}`));
  for (const role of ['store', 'audit', 'rollup']) double.useVolumes(role, volumes);
  double.answer('statefulsets', { items: SETS });
  double.answer('deployments,statefulsets', {
    items: SETS.map((set) => ({ ...set, spec: { ...set.spec, replicas } })),
  });
  const labels = (role: string) => ({
    'app.kubernetes.io/instance': 'clinic',
    'app.kubernetes.io/component': role,
  });
  // Of the release's own pods alone: a pod that is made for volumes is asked for by its name.
  if (pods.length > 0)
    double.answer('pods', {
      items: pods.map((role) => ({
        metadata: { name: `clinic-${role}-0`, labels: labels(role) },
        spec: { nodeName: 'one', containers: [{ name: role, image: 'x' }] },
        status: { phase: 'Running' },
      })),
    });
  return double;
}

const terminalOf = (double: ClusterDouble) => ({
  ...fakeTerminal({ env: { ...double.env } }).terminal,
  now: () => NOW,
});
const verify = (double: ClusterDouble) =>
  verifyCluster({ home, terminal: terminalOf(double), passphrase: undefined, say: () => undefined });

test('verifies the log of a node that is down, and leaves nothing of it in the home', async () => {
  const double = cluster('verify');
  const verdict = await verify(double);
  assert.equal(verdict?.integrity, 'ok');
  assert.ok((verdict?.size ?? 0) > 0);
  assert.equal(verdict?.bodies?.opened, verdict?.size);
  assert.deepEqual(readdirSync(join(home, 'run')).filter((name) => name.startsWith('verify')).length <= 1, true);
  assert.deepEqual(
    readdirSync(join(home, 'run')).filter((name) => /scratch/.test(name)),
    [],
  );
  assert.ok(double.calls().some((line) => /delete pods .*-volume-audit/.test(line)));
});

test('says of a log that was changed in its volume that it was', async () => {
  const changed = join(scratch, 'changed');
  cpSync(volumes, changed, { recursive: true });
  const files = readdirSync(join(changed, 'audit'), { recursive: true, encoding: 'utf8' })
    .map((name) => join(changed, 'audit', name))
    .filter((path) => statSync(path).isFile() && /tile/.test(path));
  const [path] = files.sort((a, b) => statSync(b).size - statSync(a).size);
  assert.ok(path);
  const bytes = readFileSync(path);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const double = cluster('changed');
  double.useVolumes('audit', changed);
  assert.equal((await verify(double))?.integrity, 'violated');
});

test('leaves the log alone while a pod writes it', async () => {
  const double = cluster('running', { pods: ['audit'], replicas: 1 });
  assert.equal(await verify(double), undefined);
  assert.deepEqual(double.given(), []);
});

test('puts the chain database of a node that is down aside in its volume, and touches nothing else', async () => {
  const database = join(volumes, 'rollup', 'db');
  mkdirSync(database, { recursive: true });
  writeFileSync(join(database, 'CURRENT'), 'x');
  const up = cluster('up', { replicas: 1 });
  await assert.rejects(setChainAside(home, terminalOf(up)), { code: 'NODE_HOME_IN_USE' });
  const ending = cluster('ending', { pods: ['rollup'] });
  await assert.rejects(setChainAside(home, terminalOf(ending)), { code: 'NODE_HOME_IN_USE' });
  assert.ok(existsSync(database));

  const double = cluster('rebuild');
  const { aside } = await setChainAside(home, terminalOf(double));
  assert.equal(aside, '/nectar/rollup/db-20261123T000000Z');
  assert.equal(existsSync(database), false);
  assert.equal(readFileSync(join(volumes, 'rollup', 'db-20261123T000000Z', 'CURRENT'), 'utf8'), 'x');
  const [created] = double.given();
  const pods = (JSON.parse(created ?? '') as { items: { metadata: { name: string } }[] }).items;
  assert.deepEqual(
    pods.map(({ metadata }) => metadata.name),
    ['clinic-nectar-byon-volume-rollup'],
  );
  assert.deepEqual(await setChainAside(home, terminalOf(cluster('again'))), { aside: null });
});
