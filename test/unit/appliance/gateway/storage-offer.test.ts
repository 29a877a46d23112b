import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { assertProblem, type Harness, startHarness } from './harness.ts';

const PATH = '/v1/storage/offer';

describe(PATH, () => {
  let h: Harness;
  beforeEach(async () => {
    h = await startHarness();
  });
  afterEach(() => h.stop());

  it('has the store take so much of others from now on', async () => {
    const token = await h.token('admin');
    const answer = await h.call('PUT', PATH, { token, json: { bytes: 1024 ** 3 } });
    assert.deepEqual([answer.status, answer.json()], [200, { bytes: 1024 ** 3, heldBytes: 7, from: 'command' }]);
  });

  it('takes no size below nothing, none above a PiB, and no other word', async () => {
    const token = await h.token('admin');
    for (const json of [{ bytes: -1 }, { bytes: 1024 ** 5 + 1 }, { bytes: '1GiB' }, { bytes: 1.5 }, {}])
      assert.equal((await h.call('PUT', PATH, { token, json })).status, 400, JSON.stringify(json));
  });

  it('is for administrators of a node that is open', async () => {
    const json = { bytes: 1 };
    assert.equal((await h.call('PUT', PATH, { token: await h.token('node:read'), json })).status, 403);
    const admin = await h.token('admin');
    h.node.state = 'locked';
    assertProblem(await h.call('PUT', PATH, { token: admin, json }), 503, 'KEY_LOCKED');
  });
});
