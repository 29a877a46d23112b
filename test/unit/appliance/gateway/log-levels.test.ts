import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { assertProblem, type Harness, startHarness } from './harness.ts';

const PATH = '/v1/node/log-levels';

describe('/v1/node/log-levels', () => {
  let h: Harness;
  beforeEach(async () => {
    h = await startHarness();
  });
  afterEach(() => h.stop());

  it('changes a level for a while, on record with who, what and how long', async () => {
    const token = await h.token('admin');
    const from = h.audit.events.length;
    const answer = await h.call('PUT', PATH, { token, json: { level: 'debug', seconds: 60 } });
    assert.equal(answer.status, 200);
    const [role] = answer.json().roles as { role: string; state: { changes: { level: string }[] } }[];
    assert.deepEqual([role?.role, role?.state.changes[0]?.level], ['all', 'debug']);
    const back = await h.call('DELETE', PATH, { token });
    assert.deepEqual((back.json().roles as (typeof role)[])[0]?.state.changes, []);
    assert.deepEqual(
      h.audit.events.slice(from).map(({ type, outcome, detail }) => [type, outcome, detail]),
      [
        ['node.log-level', 'success', { target: 'node', level: 'debug', seconds: 60 }],
        ['node.log-level', 'success', { target: 'node', level: 'as configured' }],
      ],
    );
  });

  it('takes no level below debug, none that silences errors, none for ever, and no unknown target', async () => {
    const token = await h.token('admin');
    const from = h.audit.events.length;
    for (const json of [
      { level: 'trace', seconds: 60 },
      { level: 'silent', seconds: 60 },
      { level: 'debug', seconds: 0 },
      { level: 'debug', seconds: 24 * 3600 + 1 },
      { level: 'debug' },
    ])
      assert.equal((await h.call('PUT', PATH, { token, json })).status, 400, JSON.stringify(json));
    const unknown = { level: 'debug', seconds: 60, target: 'trie' };
    assertProblem(await h.call('PUT', PATH, { token, json: unknown }), 404, 'NODE_LOG_TARGET_UNKNOWN');
    assert.deepEqual(h.audit.events.slice(from), []);
  });

  it('is for administrators, and read while locked but not changed', async () => {
    const reader = await h.token('node:read');
    const json = { level: 'debug', seconds: 60 };
    assert.equal((await h.call('GET', PATH, { token: reader })).status, 200);
    for (const method of ['PUT', 'DELETE'])
      assert.equal((await h.call(method, PATH, { token: reader, ...(method === 'PUT' && { json }) })).status, 403);
    const admin = await h.token('admin');
    h.node.state = 'locked';
    assert.equal((await h.call('GET', PATH, { token: reader })).status, 200);
    assertProblem(await h.call('PUT', PATH, { token: admin, json }), 503, 'KEY_LOCKED');
  });

  it('changes nothing that the log did not take', async () => {
    const token = await h.token('admin');
    h.audit.fail = new Error('the log takes nothing');
    assert.notEqual((await h.call('PUT', PATH, { token, json: { level: 'debug', seconds: 60 } })).status, 200);
    const [role] = (await h.call('GET', PATH, { token })).json().roles as { state: { changes: unknown[] } }[];
    assert.deepEqual(role?.state.changes, []);
  });
});
