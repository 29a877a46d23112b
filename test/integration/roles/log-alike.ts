import assert from 'node:assert/strict';
import { until } from '../../e2e/workplace.ts';
import type { ClusterNode } from './cluster-node.ts';

/** Both gateways of a node log alike, whichever is told. */
export async function assertLogAlike(node: ClusterNode): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  type Roles = { roles: { role: string; state?: { changes: { level: string }[] } }[] };
  const told = async (pod: 'gateway-0' | 'gateway-1') => {
    const { roles } = (await node.call(pod, '/v1/node/log-levels')).json() as Roles;
    return (
      roles
        .find(({ role }) => role === 'gateway')
        ?.state?.changes.map(({ level }) => level)
        .join() ?? 'silence'
    );
  };
  const body = JSON.stringify({ target: 'gateway', level: 'warn', seconds: 3600 });
  const put = await node.call('gateway-0', '/v1/node/log-levels', { method: 'PUT', headers, body });
  assert.equal(put.status, 200, put.bytes.toString());
  assert.equal(await told('gateway-0'), 'warn');
  await until('the other gateway to take it', async () => (await told('gateway-1')) === 'warn' || undefined);
  await node.call('gateway-1', '/v1/node/log-levels', { method: 'DELETE' });
  await until('the first gateway to end it', async () => (await told('gateway-0')) === '' || undefined);
}
