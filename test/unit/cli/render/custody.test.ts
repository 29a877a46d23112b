import assert from 'node:assert/strict';
import { test } from 'node:test';
import { custodyLines, gradeCustody } from '../../../../cli/render/custody.ts';
import { gradeRecalled, recalledLines } from '../../../../cli/render/recalled.ts';
import { gradeRevocations, revocationLines } from '../../../../cli/render/revocations.ts';

const NOW = Date.parse('2026-11-30T06:00:00.000Z');
const plain = (_: string, text: string): string => text;
const CUSTODY = {
  ...{ repositories: 2, bytes: 4096, fullestBytes: 2048, quotaBytes: 8192, refused: 0 },
  oldestAt: '2026-11-29T06:00:00.000Z',
};

test('a node that keeps nothing for others says nothing of it', () => {
  const idle = { ...CUSTODY, repositories: 0, bytes: 0, fullestBytes: 0, oldestAt: null };
  for (const custody of [null, idle]) {
    assert.deepEqual(custodyLines({ custody }, plain), []);
    assert.deepEqual(gradeCustody({ custody }, NOW), []);
  }
});

test('what is kept for others is good, until a quota fills or a copy does not come', () => {
  const gradeOf = (change: object) => gradeCustody({ custody: { ...CUSTODY, ...change } }, NOW)[0]?.grade;
  assert.deepEqual(custodyLines({ custody: { ...CUSTODY, refused: 3 } }, plain), [
    [
      'custody',
      '2 repositories of other nodes, 4.0 KiB, the fullest at 25 % of its quota, the oldest of their newest copies 2026-11-29T06:00:00.000Z, 3 refused since the start',
    ],
  ]);
  assert.equal(gradeOf({}), 'good');
  assert.equal(gradeOf({ fullestBytes: 8000 }), 'poor');
  assert.equal(gradeOf({ oldestAt: '2026-11-20T06:00:00.000Z' }), 'poor');
});

test('a revocation list that is not current is bad, and one that ends within a day is poor', () => {
  const list = { subject: 'CN=Clinic CA', fingerprint: 'AA', number: '5', revoked: 1 };
  const gradeOf = (state: 'current' | 'expired', nextUpdate: string) =>
    gradeRevocations({ clientRevocations: [{ ...list, state, nextUpdate }] }, NOW)[0]?.grade;
  assert.equal(gradeOf('current', '2026-12-05T06:00:00.000Z'), 'good');
  assert.equal(gradeOf('current', '2026-11-30T07:00:00.000Z'), 'poor');
  assert.equal(gradeOf('expired', '2026-11-30T05:00:00.000Z'), 'bad');
  const missing = { subject: 'CN=Clinic CA', fingerprint: 'AA', state: 'missing' } as const;
  assert.deepEqual(revocationLines({ clientRevocations: [missing] }, plain), [
    ['client CRL', 'CN=Clinic CA: missing: none of its clients is let in'],
  ]);
});

test('that no member answered after a restore is said', () => {
  const witness = (answered: number) => ({
    witness: { splitLogs: [], recalled: { epoch: 2, answered, silent: 1, newest: answered === 0 ? 0 : 40 } },
  });
  assert.match(recalledLines(witness(0), plain)[0]?.[1] ?? '', /^no member has told .* before epoch 2 \(1 asked\)/);
  assert.deepEqual([gradeRecalled(witness(0))[0]?.grade, gradeRecalled(witness(1))[0]?.grade], ['poor', 'good']);
  assert.match(gradeRecalled(witness(1))[0]?.value ?? '', /the largest head known had 40 leaves, 1 did not answer$/);
  assert.deepEqual(recalledLines({}, plain), []);
});
