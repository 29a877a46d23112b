import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradeApi, gradePairs } from '../../../../cli/provision/kubernetes/check-pairs.ts';

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

test("grades the API's certificate as its alarm does, and by both its ends", () => {
  const NOW_S = 1_800_000_000;
  const grade = (fromDays: number, toDays: number) =>
    gradeApi(
      [
        `nectar_gateway_certificate_start_seconds ${NOW_S + fromDays * DAY}`,
        `nectar_gateway_certificate_end_seconds ${NOW_S + toDays * DAY}`,
      ].join('\n'),
      NOW_S * 1000,
    )[0]?.grade;
  assert.equal(grade(-300, 97), 'good');
  assert.equal(grade(-390, 7), 'poor');
  assert.equal(grade(-398, -1), 'bad');
  assert.equal(grade(1, 398), 'bad');
  // cert-manager's day.
  assert.equal(grade(-0.5, 0.5), 'good');
  assert.equal(grade(-0.8, 0.2), 'poor');
  assert.deepEqual(gradeApi('nectar_gateway_certificate_end_seconds 0\n', NOW_S * 1000), []);
});
