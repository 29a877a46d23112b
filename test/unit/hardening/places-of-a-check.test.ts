import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FACTS } from '../../../hardening/facts/index.ts';
import { loadBenchmark } from '../../../hardening/load-benchmark.ts';

/**
 * A new check with a new fact is written in four places: the fact's line in facts/, the collector that sees it, the check's entry in
 * checks/, its fixture. Profiles, coverage, titles of clauses and reference pages follow. These tests keep it so.
 */
const ROOT = new URL('../../../', import.meta.url);
const read = (patterns: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    globSync([...patterns], { cwd: ROOT, exclude: (name) => /generated|node_modules/.test(String(name)) }).map(
      (file) => [file, readFileSync(new URL(file, ROOT), 'utf8')],
    ),
  );
const naming = (files: ReadonlyMap<string, string>, words: string): string[] =>
  [...files].filter(([, text]) => text.includes(words)).map(([file]) => file);

const { checks } = loadBenchmark();

test('names a check in one file of checks and one of fixtures', () => {
  const entries = read(['hardening/checks/*.yaml']);
  const fixtures = read(['test/unit/hardening/fixtures/*.yaml']);
  for (const { id, mode } of checks) {
    assert.equal(naming(entries, `- id: ${id}\n`).length, 1, id);
    assert.equal(naming(fixtures, `- check: ${id}\n`).length, mode === 'manual' ? 0 : 1, id);
  }
});

test('lists no check in a profile, under a clause, or in the program', () => {
  const lists = read(['hardening/profiles/*.yaml', 'hardening/standards/*.yaml']);
  for (const [file, text] of lists) assert.doesNotMatch(text, /^\s*(-|checks:.*) *BYON-/m, file);
  const programs = read(['hardening/**/*.ts']);
  for (const { id } of checks) assert.deepEqual(naming(programs, id), [], id);
});

test('defines each fact in one file, and has each seen by a collector', () => {
  const registry = read(['hardening/facts/*.ts']);
  const collectors = read(['hardening/collectors/**/*.ts']);
  for (const id of Object.keys(FACTS)) {
    assert.equal(naming(registry, `'${id}':`).length, 1, id);
    assert.ok(naming(collectors, `'${id}'`).length > 0, `${id} is seen by no collector`);
  }
});
