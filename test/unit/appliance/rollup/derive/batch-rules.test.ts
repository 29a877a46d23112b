import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  clampTimestamp,
  MAX_ORIGIN_AGE,
  MAX_TIME_DRIFT_S,
} from '../../../../../appliance/rollup/derive/batch-rules.ts';

import { findBlockFault } from '../../../../oracle/batch-rules.ts';

const hash = `0x${'aa'.repeat(32)}` as const;
const parent = { number: 5n, hash, timestamp: 1_000n, originNumber: 50n, messagesRead: 3n };
const origin = { number: 52n, hash, timestamp: 990n };
const context = { parent, origin, postedIn: 60n, delayedCount: 5n, consumable: 9 };
const block = { timestamp: 1_000n, l1Origin: { number: 52n, hash }, delayedMessages: 2, transactions: [] };

test('a block that keeps every rule has no fault', () => {
  assert.equal(findBlockFault(block, context), undefined);
});

test('names the first rule that a block breaks', () => {
  const other = `0x${'bb'.repeat(32)}` as const;
  assert.equal(findBlockFault({ ...block, l1Origin: { number: 52n, hash: other } }, context), 'origin');
  assert.equal(findBlockFault(block, { ...context, origin: undefined }), 'origin');
  assert.equal(findBlockFault(block, { ...context, postedIn: 52n }), 'origin', 'the batch itself is no ancestor');
  const older = { number: 49n, hash, timestamp: 990n };
  assert.equal(findBlockFault({ ...block, l1Origin: older }, { ...context, origin: older }), 'origin-backwards');
  assert.equal(findBlockFault(block, { ...context, postedIn: 52n + MAX_ORIGIN_AGE }), undefined);
  assert.equal(findBlockFault(block, { ...context, postedIn: 53n + MAX_ORIGIN_AGE }), 'origin-too-old');
  const noOrigin = { ...context, origin: undefined };
  assert.equal(findBlockFault({ ...block, l1Origin: older }, noOrigin), 'origin-backwards', 'numbers come first');
  assert.equal(findBlockFault(block, { ...noOrigin, postedIn: 53n + MAX_ORIGIN_AGE }), 'origin-too-old');
  assert.equal(findBlockFault({ ...block, timestamp: 999n }, context), 'timestamp');
  assert.equal(findBlockFault(block, { ...context, origin: { ...origin, timestamp: 1_001n } }), 'timestamp');
  const late = 990n + MAX_TIME_DRIFT_S;
  assert.equal(findBlockFault({ ...block, timestamp: late }, context), undefined);
  assert.equal(findBlockFault({ ...block, timestamp: late + 1n }, context), 'timestamp');
  assert.equal(findBlockFault({ ...block, delayedMessages: 3 }, context), 'messages');
  assert.equal(findBlockFault({ ...block, delayedMessages: 3 }, { ...context, delayedCount: 9n }), undefined);
  assert.equal(findBlockFault(block, { ...context, consumable: 1 }), 'messages');
});

test('whatever the clock says, the timestamp it gives keeps the rule', () => {
  const time = fc.bigInt({ min: 0n, max: 10_000n });
  fc.assert(
    fc.property(time, time, time, time, (now, parentOrigin, drift, step) => {
      const parentTime = parentOrigin + (drift % (MAX_TIME_DRIFT_S + 1n));
      const next = { ...origin, timestamp: parentOrigin + step };
      const timestamp = clampTimestamp(now, { timestamp: parentTime }, next);
      const on = { ...context, parent: { ...parent, timestamp: parentTime }, origin: next };
      assert.equal(findBlockFault({ ...block, timestamp }, on), undefined);
    }),
  );
});
