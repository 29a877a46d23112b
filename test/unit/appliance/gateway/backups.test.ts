import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openBackupNotes } from '../../../../appliance/gateway/backup-notes.ts';
import { MAX_NOTES_BYTES } from '../../../../appliance/gateway/kept-notes.ts';
import { fileText } from '../../../../appliance/gateway/kept-text.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import { NOW } from './doubles.ts';
import { assertProblem, type Harness, startHarness } from './harness.ts';

const REPOSITORY = '11'.repeat(16);
const DIGEST = 'ab'.repeat(32);
const createdAt = new Date(NOW).toISOString();
const file = { kind: 'file', createdAt, entries: 3, bytes: 4, manifestSha256: DIGEST };
const snapshot = {
  ...{
    kind: 'snapshot',
    repository: REPOSITORY,
    generation: 1,
    createdAt,
    leaves: 9,
    checkpointSize: 8,
    checkpointRoot: DIGEST,
  },
  ...{ manifestSha256: DIGEST, tableSha256: DIGEST, previous: '0'.repeat(64) },
};
const verification = {
  ...{ repository: REPOSITORY, generation: 1, outcome: 'success', opened: true },
  ...{ records: 3, objects: 4, bytes: 5, leaves: 6, milliseconds: 7, faults: 0 },
};

describe('backups of a running node', () => {
  let h: Harness;
  let token: string;
  beforeEach(async () => {
    h = await startHarness();
    token = await h.token('admin');
  });
  afterEach(() => h.stop());
  const call = (method: 'POST' | 'PUT', path: string, json: object) => h.call(method, path, { token, json });
  const sign = (json: object) => call('POST', '/v1/backups/statements', json);

  const signed = async (json: object): Promise<void> => {
    const answer = await sign(json);
    assert.equal(answer.status, 200, answer.bytes.toString());
  };

  it('signs a statement once it is on record', async () => {
    const answer = await sign(file);
    assert.equal(answer.status, 200, answer.bytes.toString());
    assert.equal(Buffer.from(String(answer.json().signature), 'base64').length, 64);
    const [event] = h.audit.events;
    assert.deepEqual(
      [event?.type, event?.detail?.kind, event?.detail?.manifestSha256],
      ['node.backup', 'file', DIGEST],
    );
  });

  it('signs nothing that the log does not take', async () => {
    h.audit.fail = new NectarError('AUDIT_NOT_WRITABLE', { reason: 'full' });
    assertProblem(await sign(snapshot), 503, 'AUDIT_NOT_WRITABLE');
    assert.equal(await h.gateway.backups(), null);
  });

  it('signs no text of the caller: a field that no statement has is refused, and so is a line end in one', async () => {
    for (const odd of [
      { ...file, text: 'x' },
      { ...file, createdAt: `${createdAt}\n` },
      { ...snapshot, generation: 0 },
      {},
    ])
      assertProblem(await sign(odd), 400, 'GATEWAY_REQUEST_INVALID');
    assert.equal(h.audit.events.length, 0);
  });

  it('is for whoever backs this node up, and not for the nodes that keep their backups here', async () => {
    const reader = await h.token('node:read', 'records:read', 'backups:write', 'backups:prune');
    for (const path of ['/v1/backups/statements', '/v1/backups/keys'])
      assertProblem(await h.call('POST', path, { token: reader, json: file }), 403, 'GATEWAY_SCOPE_MISSING');
  });

  it('takes a whole run from a token that can do nothing else, but leaves the alarm for missing runs alone', async () => {
    token = await h.token('backups:make', 'node:read');
    const said = { repository: REPOSITORY, kept: 2, removed: 3, objects: 4, bytes: 5, outcome: 'success' };
    const statuses = [
      await call('POST', '/v1/backups/hold', { seconds: 60 }),
      await call('POST', '/v1/backups/keys', { repository: REPOSITORY }),
      await sign(snapshot),
      await call('POST', '/v1/backups/prunings', said),
      await call('POST', '/v1/backups/verifications', verification),
      await h.call('GET', '/v1/backups', { token }),
    ].map(({ status }) => status);
    assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200]);
    const off = { repository: REPOSITORY, everySeconds: null };
    for (const [method, path, json] of [
      ['PUT', '/v1/backups/schedule', off],
      ['POST', '/v1/tokens', { subject: 'me', scope: ['admin'], expiresInSeconds: 60 }],
    ] as const)
      assertProblem(await call(method, path, json), 403, 'GATEWAY_SCOPE_MISSING');
    assertProblem(await h.call('GET', '/v1/records', { token }), 403, 'GATEWAY_SCOPE_MISSING');
  });

  it('remembers snapshots and what verifications of them found', async () => {
    await signed(snapshot);
    assert.equal((await call('POST', '/v1/backups/verifications', verification)).status, 200);
    assert.deepEqual(await h.gateway.backups(), {
      ...{ repositories: 1, lastAt: createdAt, verifiedAt: createdAt, faulty: 0, overdue: false },
    });
    await call('POST', '/v1/backups/verifications', { ...verification, outcome: 'failure', faults: 1 });
    assert.equal((await h.gateway.backups())?.faulty, 1);
  });

  it('has on record what was let go of, and that it was refused', async () => {
    const counts = { kept: 2, removed: 3, objects: 4, bytes: 5 };
    const from = h.audit.events.length;
    const prune = (note: object) =>
      call('POST', '/v1/backups/prunings', { repository: REPOSITORY, ...counts, ...note });
    assert.equal((await prune({ outcome: 'success' })).status, 200);
    assert.equal((await prune({ outcome: 'failure', reason: 'BACKUP_PRUNE_DENIED' })).status, 200);
    for (const odd of [{ outcome: 'maybe' }, { outcome: 'success', reason: 'a name of somebody' }])
      assert.equal((await prune(odd)).status, 400);
    assert.deepEqual(
      h.audit.events.slice(from).map(({ type, outcome, detail }) => [type, outcome, detail?.removed, detail?.reason]),
      [
        ['backup.prune', 'success', 3, undefined],
        ['backup.prune', 'failure', 3, 'BACKUP_PRUNE_DENIED'],
      ],
    );
  });

  it('raises the alarm when no snapshot comes within two intervals', async () => {
    await call('PUT', '/v1/backups/schedule', { repository: REPOSITORY, everySeconds: 3600 });
    h.node.now += 1_800_000;
    await signed(snapshot);
    h.node.now += 2 * 3_600_000;
    assert.equal((await h.gateway.backups())?.overdue, false);
    h.node.now += 1;
    assert.equal((await h.gateway.backups())?.overdue, true);
  });

  const openAgain = () =>
    openBackupNotes(fileText(join(h.folder, 'backups.json'), { maxBytes: MAX_NOTES_BYTES }), {
      ...{ audit: h.audit, metrics: createMetrics(), log: createLogger({ level: 'silent' }), now: () => h.node.now },
    });

  const CASES: Record<string, { found: string; change: (newest: string, older: string) => string | undefined }> = {
    'an older copy': { found: 'another', change: (_, older) => older },
    'a fault that was taken out': { found: 'another', change: (newest) => newest.replace('"failure"', '"success"') },
    'a schedule that was ended by hand': {
      found: 'another',
      change: (newest) => newest.replace('"everySeconds": 3600', '"everySeconds": null'),
    },
    'a repository that nobody knows': {
      found: 'another',
      change: (newest) => newest.replace(`"repository": "${REPOSITORY}"`, `"repository": "${'22'.repeat(16)}"`),
    },
    'what the log does not know yet': {
      found: 'another',
      change: (newest) => newest.replace('"auditLeaf": 0', '"auditLeaf": 4711'),
    },
    'an instant of a time to come': {
      found: 'another',
      change: (newest) => newest.replace(/"lastAt": "20/, '"lastAt": "21'),
    },
    'a copy that was cut off': { found: 'damaged', change: (newest) => newest.slice(0, -20) },
    'a missing file': { found: 'missing', change: () => undefined },
  };
  for (const [name, { found, change }] of Object.entries(CASES))
    it(`are what the log says after a start with ${name}`, async () => {
      await signed(snapshot);
      await call('POST', '/v1/backups/verifications', verification);
      const path = join(h.folder, 'backups.json');
      const older = await readFile(path, 'utf8');
      await call('PUT', '/v1/backups/schedule', { repository: REPOSITORY, everySeconds: 3600 });
      await call('POST', '/v1/backups/verifications', { ...verification, outcome: 'failure', faults: 1 });
      const [newest, before] = [await readFile(path, 'utf8'), await h.gateway.backups()];
      const text = change(newest, older);
      assert.notEqual(text, newest);
      await (text === undefined ? rm(path) : writeFile(path, text));
      assert.deepEqual(await (await openAgain()).status(), before);
      assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), JSON.parse(newest), 'the file is whole again');
      const { type, detail } = h.audit.events.at(-1) ?? assert.fail();
      assert.deepEqual([type, detail], ['notes.restore', { notes: 'backups', found }]);
    });
});
