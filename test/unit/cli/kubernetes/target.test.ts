import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findGateway } from '../../../../cli/node-client.ts';
import { findTarget } from '../../../../cli/provision/docker/target-file.ts';
import {
  type ClusterTarget,
  findClusterTarget,
  requireClusterTarget,
  writeClusterTarget,
} from '../../../../cli/provision/kubernetes/cluster-target.ts';

const scratch = mkdtempSync(join(tmpdir(), 'nectar-target-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const newHome = (): string => mkdtempSync(join(scratch, 'home-'));
const TARGET: ClusterTarget = {
  ...{ version: 1, target: 'kubernetes', state: 'ready', namespace: 'clinic', release: 'node' },
  ...{ chart: 'oci://registry.example/nectar-byon', nodeId: 'ab'.repeat(16), programVersion: '0.1.0' },
};

test('is read as it was written', async () => {
  const home = newHome();
  await writeClusterTarget(home, { ...TARGET, replicas: { gateway: 2 } });
  assert.deepEqual(findClusterTarget(home), { ...TARGET, replicas: { gateway: 2 } });
});

test('a home of containers, or without a target, is no node in Kubernetes', () => {
  const home = newHome();
  assert.equal(findClusterTarget(home), undefined);
  assert.throws(() => requireClusterTarget(home), { code: 'CLI_HOME_MISSING' });
  writeFileSync(join(home, 'target.json'), '{"version":1,"target":"docker"}');
  assert.equal(findClusterTarget(home), undefined);
});

test('one that is damaged, or names what no option of kubectl may be, is refused', async () => {
  const home = newHome();
  const refused = [
    '{',
    JSON.stringify({ ...TARGET, namespace: '--kubeconfig=/x' }),
    JSON.stringify({ ...TARGET, release: 'a b' }),
    JSON.stringify({ ...TARGET, gateway: 'http://clinic.example' }),
    JSON.stringify({ ...TARGET, token: 'x' }),
  ];
  for (const text of refused) {
    writeFileSync(join(home, 'target.json'), text);
    assert.throws(() => findClusterTarget(home), { code: 'CLI_TARGET_FILE_INVALID' }, text);
  }
});

test('what is done with containers only is refused for it, and never taken for a process', async () => {
  const home = newHome();
  await writeClusterTarget(home, TARGET);
  assert.throws(() => findTarget(home), { code: 'CLUSTER_VERB_UNAVAILABLE' });
});

test('the address that it names is where the API is asked', async () => {
  const home = newHome();
  await writeClusterTarget(home, { ...TARGET, gateway: 'https://clinic.example:443' });
  assert.equal(await findGateway(home), 'https://clinic.example:443');
});
