import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checksOf, getCheck, getProfile, loadBenchmark } from '../../../hardening/load-benchmark.ts';
import { isNectarError } from '../../../protocol/errors.ts';

const CHECK = `- id: BYON-CTR-900
  title: The root file system is read-only
  failure: the root file system is writable
  target: container
  severity: high
  mode: automated
  probe: { fact: container.readOnlyRoot }
  expect: { op: is, value: true }
  rationale: Nobody can leave anything there.
  remediation: { docker: 'read_only: true' }
  see: { any: docker inspect }
  refs: [{ standard: CIS Docker Benchmark, version: 1.6.0, clause: '5.13', title: Read only }]
`;
const PROFILE =
  '- { name: node, title: The node, about: What init makes., threshold: medium, checks: [BYON-CTR-900] }\n';

function folderOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'benchmark-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['checks', 'profiles']) mkdirSync(join(folder, name));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

function problemsOf(folder: string): string {
  try {
    loadBenchmark(folder);
  } catch (error) {
    assert.ok(isNectarError(error, 'HARDENING_CHECKS_INVALID'));
    return (error.data as { problems: readonly string[] }).problems.join('\n');
  }
  return '';
}

test('loads the checks and profiles of this program', () => {
  const benchmark = loadBenchmark();
  assert.ok(benchmark.checks.length > 0 && benchmark.profiles.length > 0);
  assert.match(benchmark.digest, /^[0-9a-f]{64}$/);
  assert.equal(loadBenchmark().digest, benchmark.digest);
});

test('has another digest after any change of any file', (t) => {
  const digest = (files: Record<string, string>): string => loadBenchmark(folderOf(t, files)).digest;
  const files = { 'checks/a.yaml': CHECK, 'profiles/node.yaml': PROFILE };
  const before = digest(files);
  assert.equal(digest(files), before);
  assert.notEqual(digest({ ...files, 'checks/a.yaml': `${CHECK}# a comment\n` }), before);
  assert.notEqual(digest({ 'checks/b.yaml': CHECK, 'profiles/node.yaml': PROFILE }), before);
  assert.notEqual(digest({ ...files, 'profiles/node.yaml': PROFILE.replace('medium', 'low') }), before);
});

test('finds the checks of a profile by its rule, and refuses a rule that finds none', (t) => {
  const other = CHECK.replace('900', '901').replace('CIS Docker Benchmark', 'HIPAA Security Rule');
  const withRule = (rule: string): string =>
    folderOf(t, { 'checks/a.yaml': CHECK + other, 'profiles/node.yaml': PROFILE.replace('[BYON-CTR-900]', rule) });
  const found = (rule: string) => loadBenchmark(withRule(rule)).profiles[0]?.checks;
  assert.deepEqual(found('all'), ['BYON-CTR-900', 'BYON-CTR-901']);
  assert.deepEqual(found('{ cites: HIPAA Security Rule }'), ['BYON-CTR-901']);
  assert.match(problemsOf(withRule('{ cites: Nothing }')), /profile node has no check/);
});

test('refuses everything for one thing that is unknown, and names every problem with its file', (t) => {
  const wrong = CHECK.replace('container.readOnlyRoot', 'container.shoeSize');
  const other = CHECK.replace('CTR-900', 'CTR-901').replace('op: is', 'op: like');
  const found = problemsOf(
    folderOf(t, { 'checks/a.yaml': wrong, 'checks/b.yaml': other, 'profiles/node.yaml': PROFILE }),
  );
  assert.match(found, /a\.yaml: BYON-CTR-900: there is no fact/);
  assert.match(found, /b\.yaml: BYON-CTR-901: .*no operator like/);
});

test('refuses an id or a profile that occurs twice, in one file or two', (t) => {
  const files = { 'profiles/node.yaml': PROFILE };
  assert.match(problemsOf(folderOf(t, { ...files, 'checks/a.yaml': CHECK + CHECK })), /BYON-CTR-900 occurs twice/);
  assert.match(problemsOf(folderOf(t, { ...files, 'checks/a.yaml': CHECK, 'checks/b.yaml': CHECK })), /occurs twice/);
  assert.match(
    problemsOf(folderOf(t, { 'checks/a.yaml': CHECK, 'profiles/a.yaml': PROFILE + PROFILE })),
    /profile node occurs twice/,
  );
});

test('refuses a profile with a check that does not exist', (t) => {
  const found = problemsOf(folderOf(t, { 'checks/a.yaml': CHECK, 'profiles/a.yaml': PROFILE.replace('900', '999') }));
  assert.match(found, /profile node: there is no check BYON-CTR-999/);
});

test('refuses YAML that is not a plain list: doubled keys, aliases, tags, two documents, too long', (t) => {
  const of = (text: string): string =>
    problemsOf(folderOf(t, { 'checks/a.yaml': text, 'profiles/node.yaml': PROFILE }));
  assert.match(of('id: BYON-CTR-900\n'), /not a list/);
  assert.match(of(`${CHECK}  title: Another title\n`), /not YAML/);
  assert.match(
    of(CHECK.replace('severity: high', 'severity: &s high').replace('mode: automated', 'mode: *s')),
    /not YAML/,
  );
  assert.match(of(CHECK.replace('severity: high', 'severity: !grade high')), /not YAML/);
  assert.match(of(`${CHECK}---\n${CHECK}`), /not YAML/);
  assert.match(of('- [a\n'), /not YAML/);
  assert.match(of(`# ${'x'.repeat(1024 * 1024)}\n${CHECK}`), /longer than/);
});

test('gives checks and profiles by name, in the order of the files, and refuses unknown names', () => {
  const benchmark = loadBenchmark();
  const profile = getProfile(benchmark, 'node');
  assert.deepEqual(
    checksOf(benchmark, profile).map(({ id }) => id),
    profile.checks,
  );
  assert.equal(getCheck(benchmark, 'BYON-CTR-001').id, 'BYON-CTR-001');
  assert.throws(
    () => getProfile(benchmark, 'nodes'),
    (error) => isNectarError(error, 'HARDENING_PROFILE_UNKNOWN'),
  );
  assert.throws(
    () => getCheck(benchmark, 'BYON-CTR-000'),
    (error) => isNectarError(error, 'HARDENING_CHECK_UNKNOWN'),
  );
});
