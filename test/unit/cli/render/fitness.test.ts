import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFitness } from '../../../../cli/render/fitness.ts';
import { renderSentence } from '../../../../hardening/report/terminal/table.ts';
import { PLAIN } from '../../../../hardening/report/terminal/text.ts';
import { exampleReport, goodReport } from '../../hardening/report/fixture.ts';

const RECORD = {
  ...{ lastAt: null, profile: 'node', score: null, failed: 0, unseen: 0, drifted: 0, waived: 0, waivedCritical: 0 },
  ...{ everySeconds: null, overdue: false },
};
const wide = { ...PLAIN, columns: 10_000 };

test('says of a node what its report says, in the same words, and when that was', () => {
  for (const report of [exampleReport('nectar-gateway'), goodReport()]) {
    const { fit, reasons } = report.fitness;
    const fitness = { fit, reasons: [...reasons], at: report.createdAt };
    const time = `${report.createdAt.slice(0, 10)} ${report.createdAt.slice(11, 16)} UTC`;
    assert.equal(renderFitness({ ...RECORD, fitness }, wide), `${renderSentence(report, wide)} (Report of ${time}.)`);
  }
});

test('does not call a node fit that no report speaks of, or that cannot be asked', () => {
  for (const hardening of [undefined, null, RECORD, { ...RECORD, fitness: null }]) {
    assert.match(renderFitness(hardening, wide), /^Fit for patient data: not known, because /);
  }
});

test('fits the terminal, and lets no reason drive it', () => {
  const reasons = Array.from({ length: 6 }, (_, index) => `reason ${index} \u001b[31m of more words than fit`);
  const shown = renderFitness(
    { ...RECORD, fitness: { fit: false, reasons, at: '2026-11-30T13:56:00.000Z' } },
    {
      ...PLAIN,
      columns: 80,
    },
  );
  assert.ok(shown.split('\n').every((line) => line.length <= 80));
  assert.ok(!shown.includes('\u001b'));
});
