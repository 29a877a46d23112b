import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { assertProblem, type Harness, startHarness } from './harness.ts';

const ID = 'ab'.repeat(16);
const PEER = '12D3KooWNwat7QPSS3fvWDtnvKqUf8vjo7QAY7ZQP6V8FhG6NSaj';

describe('shards over the API', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await startHarness();
  });
  afterEach(() => h.stop());

  it('says how the segments of a record stand', async () => {
    const answer = await h.call('GET', `/v1/storage/records/${ID}`, { token: await h.token('admin') });
    assert.deepEqual([answer.status, answer.json()], [200, { recordId: ID, version: 1, segments: [] }]);
  });

  it('has a segment read from its holders', async () => {
    const json = { recordId: ID, segment: 3 };
    const answer = await h.call('POST', '/v1/storage/drill', { token: await h.token('admin'), json });
    assert.deepEqual([answer.status, answer.json()], [200, { ...json, version: 1, bytes: 5, blocks: 1 }]);
  });

  it('repairs, and takes shards away from a holder', async () => {
    const token = await h.token('admin');
    assert.equal((await h.call('POST', '/v1/storage/repair', { token, json: {} })).status, 200);
    assert.deepEqual(h.store.repaired, {});
    assert.equal((await h.call('POST', '/v1/storage/repair', { token, json: { awayFrom: PEER } })).status, 200);
    assert.deepEqual(h.store.repaired, { awayFrom: PEER });
    assert.equal((await h.call('POST', '/v1/storage/repair', { token, json: { awayFrom: '../x' } })).status, 400);
  });

  it('is for administrators of a node that is open', async () => {
    const token = await h.token('node:read');
    assert.equal((await h.call('POST', '/v1/storage/repair', { token, json: {} })).status, 403);
    assert.equal((await h.call('GET', `/v1/storage/records/${ID}`, { token })).status, 403);
    const admin = await h.token('admin');
    h.node.state = 'locked';
    assertProblem(await h.call('POST', '/v1/storage/repair', { token: admin, json: {} }), 503, 'KEY_LOCKED');
  });
});
