import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeStatus } from '../../../../appliance/gateway/node-schemas.ts';
import { gradeStorage } from '../../../../cli/render/storage-checks.ts';

type Storage = NonNullable<NodeStatus['storage']>;
const sound: Storage = { index: 'fresh', missing: 0, damaged: 0, pendingErasures: 0, holders: [] };
const grade = (storage: Partial<Storage>): string[] =>
  gradeStorage({ storage: { ...sound, ...storage } } as NodeStatus).map(
    ({ name, grade: is, value }) => `${name} ${is}: ${value}`,
  );
const holder = (state: 'good' | 'late' | 'distrusted', faults = 0) => ({ holder: `12D3-${state}`, state, faults });
const index = 'index good: what the audit log says';

test('a store without holders says nothing of replicas', () => {
  assert.deepEqual(grade({}), [index]);
});

test('holders are counted by what they prove, and those that gave false answers are told apart', () => {
  assert.deepEqual(grade({ holders: [holder('good'), holder('good')] }), [
    index,
    'replicas good: 2 of 2 prove what they hold',
  ]);
  assert.deepEqual(grade({ holders: [holder('good'), holder('late')] }), [
    index,
    'replicas poor: 1 of 2 prove what they hold',
  ]);
  assert.deepEqual(grade({ holders: [holder('good', 1), holder('distrusted', 3)] }), [
    index,
    'replicas poor: 1 of 2 prove what they hold, 2 gave false answers',
  ]);
});

test('versions that the last scrub could not read are bad', () => {
  const at = '2026-11-30T18:00:00.000Z';
  assert.deepEqual(grade({ unreadable: { versions: 2, at } }), [
    index,
    `records bad: 2 versions did not read at the scrub of ${at}`,
  ]);
  assert.deepEqual(grade({ unreadable: { versions: 0, at } }), [index]);
});

test('deletions without a receipt are told with their age, and are worth a look after a day', () => {
  assert.deepEqual(grade({ releases: { pending: 0 } }), [index]);
  const one = '1 copy of a destroyed blob has no receipt of the holder yet, the oldest for 1 h';
  assert.deepEqual(grade({ releases: { pending: 1, oldestMs: 3_600_000 } }), [index, `deletions good: ${one}`]);
  const old = '2 copies of destroyed blobs have no receipt of the holder yet, the oldest for 3 d';
  assert.deepEqual(grade({ releases: { pending: 2, oldestMs: 3 * 86_400_000 } }), [index, `deletions poor: ${old}`]);
});
