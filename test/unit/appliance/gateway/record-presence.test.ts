import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertProblem, eventually, type Harness, startHarness } from './harness.ts';

describe('the question which records are there', () => {
  let h: Harness;
  let token: string;
  let recordId: string;
  before(async () => {
    h = await startHarness({});
    token = await h.token('records:read');
    const writer = await h.token('records:write');
    const made = await h.call('POST', '/v1/records', { token: writer, body: 'kept' });
    recordId = String(made.json().recordId);
  });
  after(() => h.stop());

  const ask = (records: unknown, as = token) => h.call('POST', '/v1/records/present', { token: as, json: { records } });

  it('is answered for each id in its order, with the newest version and nothing else', async () => {
    const absent = 'ab'.repeat(16);
    const answer = await ask([absent, recordId]);
    assert.equal(answer.status, 200, answer.bytes.toString());
    assert.deepEqual(answer.json().records, [
      { recordId: absent, state: 'absent' },
      { recordId, state: 'present', version: 1 },
    ]);
  });

  it('puts each absent id on record, as a read does', async () => {
    const tried = 'cd'.repeat(16);
    await ask([tried]);
    const isOnRecord = (): boolean =>
      h.audit.events.some(
        ({ type, outcome, recordId: id }) => type === 'record.read' && outcome === 'failure' && id === tried,
      );
    await eventually(isOnRecord, 'the absent id is on record');
  });

  it('is bounded and needs the right to read', async () => {
    for (const wrong of [[], 'all', ['short'], Array.from({ length: 1_001 }, () => recordId)])
      assertProblem(await ask(wrong), 400, 'GATEWAY_REQUEST_INVALID');
    assertProblem(await ask([recordId], await h.token('records:write')), 403, 'GATEWAY_SCOPE_MISSING');
  });
});
