import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { MAX_REPORT_BYTES, parseReport, renderJson } from '../../../../hardening/report/parse-report.ts';
import type { Report } from '../../../../hardening/report/report.ts';
import { anyReport } from './any-report.ts';
import { exampleReport } from './fixture.ts';

const bytes = (report: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(report));
const invalid = { code: 'HARDENING_REPORT_INVALID' };
const published: object = JSON.parse(
  readFileSync(new URL('../../../../docs/reference/hardening-report.schema.json', import.meta.url), 'utf8'),
);

describe('parseReport', () => {
  it('reads back what renderJson wrote', () => {
    const report = exampleReport();
    assert.deepEqual(
      parseReport(new TextEncoder().encode(renderJson(report)), 'r.json'),
      JSON.parse(renderJson(report)),
    );
  });

  it('refuses bytes that are too many, not UTF-8, or not JSON', () => {
    assert.throws(() => parseReport(new Uint8Array(MAX_REPORT_BYTES + 1), 'r.json'), invalid);
    assert.throws(() => parseReport(Uint8Array.of(0xff, 0xfe), 'r.json'), invalid);
    assert.throws(() => parseReport(new TextEncoder().encode('{'), 'r.json'), invalid);
  });

  it('refuses another format, a further key anywhere, and a missing key', () => {
    const report = exampleReport();
    const { score: _, ...without } = report;
    const [first, ...rest] = report.results;
    for (const wrong of [
      { ...report, format: 'nectar-byon-hardening-report/1' },
      { ...report, more: 1 },
      { ...report, createdAt: '2026-13-01T00:00:00.000Z' },
      { ...report, history: [{ ...report.history[0], createdAt: '2026-11-10T24:00:00Z' }] },
      { ...report, results: [{ ...first, more: 1 }, ...rest] },
      { ...report, results: [{ ...first, verdict: 'passed' }, ...rest] },
      without,
      [],
      null,
    ]) {
      assert.throws(() => parseReport(bytes(wrong), 'r.json'), invalid);
    }
  });

  const edits: Record<string, (report: Report) => object> = {
    'a verdict turned to pass': (report) => ({
      ...report,
      results: report.results.map((one) => (one.verdict === 'fail' ? { ...one, verdict: 'pass' } : one)),
    }),
    'a better score': (report) => ({ ...report, score: { ...report.score, value: 100 } }),
    'better parts of the score': (report) => ({ ...report, score: { ...report.score, earned: report.score.possible } }),
    'other counts': (report) => ({ ...report, counts: { ...report.counts, fail: 0 } }),
    'an empty list of failures': (report) => ({ ...report, failed: [] }),
    'an empty list of what was not seen': (report) => ({ ...report, unseen: [] }),
    'a check given twice': (report) => ({ ...report, results: [...report.results, report.results[0]] }),
  };
  for (const [name, edit] of Object.entries(edits)) {
    it(`refuses a report with ${name}`, () => {
      assert.throws(() => parseReport(bytes(edit(exampleReport())), 'r.json'), invalid);
    });
  }

  it('lets any whole report in, and what it lets in is valid by the published schema', () => {
    const validate = new Ajv2020({ strict: false }).compile(published);
    fc.assert(
      fc.property(anyReport, (report) => {
        const parsed = parseReport(new TextEncoder().encode(renderJson(report)), 'r.json');
        assert.ok(validate(parsed), JSON.stringify(validate.errors));
      }),
      { numRuns: 60 },
    );
  });
});
