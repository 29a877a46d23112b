import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Verdict } from '../../../../hardening/finding.ts';
import { diffReports } from '../../../../hardening/report/diff.ts';
import { appendHistory, historyOf, toHistoryEntry } from '../../../../hardening/report/history.ts';
import { prioritiesOf } from '../../../../hardening/report/priorities.ts';
import type { Report, Result } from '../../../../hardening/report/report.ts';
import { renderDiff } from '../../../../hardening/report/terminal/diff.ts';
import { PLAIN } from '../../../../hardening/report/terminal/text.ts';
import { anyReport } from './any-report.ts';
import { exampleReport, goodReport } from './fixture.ts';

const ids = (list: readonly { readonly check: string }[]): string[] => list.map(({ check }) => check);
const withVerdict = (report: Report, check: string, verdict: Verdict): Report => ({
  ...report,
  results: report.results.map((result): Result => (result.check === check ? { ...result, verdict } : result)),
});

describe('diffReports', () => {
  it('tells fixed from what was merely seen at last or no longer needs its waiver', () => {
    const diff = diffReports(exampleReport(), goodReport());
    assert.deepEqual(ids(diff.fixed), ['BYON-CTR-001', 'BYON-CTR-003', 'BYON-FIL-001']);
    assert.deepEqual(diff.newFailures, []);
    assert.deepEqual(
      diff.changed.map(({ check, from, to }) => [check, from, to]),
      [
        ['BYON-AUD-001', 'error', 'pass'],
        ['BYON-NET-001', 'waived', 'pass'],
        ['BYON-HST-001', 'error', 'pass'],
      ],
    );
    assert.equal(diff.scoreChange, 70);
    assert.deepEqual(diff.caveats, []);
  });

  it('calls a failure that became unseen or waived neither fixed nor failing', () => {
    for (const verdict of ['error', 'waived', 'not-applicable'] as const) {
      const diff = diffReports(exampleReport(), withVerdict(exampleReport(), 'BYON-CTR-001', verdict));
      assert.deepEqual(diff.fixed, []);
      assert.deepEqual(ids(diff.stillFailing), ['BYON-CTR-003', 'BYON-FIL-001']);
      assert.deepEqual(ids(diff.changed), ['BYON-CTR-001']);
    }
  });

  it('counts a failure as new when the check was unseen, waived or unknown before', () => {
    const after = exampleReport();
    const without = { ...after, results: after.results.filter(({ check }) => check !== 'BYON-CTR-001') };
    const added = diffReports(without, after);
    assert.deepEqual(ids(added.newFailures), ['BYON-CTR-001']);
    assert.deepEqual(ids(added.added), ['BYON-CTR-001']);
    assert.deepEqual(ids(diffReports(after, without).removed), ['BYON-CTR-001']);
    for (const verdict of ['error', 'waived', 'pass', 'manual', 'not-applicable'] as const) {
      assert.deepEqual(ids(diffReports(withVerdict(after, 'BYON-CTR-001', verdict), after).newFailures), [
        'BYON-CTR-001',
      ]);
    }
  });

  it('says why two reports can be compared in part only', () => {
    const report = exampleReport();
    const other = {
      ...report,
      node: { ...report.node, id: 'other', target: 'process' },
      profile: { ...report.profile, name: 'strict' },
      digests: { ...report.digests, benchmark: 'cd'.repeat(32) },
    };
    assert.equal(diffReports(report, other).caveats.length, 4);
    assert.deepEqual(diffReports(goodReport(), exampleReport()).caveats, ['the first is the newer one']);
  });

  it('puts every failure of the later report into one list, and finds nothing between a report and itself', () => {
    fc.assert(
      fc.property(anyReport, anyReport, (before, after) => {
        const diff = diffReports(before, after);
        const failures = after.results.filter(({ verdict }) => verdict === 'fail');
        assert.deepEqual(new Set(ids([...diff.newFailures, ...diff.stillFailing])), new Set(ids(failures)));
        const same = diffReports(after, after);
        assert.deepEqual([same.newFailures, same.fixed, same.changed, same.added, same.removed], [[], [], [], [], []]);
      }),
    );
  });

  it('is told in words, what got worse first', () => {
    const text = renderDiff(diffReports(goodReport(), exampleReport()), PLAIN);
    assert.match(
      text,
      /Score 100 -> 30 \(-70\)\nNote {2}the first is the newer one\n\nNew failures: 3\n {2}BYON-CTR-001/,
    );
    assert.match(renderDiff(diffReports(goodReport(), goodReport()), PLAIN), /No verdict changed/);
  });
});

describe('prioritiesOf', () => {
  it('puts failures with one remedy together, in the words for the target of the node', () => {
    const report = exampleReport();
    const same = {
      ...report,
      results: report.results.map((one): Result => ({ ...one, remediation: { any: 'Upgrade now.' } })),
    };
    assert.deepEqual(
      prioritiesOf(same).map(({ remedy, severity, results }) => [remedy, severity, ids(results)]),
      [['Upgrade now.', 'high', ['BYON-CTR-001', 'BYON-CTR-003', 'BYON-FIL-001']]],
    );
    assert.equal(prioritiesOf(report)[0]?.remedy, 'Run `nectar-byon init --target docker` again for BYON-CTR-001.');
    const bare = { ...report, node: { ...report.node, target: 'process' } };
    assert.equal(prioritiesOf(bare)[0]?.remedy, 'Correct BYON-CTR-001 by hand.');
  });
});

describe('history', () => {
  const entry = (day: number, score = 50) => ({
    ...toHistoryEntry(goodReport()),
    createdAt: `2026-11-${day}T00:00:00.000Z`,
    score,
  });

  it('keeps the order of time, each report once, and of too many the newest', () => {
    const history = [entry(12), entry(11)].reduce((all, one) => appendHistory(all, one), [entry(13)]);
    assert.deepEqual(
      history.map(({ createdAt }) => createdAt.slice(8, 10)),
      ['11', '12', '13'],
    );
    assert.deepEqual(
      appendHistory(history, entry(12, 60)).map(({ score }) => score),
      [50, 60, 50],
    );
    assert.deepEqual(
      appendHistory(history, entry(14), 2).map(({ createdAt }) => createdAt.slice(8, 10)),
      ['13', '14'],
    );
  });

  it('takes the reports of one node only', () => {
    const [a, b] = [exampleReport(), goodReport()];
    const foreign = { ...b, node: { ...b.node, id: 'other' } };
    assert.deepEqual(historyOf([b, foreign, a], a.node.id), [toHistoryEntry(a), toHistoryEntry(b)]);
  });
});
