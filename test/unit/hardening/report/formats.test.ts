import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { REPORT_FORMATS, renderReport } from '../../../../hardening/report/formats.ts';
import { PLAIN } from '../../../../hardening/report/terminal/text.ts';
import { anyReport } from './any-report.ts';
import { exampleReport } from './fixture.ts';

describe('renderReport', () => {
  it('knows six formats', () => {
    assert.deepEqual(REPORT_FORMATS.toSorted(), ['html', 'json', 'junit', 'oscal', 'sarif', 'table']);
  });

  for (const format of REPORT_FORMATS) {
    it(`writes any report as ${format}: every check in it, the same bytes each time, a line end last`, () => {
      fc.assert(
        fc.property(anyReport, (report) => {
          const text = renderReport(report, format, { screen: PLAIN });
          assert.equal(text, renderReport(structuredClone(report), format, { screen: PLAIN }));
          assert.ok(text.endsWith('\n') && text.isWellFormed());
        }),
        { numRuns: 50 },
      );
      const text = renderReport(exampleReport(), format, { screen: PLAIN });
      for (const { check, verdict } of exampleReport().results) {
        // A terminal counts what does not apply, by reason.
        if (format !== 'table' || verdict !== 'not-applicable') assert.ok(text.includes(check), check);
      }
    });
  }
});
