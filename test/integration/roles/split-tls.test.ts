import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { until } from '../../e2e/workplace.ts';
import { SplitNode, type SplitRole } from './split-node.ts';

/** The node of split.test.ts with its roles' crossings over mutual TLS, as in a cluster. */
const node = new SplitNode();
before(() => node.create({ crossings: 'tls' }), { timeout: 300_000 });
after(() => node.close());

test('over TLS records are put and read, each role may be killed, and the log verifies', async () => {
  const content = randomBytes(3 * 1024 * 1024 + 17);
  const { recordId, auditLeaf } = await node.put(content);
  assert.ok((await node.call('GET', `/v1/records/${recordId}`)).bytes.equals(content));
  assert.equal((await node.call('GET', `/v1/audit/entries/${auditLeaf}`)).json().index, auditLeaf);

  for (const role of ['audit', 'store', 'rollup'] as const satisfies readonly SplitRole[]) {
    await node.end(role, 'SIGKILL');
    await until(`/readyz to miss ${role}`, async () => (await node.call('GET', '/readyz')).status === 503 || undefined);
    node.start(role);
    await node.ready();
    assert.ok((await node.call('GET', `/v1/records/${recordId}`)).bytes.equals(content), `after ${role}`);
  }
  await node.end('gateway', 'SIGKILL');
  node.start('gateway');
  await node.ready();
  const small = await node.put(Buffer.from('after all of them'));
  assert.equal((await node.call('GET', `/v1/records/${small.recordId}`)).bytes.toString(), 'after all of them');

  const verdict = (await node.call('POST', '/v1/audit/verify')).json();
  assert.equal(verdict.integrity, 'ok');
  assert.notEqual(verdict.completeness, 'violated');
});
