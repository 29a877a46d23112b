import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadBenchmark } from '../../../hardening/load-benchmark.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const text = readFileSync(join(root, 'docs/threat-model.md'), 'utf8');
const rows = text.split('\n').filter((line) => /^\| P\d+ \|/.test(line));

/** `test/x.test.ts`: "a name", "another" -> the file with the names that it must have. */
function testsOf(row: string): { file: string; names: string[] }[] {
  return [...row.matchAll(/`(test\/[^`]+\.ts)`(?:: ((?:"[^"]+"(?:, )?)+))?/g)].map((match) => ({
    file: match[1] as string,
    names: [...(match[2] ?? '').matchAll(/"([^"]+)"/g)].map((name) => name[1] as string),
  }));
}

test('the threat model numbers its promises without a gap', () => {
  assert.ok(rows.length >= 20);
  assert.deepEqual(
    rows.map((row) => /^\| (P\d+)/.exec(row)?.[1]),
    rows.map((_row, index) => `P${index + 1}`),
  );
});

test('every promise of the threat model names tests that exist', () => {
  const missing = rows.flatMap((row) => {
    const tests = testsOf(row);
    if (tests.length === 0) return [`${row.slice(0, 6)}: no test`];
    return tests.flatMap(({ file, names }) => {
      if (!existsSync(join(root, file))) return [file];
      const source = readFileSync(join(root, file), 'utf8');
      return names.filter((name) => !source.includes(name)).map((name) => `${file}: ${name}`);
    });
  });
  assert.deepEqual(missing, []);
});

test('every check and every promise that the threat model names exists', () => {
  const ids = new Set(loadBenchmark().checks.map(({ id }) => id));
  const named = [...text.matchAll(/BYON-[A-Z0-9]+-\d{3}/g)].map(([id]) => id);
  assert.ok(named.length >= 20);
  assert.deepEqual(
    named.filter((id) => !ids.has(id)),
    [],
  );
  const promises = [...text.matchAll(/\bP(\d+)\b/g)].map((match) => Number(match[1]));
  assert.ok(promises.every((promise) => promise >= 1 && promise <= rows.length));
});
