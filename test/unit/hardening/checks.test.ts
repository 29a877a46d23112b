import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { processTerminal } from '../../../cli/command-line.ts';
import { createProgram } from '../../../cli/program.ts';
import type { Check } from '../../../hardening/check.ts';
import { loadBenchmark } from '../../../hardening/load-benchmark.ts';

interface Retired {
  readonly id: string;
  readonly since: string;
  readonly fact?: string;
  readonly reason: string;
}

const { checks, profiles } = loadBenchmark();
const retired = parse(readFileSync(new URL('../../../hardening/ledger.yaml', import.meta.url), 'utf8')) as Retired[];
const text = (check: Check): string[] => [...Object.values(check.remediation), ...Object.values(check.see)];

test('has at least 120 checks, of which most look for themselves', () => {
  assert.ok(checks.length >= 120);
  assert.ok(checks.filter(({ mode }) => mode === 'automated').length >= 100);
});

test('gives no id of a check that is gone to another one', () => {
  const ids = retired.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)].sort());
  assert.deepEqual(
    checks.filter(({ id }) => ids.includes(id)),
    [],
  );
  for (const { id, reason } of retired) assert.ok(reason.length > 10, `${id} says why it went`);
});

test('has no two checks that expect the same of the same under the same conditions', () => {
  const seen = new Map<string, string>();
  for (const check of checks) {
    if (check.mode === 'manual') continue;
    const key = JSON.stringify([check.probe, check.expect, check.where]);
    assert.equal(seen.get(key), undefined, `${check.id} is a copy of ${seen.get(key)}`);
    seen.set(key, check.id);
  }
  const titles = checks.map(({ title }) => title);
  assert.deepEqual(
    titles.filter((title, index) => titles.indexOf(title) !== index),
    [],
  );
});

test('has a profile with every check, and one that is the default', () => {
  const full = profiles.find(({ name }) => name === 'full');
  assert.deepEqual(
    full?.checks,
    checks.map(({ id }) => id),
  );
  assert.ok(profiles.some(({ name }) => name === 'node'));
});

test('puts every check that cites HIPAA, or CIS Docker, into the profile of that name', () => {
  const cited = (standard: string): string[] =>
    checks.filter(({ refs }) => refs.some((ref) => ref.standard === standard)).map(({ id }) => id);
  const profile = (name: string): readonly string[] =>
    profiles.find((candidate) => candidate.name === name)?.checks ?? [];
  assert.deepEqual(profile('hipaa'), cited('HIPAA Security Rule'));
  assert.deepEqual(profile('cis-docker'), cited('CIS Docker Benchmark'));
});

test('asks nothing of the machine, the engine or a cluster in the default profile', () => {
  const node = profiles.find(({ name }) => name === 'node')?.checks ?? [];
  assert.deepEqual(
    node.filter((id) => /^BYON-(HST|ENG|K8S)-/.test(id)),
    [],
  );
  const strict = profiles.find(({ name }) => name === 'strict')?.checks ?? [];
  assert.deepEqual(
    node.filter((id) => !strict.includes(id)),
    [],
  );
});

test('names only commands and options that the program has', () => {
  const program = createProgram({ ...processTerminal(), env: {}, userFolder: '~', workingFolder: '/' });
  const wrong = checks.flatMap((check) =>
    text(check)
      .flatMap((line) => [
        ...line.matchAll(
          /(?<![/\w])nectar-byon ((?:-{0,2}[a-z][\w./-]*|[A-Z][\w.]*|\d+\w*|-n)(?: (?!&&)[^\s;,:()|&`']+)*)/g,
        ),
      ])
      .map((match) => (match[1] ?? '').split(' '))
      .filter((words) => !isCommand(program, words))
      .map((words) => `${check.id}: nectar-byon ${words.join(' ')}`),
  );
  assert.deepEqual(wrong, []);
});

function isCommand(program: Command, words: readonly string[]): boolean {
  let command = program;
  let rest = [...words];
  for (let child = childOf(command, rest[0]); child !== undefined; child = childOf(command, rest[0])) {
    command = child;
    rest = rest.slice(1);
  }
  if (command === program && rest[0] !== '--version') return false;
  const options = command.options.flatMap(({ long, short }) => [long, short]);
  return rest
    .filter((word) => word.startsWith('-') && word !== '-' && word !== '--version')
    .every((word) => options.includes(word));
}

function childOf({ commands }: Command, name: string | undefined): Command | undefined {
  return commands.find((child) => child.name() === name);
}

test('names only configuration options, documents and headings that exist', () => {
  const config = readFileSync(new URL('../../../docs/reference/config.md', import.meta.url), 'utf8');
  const runbook = readFileSync(new URL('../../../docs/runbook.md', import.meta.url), 'utf8');
  for (const check of checks) {
    for (const line of text(check)) {
      for (const match of line.matchAll(/"(log|keys|gateway|audit|store|rollup|p2p)": \{ "(\w+)"/g)) {
        assert.ok(config.includes(`\`${match[1]}.${match[2]}\``), `${check.id}: ${match[1]}.${match[2]}`);
      }
      for (const match of line.matchAll(/docs\/runbook\.md, "([^"]+)"/g)) {
        assert.ok(runbook.includes(`\n## ${match[1]}`), `${check.id}: ${match[1]}`);
      }
    }
  }
});

test('tells a manual check by what to look at, and every check how to see it for oneself', () => {
  for (const { id, see, remediation, rationale } of checks) {
    assert.ok(Object.keys(see).length > 0, id);
    assert.ok(Object.keys(remediation).length > 0, id);
    assert.ok(rationale.length >= 60, `${id}: says too little of why`);
  }
});
