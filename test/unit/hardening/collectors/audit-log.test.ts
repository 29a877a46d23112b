import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createAuditLogCollector } from '../../../../hardening/collectors/audit-log.ts';
import type { LifeNotes } from '../../../../hardening/collectors/life-notes.ts';
import type { ExpectedListener } from '../../../../hardening/collectors/listener.ts';
import type { NodeAnswer, NodeApi } from '../../../../hardening/collectors/node-api.ts';
import { collect, valuesOf } from './facts-of.ts';
import { FakeNode, json } from './fake-node.ts';

const NOW = Date.parse('2026-11-23T09:00:00Z');
const REFUSED = 'ab'.repeat(16);
const LEAF = Buffer.from('leaf');
const created = '2026-11-03T09:00:00Z';

/** A gateway that refuses whoever has no token. */
async function gateway(t: TestContext, status = 401): Promise<ExpectedListener> {
  const server = createServer((_, response) => response.writeHead(status, { 'x-request-id': REFUSED }).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { name: 'gateway', speaks: 'http', host: '127.0.0.1', port, configured: { host: '127.0.0.1', port } };
}

const denial = (requestId: string) => ({ leaf: { type: 'auth.denied' }, body: { entity: [{ what: requestId }] } });
const status = { audit: { size: 40 }, anchored: { auditSize: 32 } };

function answers(change: Record<string, NodeAnswer>): NodeApi {
  const all: Record<string, NodeAnswer> = {
    '/v1/audit/verify': json(200, { integrity: 'ok', completeness: 'unknown' }),
    '/v1/node': json(200, status),
    '/v1/audit/entries?limit=100': json(200, { entries: [denial('cd'.repeat(16)), denial(REFUSED)] }),
    ...change,
  };
  return { request: async ({ path }) => all[path] ?? json(404, { code: 'GATEWAY_ROUTE_ABSENT' }) };
}

interface Look {
  readonly api: NodeApi | undefined;
  readonly vkey: string;
  readonly gateway: ExpectedListener | undefined;
  readonly probe?: boolean;
  readonly lastVerify?: LifeNotes['lastVerify'];
}

async function look({ api, vkey, gateway: at, probe = true, lastVerify }: Look): Promise<Record<string, unknown>> {
  const notes = { createdAt: created, lastVerify };
  const collector = createAuditLogCollector(
    { notes, gateway: at, probe, now: () => NOW },
    { api, vkey: () => vkey, wait: async () => undefined },
  );
  return valuesOf(await collect(collector), 'node', 'node');
}

test('tells what a full verification found, how far the anchors are, and whose checkpoint it is', async (t) => {
  const node = new FakeNode();
  const api = answers({ '/v1/audit/checkpoint': json(200, { note: node.note(LEAF) }) });
  const seen = await look({ api, vkey: node.vkey, gateway: await gateway(t) });
  assert.deepEqual(seen, {
    'node.auditIntegrity': 'ok',
    'node.auditCompleteness': 'unknown',
    'node.auditVerifyDays': 0,
    'node.auditVerified': true,
    'node.auditSize': 40,
    'node.auditAnchoredSize': 32,
    'node.auditUnanchoredLeaves': 8,
    'node.auditCheckpointSigned': true,
    'node.auditWitnesses': 0,
    'node.auditDenialProbe': true,
  });
});

test('does not believe a checkpoint under another key', async (t) => {
  const [node, other] = [new FakeNode(), new FakeNode()];
  const api = answers({ '/v1/audit/checkpoint': json(200, { note: other.note(LEAF) }) });
  const seen = await look({ api, vkey: node.vkey, gateway: await gateway(t) });
  assert.equal(seen['node.auditCheckpointSigned'], false);
});

test('tells a gateway that refuses nobody, and one whose refusals are not recorded', async (t) => {
  const { vkey } = new FakeNode();
  const open = await look({ api: answers({}), vkey, gateway: await gateway(t, 200) });
  assert.equal(open['node.auditDenialProbe'], false);
  const silent = answers({ '/v1/audit/entries?limit=100': json(200, { entries: [denial('cd'.repeat(16))] }) });
  const seen = await look({ api: silent, vkey, gateway: await gateway(t) });
  assert.equal(seen['node.auditDenialProbe'], false);
});

test('takes a refusal for recorded that a flood kept out and the count of its minute holds', async (t) => {
  const { vkey } = new FakeNode();
  const count = (until: string) => ({
    leaf: { type: 'auth.denied' },
    body: {
      entity: [
        {
          detail: [
            { type: 'suppressed', valueString: '31' },
            { type: 'until', valueString: until },
          ],
        },
      ],
    },
  });
  for (const [until, recorded] of [
    [new Date(NOW + 1_000).toISOString(), true],
    [new Date(NOW - 1_000).toISOString(), false],
  ] as const) {
    const flooded = answers({ '/v1/audit/entries?limit=100': json(200, { entries: [count(until)] }) });
    const seen = await look({ api: flooded, vkey, gateway: await gateway(t) });
    assert.equal(seen['node.auditDenialProbe'], recorded, until);
  }
});

test('verifies and probes nothing when that is switched off: what was noted counts, and no note is no verdict', async () => {
  const { vkey } = new FakeNode();
  const lastVerify = { at: '2026-11-20T09:00:00Z', integrity: 'ok', completeness: 'ok' };
  const asked: string[] = [];
  const api: NodeApi = {
    request: async ({ path }) => {
      asked.push(path);
      return json(200, status);
    },
  };
  const noted = await look({ api, vkey, gateway: undefined, probe: false, lastVerify });
  assert.deepEqual([noted['node.auditIntegrity'], noted['node.auditVerifyDays']], ['ok', 3]);
  assert.deepEqual(noted['node.auditVerified'], { error: 'probing was switched off' });
  assert.ok(!asked.includes('/v1/audit/verify'));
  const never = await look({ api, vkey, gateway: undefined, probe: false });
  assert.match((never['node.auditIntegrity'] as { error: string }).error, /no earlier verification/);
  assert.equal(never['node.auditVerifyDays'], 20);
});

test('sees nothing of a log whose node does not run', async () => {
  const seen = await look({ api: undefined, vkey: new FakeNode().vkey, gateway: undefined });
  for (const [fact, value] of Object.entries(seen)) assert.ok((value as { error?: string }).error !== undefined, fact);
});
