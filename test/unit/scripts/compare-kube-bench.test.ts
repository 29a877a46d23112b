import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  compareKubeBench,
  type KubeBench,
  RECORDINGS,
  readDifferences,
  readKubeBench,
  readRecorded,
  renderPage,
} from '../../../scripts/compare-kube-bench.ts';

function bench(...results: [number: string, title: string, status: string, type?: string][]): KubeBench {
  const told = results.map(([test_number, test_desc, status, type]) => ({
    ...{ test_number, test_desc, status },
    ...(type !== undefined && { type }),
  }));
  return { Controls: [{ tests: [{ results: told }] }] };
}

test('tells clauses by their titles, since the editions number them differently', () => {
  const answers = readKubeBench(
    bench(
      ['5.7.4', 'The default namespace should not be used (Manual)', 'WARN', 'manual'],
      ['5.2.12', 'Minimize the admission of HostPath volumes (Manual)', 'PASS'],
      ['5.9.9', 'Something that the edition of the report does not have (Automated)', 'FAIL'],
    ),
  );
  assert.deepEqual(answers, [
    { id: '5.6.4', result: 'INFO' },
    { id: '5.2.11', result: 'PASS' },
    { id: '5.9.9 Something that the edition of the report does not have', result: 'FAIL' },
  ]);
});

test('takes a warning of a test that looked at something for a failure, and the worst of two for one clause', () => {
  const added = 'Minimize the admission of containers with added capabilities (Manual)';
  const assigned = 'Minimize the admission of containers with capabilities assigned (Manual)';
  const manual = ['5.2.10', assigned, 'WARN', 'manual'] as const;
  const said = (status: string) => readKubeBench(bench(['5.2.9', added, status], [...manual]));
  assert.deepEqual(said('WARN'), [{ id: '5.2.9', result: 'FAIL' }]);
  assert.deepEqual(said('PASS'), [{ id: '5.2.9', result: 'PASS' }]);
});

for (const name of RECORDINGS) {
  test(`explains every difference of the recorded runs on the cluster (${name})`, () => {
    const rows = compareKubeBench(readRecorded(name), readDifferences());
    assert.ok(rows.length > 30);
    assert.ok(rows.filter(({ outcome }) => outcome === 'agree').length > 8);
    assert.deepEqual(
      rows.filter(({ outcome }) => outcome === 'DIFFERENT'),
      [],
    );
  });
}

test('calls a difference by its name where nobody has explained exactly that one', () => {
  const recorded = readRecorded('node');
  const rows = compareKubeBench(recorded, []);
  assert.deepEqual(
    rows.filter(({ outcome }) => outcome === 'DIFFERENT').map(({ clause }) => clause),
    ['5.1.3', '5.1.5'],
  );
});

test('holds no explanation that no recorded run needs', () => {
  const used = new Set(
    RECORDINGS.flatMap((name) =>
      compareKubeBench(readRecorded(name), readDifferences())
        .filter(({ outcome }) => outcome === 'explained')
        .map(({ clause, theirs, ours }) => `${clause} ${theirs} ${ours}`),
    ),
  );
  const written = readDifferences().flatMap(({ clauses, theirs, ours }) =>
    clauses.map((clause) => `${clause} ${theirs} ${ours}`),
  );
  assert.deepEqual(
    written.filter((one) => !used.has(one)),
    [],
  );
});

test('the tables of the page are those of the recorded runs', () => {
  const page = readFileSync(new URL('../../../docs/kube-bench.md', import.meta.url), 'utf8');
  assert.equal(page, renderPage(page));
  assert.match(page, /\| 5\.2\.2 \| FAIL \| fail \| agree \|/);
});
