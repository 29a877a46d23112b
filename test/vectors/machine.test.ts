import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runStateTests, stateTestFiles } from './machine-state-test.ts';

const OWN = join(import.meta.dirname, 'ethereum-state-tests');
const SHARED = process.env.NECTAR_VECTORS ?? join(import.meta.dirname, '../../../shared/vectors/ethereum-state-tests');

test('the machine agrees with the official state tests that are here', () => {
  const files = stateTestFiles(OWN);
  const { passed, failed } = runStateTests(OWN, files);
  assert.ok(passed >= files.length);
  assert.deepEqual(failed, []);
});

test(
  'the machine agrees with every official state test of the collection',
  { skip: !existsSync(SHARED) && 'the collection is not here' },
  (context) => {
    const files = stateTestFiles(SHARED);
    const { passed, failed } = runStateTests(SHARED, files);
    assert.deepEqual(failed, []);
    assert.ok(passed >= files.length);
    context.diagnostic(`${passed} post states of ${files.length} files agree`);
  },
);
