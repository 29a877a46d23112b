import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import type { Scope } from '../../../../../appliance/gateway/schema-parts.ts';
import { encodeNodeCredentials, readNodeCredentials } from '../../../../../cli/life/repository/node-credentials.ts';
import { createNodeTarget } from '../../../../../cli/life/repository/node-target.ts';
import { pruneRepository } from '../../../../../cli/life/repository/prune-repository.ts';
import { memoryObject } from '../../../../../cli/life/repository/spooled-object.ts';
import type { Target } from '../../../../../cli/life/repository/target.ts';
import { type ErrorCode, isNectarError } from '../../../../../protocol/errors.ts';
import { assertProblem, type Harness, startHarness } from '../../../appliance/gateway/harness.ts';
import { Clinic } from './clinic.ts';

const clinic = new Clinic();
const { signal } = new AbortController();
const code = (wanted: ErrorCode) => (error: unknown) => isNectarError(error, wanted) || assert.fail(String(error));
let holder: Harness;

/** The repository of one owner at the holder, as its node reaches it. */
async function targetOf(owner: string, ...scope: Scope[]): Promise<{ target: Target; token: string; id: string }> {
  const { token, id } = await holder.tokens.issue({ subject: owner, scope, expiresInSeconds: 3600 });
  const ca = holder.certificates.caCertificate;
  return { target: createNodeTarget(`node://localhost:${holder.port}`, { token, ca }, signal), token, id };
}
const namesOf = async (target: Target, prefix: string): Promise<string[]> => {
  const names: string[] = [];
  for await (const { name } of target.list(prefix)) names.push(name);
  return names;
};

before(async () => {
  holder = await startHarness();
  await clinic.open();
});
after(async () => {
  await clinic.target.close();
  await clinic.close();
  await holder.stop();
});

test('a node backs itself up to another one, brings only what is new, and is restored from there', async () => {
  clinic.target = (await targetOf('clinic-a', 'backups:write')).target;
  const kept = await clinic.put(2_500_000);
  const doomed = await clinic.put(9_000);
  await clinic.backUp();
  const second = await clinic.backUp();
  assert.equal(second.newObjects, 0);
  await clinic.destroy(doomed.id);
  await clinic.backUp();
  assert.equal((await namesOf(clinic.target, 'keys/')).length, 1);
  for (const generation of [1, 3]) {
    await clinic.restore(`restored-${generation}`, { generation });
    const restored = await clinic.openRestored(`restored-${generation}`);
    try {
      assert.ok(kept.body.equals(await restored.get(kept.id)));
      await assert.rejects(restored.get(doomed.id), code('STORE_RECORD_SHREDDED'));
    } finally {
      await restored.stop();
    }
  }
});

test('the holder has on record who brought, read and removed what', () => {
  const types = holder.audit.events.map(({ type, context }) => [type, context.actor.subject]);
  assert.ok(types.every(([, subject]) => subject === 'clinic-a'));
  const count = (wanted: string): number => types.filter(([type]) => type === wanted).length;
  assert.deepEqual(
    ['custody.begin', 'custody.snapshot', 'custody.read', 'custody.remove'].map(count),
    [1, 3, 2, 2],
    'a table is read by each restore, and superseded by each run but the first',
  );
});

test('a stolen token takes nothing away, and reaches neither records nor the repository of another owner', async () => {
  const { target, token } = await targetOf('clinic-a', 'backups:write');
  const [table = ''] = await namesOf(target, 'keys/');
  const notes = await namesOf(target, 'snapshots/');
  await target.remove(table);
  await assert.rejects(target.settle(), code('CUSTODY_REMOVAL_REFUSED'));
  for (const name of notes) await target.remove(name);
  await assert.rejects(target.settle(), code('GATEWAY_SCOPE_MISSING'));
  assert.equal(await target.create(notes[0] ?? '', memoryObject(Buffer.from('x'))), false);
  await assert.rejects(
    target.create('snapshots/0000000009.note', memoryObject(Buffer.from('x'))),
    code('CUSTODY_CONTENT_REFUSED'),
  );
  for (const [method, path] of [
    ['GET', '/v1/records'],
    ['GET', '/v1/audit/entries'],
    ['GET', '/v1/custody'],
    ['DELETE', '/v1/custody?owner=clinic-a'],
  ] as const)
    assertProblem(await holder.call(method, path, { token }), 403, 'GATEWAY_SCOPE_MISSING');
  const other = (await targetOf('clinic-b', 'backups:write')).target;
  assert.deepEqual(await namesOf(other, 'snapshots/'), []);
  await assert.rejects(Readable.from(other.read(table)).toArray(), code('BACKUP_OBJECT_MISSING'));
  await other.close();
  await target.close();
});

test('pruning takes a token of its own', async () => {
  const { target } = await targetOf('clinic-a', 'backups:write', 'backups:prune');
  const authority = await clinic.authority();
  const keep = { last: 1, daily: 0, weekly: 0, monthly: 0 };
  try {
    const request = { home: clinic.home, authority, keep, dryRun: false, signal };
    await assert.rejects(pruneRepository({ ...request, target: clinic.target }), code('GATEWAY_SCOPE_MISSING'));
    const { kept, removed } = await pruneRepository({ ...request, target });
    assert.deepEqual([kept, removed], [[3], [1, 2]]);
    assert.deepEqual(await namesOf(target, 'snapshots/'), ['snapshots/0000000003.note']);
    await clinic.restore('pruned', { target, check: true });
  } finally {
    await authority.close();
    await target.close();
  }
});

test('whoever runs the holder sees what it keeps, and can end it', async () => {
  const token = await holder.token('admin');
  const answer = await holder.call('GET', '/v1/custody', { token });
  const [found] = answer.json().repositories as { owner: string; generation: number; bytes: number }[];
  assert.deepEqual([found?.owner, found?.generation], ['clinic-a', 3]);
  assert.ok((found?.bytes ?? 0) > 2_500_000);
  assert.equal((await holder.call('DELETE', '/v1/custody?owner=clinic-a', { token })).status, 200);
  assertProblem(await holder.call('DELETE', '/v1/custody?owner=clinic-a', { token }), 404, 'CUSTODY_REPOSITORY_ABSENT');
  await assert.rejects(clinic.backUp(), code('BACKUP_REPOSITORY_BEHIND'), 'its owner notices');
});

test('a revoked token, a foreign authority and a list that is cut off are refused', async () => {
  const { target, id, token } = await targetOf('clinic-a', 'backups:write');
  await holder.tokens.revoke(id);
  await assert.rejects(namesOf(target, 'keys/'), code('GATEWAY_TOKEN_REVOKED'));
  await target.close();
  const stranger = await startHarness();
  const ca = stranger.certificates.caCertificate;
  const aside = createNodeTarget(`node://localhost:${holder.port}`, { token, ca }, AbortSignal.timeout(30_000));
  await assert.rejects(namesOf(aside, 'keys/'), code('BACKUP_TARGET_REFUSED'));
  await aside.close();
  await stranger.stop();
});

test('the file of a grant carries token and authority, and only its owner may read it', async () => {
  const path = join(clinic.folder, 'clinic-a.access');
  const wanted = { token: 'eyJhbGciOiJFZERTQSJ9.e30.c2ln', ca: holder.certificates.caCertificate };
  writeFileSync(path, encodeNodeCredentials(wanted, 'what it is\nfor whom'), { mode: 0o600 });
  assert.deepEqual(await readNodeCredentials(path), wanted);
  const open = join(clinic.folder, 'open.access');
  writeFileSync(open, encodeNodeCredentials(wanted, ''), { mode: 0o644 });
  await assert.rejects(readNodeCredentials(open), code('CLI_FILE_UNREADABLE'));
});
