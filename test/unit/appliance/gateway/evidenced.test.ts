import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayAuditEvent } from '../../../../appliance/gateway/dependencies.ts';
import { evidenced, evidencedFirst } from '../../../../appliance/gateway/evidenced.ts';
import { NectarError } from '../../../../protocol/errors.ts';

const context = { actor: { subject: 'dr.meier' }, requestId: 'r1' };
const rotation = { type: 'key.rotate', context, detail: { to: 'kek/2' } } as const;

function recorder(refuse: (event: GatewayAuditEvent) => boolean = () => false) {
  const events: GatewayAuditEvent[] = [];
  const held: GatewayAuditEvent[] = [];
  const append = async (event: GatewayAuditEvent) => {
    if (refuse(event)) throw new NectarError('NODE_DISK_FULL', { path: 'audit' });
    return { index: events.push(event) - 1 };
  };
  const at = {
    deps: { audit: { append } },
    events: {
      observed: (event: GatewayAuditEvent) => void held.push(event),
      denied: () => undefined,
      flush: async () => undefined,
    },
  } as unknown as Parameters<typeof evidenced>[0];
  return { at, events, held };
}

test('a success is on record with what the work learnt, and the result says which leaf', async () => {
  const { at, events } = recorder();
  const run = async (note: (facts: Record<string, string | number>) => void) => {
    note({ rewrapped: 3 });
    return 'done';
  };
  assert.deepEqual(await evidenced(at, rotation, { run }), { result: 'done', auditLeaf: 0 });
  assert.deepEqual(events, [{ ...rotation, outcome: 'success', detail: { to: 'kek/2', rewrapped: 3 } }]);
});

test('a failure is on record with its code and how far it came, and is thrown on', async () => {
  const { at, events } = recorder();
  const run = async (note: (facts: Record<string, string | number>) => void) => {
    note({ rewrapped: 64 });
    throw new NectarError('NODE_DISK_FULL', { path: 'store' });
  };
  await assert.rejects(evidenced(at, rotation, { run }), { code: 'NODE_DISK_FULL' });
  const detail = { to: 'kek/2', rewrapped: 64, reason: 'NODE_DISK_FULL' };
  assert.deepEqual(events, [{ ...rotation, outcome: 'failure', detail }]);
});

test('the text of an unknown failure stays out of the log', async () => {
  const { at, events } = recorder();
  await assert.rejects(evidenced(at, rotation, { run: () => Promise.reject(new Error('secret inside')) }));
  assert.equal(events[0]?.detail?.reason, 'INTERNAL');
  assert.ok(!JSON.stringify(events).includes('secret inside'));
});

test('announced work leaves its beginning on record, whatever becomes of the process', async () => {
  const { at, events } = recorder();
  let seen: unknown;
  const run = async () => {
    seen = events.map(({ outcome, detail }) => [outcome, detail?.phase]);
  };
  await evidenced(at, rotation, { announced: true, run });
  assert.deepEqual(seen, [['success', 'started']]);
  assert.deepEqual(
    events.map(({ detail }) => detail?.phase),
    ['started', undefined],
  );
});

test('announced work does not begin when the log does not take it', async () => {
  const { at } = recorder(() => true);
  const run = () => assert.fail('it ran');
  await assert.rejects(evidenced(at, rotation, { announced: true, run }), { code: 'NODE_DISK_FULL' });
});

test('a result without its evidence is taken back', async () => {
  const { at } = recorder(() => true);
  const undone: string[] = [];
  const work = { run: async () => 'token', undo: async (result: string) => void undone.push(result) };
  await assert.rejects(evidenced(at, rotation, work), { code: 'NODE_DISK_FULL' });
  assert.deepEqual(undone, ['token']);
});

test('a failure that the log does not take is held until it does, and hides no reason', async () => {
  const { at, held } = recorder(() => true);
  const run = () => Promise.reject(new NectarError('KEY_LOCKED', {}));
  await assert.rejects(evidenced(at, rotation, { run }), { code: 'KEY_LOCKED' });
  assert.deepEqual(
    held.map(({ outcome, detail }) => [outcome, detail?.reason]),
    [['failure', 'KEY_LOCKED']],
  );
});

test('leaf first: the work gets its index, and a failure after it adds another', async () => {
  const { at, events } = recorder();
  const event = { ...rotation, outcome: 'success' } as const;
  assert.deepEqual(await evidencedFirst(at, event, async (leaf) => leaf + 10), { result: 10, auditLeaf: 0 });
  await assert.rejects(evidencedFirst(at, event, () => Promise.reject(new Error('disk'))));
  assert.deepEqual(
    events.slice(1).map(({ outcome, detail }) => [outcome, detail?.leaf]),
    [
      ['success', undefined],
      ['failure', 1],
    ],
  );
});
