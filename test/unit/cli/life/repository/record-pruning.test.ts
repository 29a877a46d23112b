import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PruningNote } from '../../../../../appliance/gateway/backup-schemas.ts';
import { pruneThenVerify, recordPruning } from '../../../../../cli/life/repository/record-pruning.ts';
import { type ErrorCode, isNectarError, NectarError } from '../../../../../protocol/errors.ts';

const code = (wanted: ErrorCode) => (error: unknown) => isNectarError(error, wanted) || assert.fail(String(error));
const denied = new NectarError('GATEWAY_SCOPE_MISSING', { scope: 'backups:prune' });
const repository = 'ab'.repeat(16);

function pruning(prune: () => Promise<{ kept: number[]; removed: number[]; objects: number; bytes: number }>) {
  const notes: PruningNote[] = [];
  const run = () =>
    recordPruning({
      ...{ target: 'node://safe:9443', repository, prune },
      tell: async (note) => void notes.push(note),
    });
  return { notes, run };
}

test('what was let go of is on record', async () => {
  const { notes, run } = pruning(async () => ({ kept: [3, 4], removed: [1, 2], objects: 5, bytes: 600 }));
  assert.deepEqual((await run()).removed, [1, 2]);
  assert.deepEqual(notes, [{ repository, outcome: 'success', kept: 2, removed: 2, objects: 5, bytes: 600 }]);
});

test('a token that may not prune has a name of its own, and is on record like every other failure', async () => {
  const refused = pruning(() => Promise.reject(denied));
  await assert.rejects(refused.run(), code('BACKUP_PRUNE_DENIED'));
  const broken = pruning(() => Promise.reject(new Error('the disk')));
  await assert.rejects(broken.run(), /the disk/);
  assert.deepEqual(
    [...refused.notes, ...broken.notes].map(({ outcome, reason, removed }) => [outcome, reason, removed]),
    [
      ['failure', 'BACKUP_PRUNE_DENIED', 0],
      ['failure', 'NODE_INTERNAL', 0],
    ],
  );
});

test('a scheduled run that may not prune is verified all the same, and says so behind', async () => {
  const order: string[] = [];
  const verify = async () => void order.push('verified');
  await assert.rejects(
    pruneThenVerify(() => Promise.reject(denied), verify),
    code('GATEWAY_SCOPE_MISSING'),
  );
  assert.deepEqual(order, ['verified']);
  assert.equal(
    await pruneThenVerify(
      async () => undefined,
      async () => 7,
    ),
    7,
  );
  // What fails to verify is the worse news.
  const failing = () => Promise.reject(new NectarError('BACKUP_TRUNCATED', { at: 'object' } as never));
  await assert.rejects(
    pruneThenVerify(() => Promise.reject(denied), failing),
    code('BACKUP_TRUNCATED'),
  );
});
