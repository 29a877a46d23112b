import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { assertProblem, type Harness, startHarness } from './harness.ts';

describe('/v1/keys/rekey', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await startHarness();
  });
  afterEach(() => h.stop());

  it('begins a rekey with a key of its own, goes on with one that stopped, and tells how far it is', async () => {
    const token = await h.token('admin');
    const call = (method: 'GET' | 'POST' | 'DELETE', json?: object) =>
      h.call(method, '/v1/keys/rekey', { token, ...(json !== undefined && { json }) });
    assert.deepEqual((await call('GET')).json(), { rekey: null });
    assertProblem(await call('DELETE'), 404, 'STORE_REKEY_ABSENT');
    for (const load of [0, 101, 'all']) assert.equal((await call('POST', { load })).status, 400, String(load));
    const from = h.audit.events.length;
    const begun = (await call('POST', { load: 10 })).json();
    assert.deepEqual([begun.state, begun.load], ['running', 10]);
    assert.equal((await call('DELETE')).json().state, 'paused');
    const again = (await call('POST', { load: 70 })).json();
    assert.deepEqual([again.state, again.load, again.target], ['running', 70, begun.target]);
    assert.deepEqual((await call('GET')).json(), { rekey: again });
    // One key for both; what the store does of it is the store's to put on record.
    const made = h.audit.events.slice(from).map(({ type, detail }) => [type, detail?.for, detail?.to]);
    assert.deepEqual(made, [
      ['key.rotate', 'rekey', undefined],
      ['key.rotate', 'rekey', begun.target],
    ]);
    assert.equal((await h.call('POST', '/v1/backups/hold', { token, json: { seconds: 60 } })).status, 200);
    assert.equal(h.store.kept, 60_000);
  });

  it('replaces the root key, announced and on record with its generation, and not while a rekey is under way', async () => {
    const token = await h.token('admin');
    const call = (json: object) => h.call('POST', '/v1/keys/root', { token, json });
    for (const json of [{ passphrase: '' }, { without: ['../x'] }, { root: 'mine' }])
      assert.equal((await call(json)).status, 400, JSON.stringify(json));
    assert.equal((await h.call('POST', '/v1/keys/root', { token: await h.token('node:read'), json: {} })).status, 403);
    const from = h.audit.events.length;
    const answer = await call({ without: ['file-1'], passphrase: 'seven fresh words' });
    assert.deepEqual([answer.status, answer.json()], [200, { providers: ['passphrase-1'], generation: 3 }]);
    const facts = h.audit.events.slice(from).map(({ type, detail }) => [type, detail?.phase, detail?.generation]);
    assert.deepEqual(facts, [
      ['key.root', 'started', undefined],
      ['key.root', undefined, 3],
    ]);
    assert.ok(!JSON.stringify(h.audit.events).includes('seven fresh words'));
    await h.call('POST', '/v1/keys/rekey', { token, json: { load: 10 } });
    assertProblem(await call({}), 409, 'KEY_ROOT_REKEYING');
  });
});
