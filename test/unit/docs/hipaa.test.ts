import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadBenchmark } from '../../../hardening/load-benchmark.ts';
import { coverageOf } from '../../../hardening/standard.ts';

const at = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const text = at('docs/hipaa.md');
const [law = '', proposed = ''] = text.split('## PROPOSED');
const rows = [...law.matchAll(/^\| (164\.\d{3}\S*) ([^|]+) \| (\w+) \| ([^|]*)\| ([^|]*)\| ([^|]+) \|$/gm)].map(
  ([, clause = '', title = '', rule = '', does = '', evidence = '', duty = '']) => ({
    ...{ clause, title, rule, does, duty },
    ids: evidence.match(/BYON-[A-Z0-9]+-\d{3}/g) ?? [],
  }),
);
const { checks, standards } = loadBenchmark();
const clauses = standards
  .filter(({ standard }) => standard === 'HIPAA Security Rule')
  .flatMap((standard) => coverageOf(standard, checks));

test('the page on HIPAA has every clause once, with its title and whether it is required or addressable', () => {
  const own = rows.map(({ clause, title, rule }) => `${clause} ${title} ${rule}`).sort();
  assert.deepEqual(own, clauses.map(({ clause, title, rule }) => `${clause} ${title} ${rule}`).sort());
});

test('every check that it names as evidence cites that clause, and every clause with checks has evidence', () => {
  for (const { clause, ids } of rows) {
    const mapped = clauses.find((candidate) => candidate.clause === clause)?.checks ?? [];
    assert.deepEqual(
      ids.filter((id) => !mapped.includes(id)),
      [],
      clause,
    );
    assert.equal(ids.length > 0, mapped.length > 0, clause);
  }
});

test('every clause says what stays with the owner; every technical one what the node does', () => {
  for (const { clause, does, duty } of rows) {
    assert.notEqual(duty.trim(), '', clause);
    if (clause.startsWith('164.312')) assert.ok(does.trim().length > 20, clause);
  }
});

test('what is proposed is marked as proposed in every line, and names checks that exist', () => {
  const lines = proposed.split('\n').filter((line) => line.startsWith('| ') && !/^\| (proposed \||---)/.test(line));
  assert.ok(lines.length >= 10);
  for (const line of lines) assert.match(line, /^\| proposed 164\./);
  const known = checks.map(({ id }) => id);
  assert.deepEqual(
    (proposed.match(/BYON-[A-Z0-9]+-\d{3}/g) ?? []).filter((id) => !known.includes(id)),
    [],
  );
});
