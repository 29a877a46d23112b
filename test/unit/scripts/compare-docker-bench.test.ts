import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ComparedReport } from '../../../scripts/compare-bench.ts';
import {
  type BenchLog,
  compare,
  readDifferences,
  readRecorded,
  renderPage,
} from '../../../scripts/compare-docker-bench.ts';

const STANDARD = 'CIS Docker Benchmark';

function bench(results: Record<string, string>): BenchLog {
  return { tests: [{ results: Object.entries(results).map(([id, result]) => ({ id, result })) }] };
}

function report(...results: [check: string, verdict: string, ...clauses: string[]][]): ComparedReport {
  return {
    results: results.map(([check, verdict, ...clauses]) => ({
      ...{ check, verdict },
      refs: clauses.map((clause) => ({ standard: STANDARD, clause })),
    })),
  };
}

function outcomes(...[log, ours, differences]: Parameters<typeof compare>): Record<string, string> {
  return Object.fromEntries(compare(log, ours, differences).map(({ clause, outcome }) => [clause, outcome]));
}

test('agrees where both judge alike, and names the checks that decided', () => {
  const ours = report(['A-1', 'pass', '5.4'], ['A-2', 'fail', '5.4', '5.5'], ['A-3', 'pass', '5.6']);
  const rows = compare(bench({ '5.4': 'WARN', '5.5': 'WARN', '5.6': 'PASS' }), ours, []);
  assert.deepEqual(
    rows.map(({ clause, outcome, checks }) => [clause, outcome, checks]),
    [
      ['5.4', 'agree', ['A-2']],
      ['5.5', 'agree', ['A-2']],
      ['5.6', 'agree', ['A-3']],
    ],
  );
});

test('calls a difference by its name until somebody explains exactly that one', () => {
  const [log, ours] = [bench({ '5.9': 'WARN' }), report(['A-1', 'pass', '5.9'])];
  assert.deepEqual(outcomes(log, ours, []), { '5.9': 'DIFFERENT' });
  const known = { clauses: ['5.9'], theirs: 'WARN', ours: 'pass', why: 'two ports are meant to be open' } as const;
  assert.deepEqual(outcomes(log, ours, [known]), { '5.9': 'explained' });
  assert.deepEqual(outcomes(log, ours, [{ ...known, theirs: 'PASS' }]), { '5.9': 'DIFFERENT' });
  assert.deepEqual(outcomes(log, report(['A-1', 'error', '5.9']), [known]), { '5.9': 'DIFFERENT' });
});

test('takes what could not be seen, or is not there, for no agreement', () => {
  const ours = report(['A-1', 'error', '5.1'], ['A-2', 'not-applicable', '5.2']);
  const log = bench({ '5.1': 'PASS', '5.2': 'WARN', '5.3': 'PASS' });
  assert.deepEqual(outcomes(log, ours, []), { '5.1': 'DIFFERENT', '5.2': 'DIFFERENT', '5.3': 'DIFFERENT' });
});

test('says which tool leaves a clause to people', () => {
  const ours = report(['A-1', 'manual', '4.2'], ['A-2', 'pass', '4.3'], ['A-3', 'manual', '4.4']);
  const log = bench({ '4.2': 'WARN', '4.3': 'NOTE', '4.4': 'INFO' });
  assert.deepEqual(outcomes(log, ours, []), { '4.2': 'theirs alone', '4.3': 'ours alone', '4.4': 'left to people' });
});

for (const name of ['node', 'weakened']) {
  test(`explains every difference of the recorded runs on the stack ${name}`, () => {
    const { bench: log, report: ours } = readRecorded(name);
    const rows = compare(log, ours, readDifferences());
    assert.ok(rows.length > 100);
    assert.deepEqual(
      rows.filter(({ outcome }) => outcome === 'DIFFERENT'),
      [],
    );
  });
}

test('holds no explanation that no recorded run needs', () => {
  const used = new Set(
    ['node', 'weakened'].flatMap((name) => {
      const { bench: log, report: ours } = readRecorded(name);
      const rows = compare(log, ours, readDifferences()).filter(({ outcome }) => outcome === 'explained');
      return rows.map(({ clause, why }) => `${clause} ${why}`);
    }),
  );
  const written = readDifferences().flatMap(({ clauses, why }) => clauses.map((clause) => `${clause} ${why}`));
  assert.deepEqual(
    written.filter((one) => !used.has(one)),
    [],
  );
});

test('the tables of the page are those of the recorded runs', () => {
  const page = readFileSync(new URL('../../../docs/docker-bench.md', import.meta.url), 'utf8');
  assert.equal(page, renderPage(page));
  assert.match(page, /\| 5\.5 \| WARN \| fail \| agree \|/);
});
