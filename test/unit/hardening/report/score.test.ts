import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Severity } from '../../../../hardening/check.ts';
import type { Verdict } from '../../../../hardening/finding.ts';
import { scoreOf } from '../../../../hardening/report/score.ts';

const scored = (...results: readonly [Severity, Verdict][]): number =>
  scoreOf(results.map(([severity, verdict]) => ({ severity, verdict }))).value;

describe('the score', () => {
  it('leaves out what is waived, but for critical failures: none hides behind 100', () => {
    assert.equal(scored(['critical', 'pass'], ['high', 'waived']), 100);
    assert.equal(scored(['critical', 'pass'], ['critical', 'waived']), 50);
    assert.equal(
      scored(['critical', 'pass'], ['critical', 'waived']),
      scored(['critical', 'pass'], ['critical', 'fail']),
    );
  });

  it('gives nothing for what was not seen, and leaves out what a person judges or does not apply', () => {
    assert.equal(scored(['low', 'pass'], ['low', 'error'], ['critical', 'manual'], ['critical', 'not-applicable']), 50);
    assert.equal(scored(['critical', 'manual']), 0);
  });
});
