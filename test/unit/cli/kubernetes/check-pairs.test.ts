import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradePairs } from '../../../../cli/provision/kubernetes/check-pairs.ts';

const DAY = 86_400;
const told = (...pairs: [role: string, leftDays: number, wholeDays: number][]): string =>
  pairs
    .flatMap(([role, left, whole]) => [
      `nectar_crossing_certificate_left_seconds{role="${role}"} ${left * DAY}`,
      `nectar_crossing_certificate_lifetime_seconds{role="${role}"} ${whole * DAY}`,
    ])
    .join('\n');
const gradeOf = (text: string) => gradePairs(text)[0]?.grade;

test('grades the certificate that ends first, by its own life', () => {
  assert.equal(gradeOf(told(['store', 300, 365], ['audit', 200, 365])), 'good');
  const [check] = gradePairs(told(['store', 300, 365], ['audit', 30, 365]));
  assert.equal(check?.grade, 'poor');
  assert.match(check?.value ?? '', /\(audit\)$/);
  // Those of cert-manager live for a day, and are new again every sixteen hours.
  assert.equal(gradeOf(told(['store', 0.4, 1])), 'good');
  assert.equal(gradeOf(told(['store', 0.05, 1])), 'poor');
});

test('calls one that has ended bad, and says nothing of roles that meet over sockets', () => {
  assert.equal(gradeOf(told(['store', -1, 365], ['audit', 30, 365])), 'bad');
  assert.deepEqual(gradePairs('nectar_role_up{role="store"} 1\n'), []);
  assert.deepEqual(gradePairs(''), []);
});
