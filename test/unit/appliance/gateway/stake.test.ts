import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Harness, startHarness } from './harness.ts';

const PATH = '/v1/chain/stake';

describe(PATH, () => {
  let h: Harness;
  beforeEach(async () => {
    h = await startHarness();
  });
  afterEach(() => h.stop());

  it('says what the stake is to who may read of the node', async () => {
    const answer = await h.call('GET', PATH, { token: await h.token('node:read') });
    assert.equal(answer.status, 200);
    assert.deepEqual([answer.json().state, answer.json().stakeId], ['staked', 4]);
  });

  it('takes it back for an administrator, on record', async () => {
    const token = await h.token('admin');
    const answer = await h.call('PUT', PATH, { token, json: { wanted: false } });
    assert.deepEqual([answer.status, answer.json().state], [200, 'leaving']);
    const leaf = h.audit.events.find(({ type }) => type === 'chain.stake');
    assert.equal(leaf?.outcome, 'success');
    assert.deepEqual(leaf?.detail, { wanted: 'no', account: `0x${'ca'.repeat(20)}`, state: 'leaving' });
  });

  it('takes no other word, and none of others', async () => {
    const token = await h.token('admin');
    for (const json of [{}, { wanted: 'no' }, { wanted: false, force: true }])
      assert.equal((await h.call('PUT', PATH, { token, json })).status, 400, JSON.stringify(json));
    const json = { wanted: false };
    assert.equal((await h.call('PUT', PATH, { token: await h.token('node:read'), json })).status, 403);
  });
});
