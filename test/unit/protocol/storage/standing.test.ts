import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextStep, type PendingQuestion, unanswered } from '../../../../protocol/storage/containment.ts';
import {
  type AuditResult,
  afterAudit,
  isSuspended,
  isVetted,
  NEW_STANDING,
  type Standing,
  scoreOf,
} from '../../../../protocol/storage/standing.ts';

const after = (standing: Standing, result: AuditResult, times: number): Standing =>
  Array.from({ length: times }).reduce<Standing>((state) => afterAudit(state, result), standing);
const known = after(NEW_STANDING, 'passed', 200);

test('a new holder is trusted and not vetted; a hundred passed audits vet it', () => {
  assert.equal(scoreOf(NEW_STANDING), 1);
  assert.equal(isVetted(after(NEW_STANDING, 'passed', 99)), false);
  assert.equal(isVetted(after(NEW_STANDING, 'passed', 100)), true);
});

test('three wrong answers suspend, two do not', () => {
  assert.equal(isSuspended(after(known, 'wrong', 2)), false);
  assert.equal(isSuspended(after(known, 'wrong', 3)), true);
});

test('silence suspends at the tenth audit in a row, and nine are forgiven', () => {
  assert.equal(isSuspended(after(known, 'silent', 9)), false);
  assert.equal(isSuspended(after(known, 'silent', 10)), true);
  const back = after(after(known, 'silent', 9), 'passed', 60);
  assert.ok(scoreOf(back) > 0.97);
});

test('a holder that loses 1 % and fails every third audit is suspended, one that fails one of forty is not', () => {
  let liar = known;
  let days = 0;
  while (!isSuspended(liar) && days < 100) liar = afterAudit(liar, days++ % 3 === 0 ? 'wrong' : 'passed');
  assert.ok(days <= 15, `${days} days`);
  let unlucky = known;
  for (let day = 0; day < 4000; day++) {
    unlucky = afterAudit(unlucky, day % 40 === 0 ? 'wrong' : 'passed');
    assert.equal(isSuspended(unlucky), false);
  }
});

const HOUR = 60 * 60 * 1000;

test('asks the same question eight times in two days before silence counts', () => {
  let now = 1_000_000;
  let pending: PendingQuestion = unanswered(undefined, now);
  let tries = 1;
  for (;;) {
    const step = nextStep(pending, now);
    if (step.do === 'silent') break;
    if (step.do === 'wait') {
      now = step.until;
      continue;
    }
    pending = unanswered(pending, now);
    tries++;
  }
  assert.equal(tries, 8);
  assert.equal(now - 1_000_000, 42 * HOUR);
});

test('an auditor that was away asks again before it judges, however long it was away', () => {
  const pending = unanswered(undefined, 0);
  assert.deepEqual(nextStep(pending, 0), { do: 'wait', until: 6 * HOUR });
  assert.deepEqual(nextStep(pending, 1000 * HOUR), { do: 'ask' });
  assert.deepEqual(nextStep(unanswered(pending, 1000 * HOUR), 1000 * HOUR), { do: 'wait', until: 1006 * HOUR });
});
