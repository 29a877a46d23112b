import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checksOf, getCheck, getProfile, loadBenchmark } from '../../../hardening/load-benchmark.ts';
import { coverageOf } from '../../../hardening/standard.ts';
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
  profiles: [node]
  cites: { CIS Docker Benchmark: ['5.13'] }
`;
const PROFILE = '- { name: node, title: The node, about: What init makes., threshold: medium, checks: [named] }\n';
const STANDARD = `- standard: CIS Docker Benchmark
  version: 1.6.0
  clauses: [{ clause: '5.13', title: Read only }]
`;

function folderOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'benchmark-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['checks', 'profiles', 'standards']) mkdirSync(join(folder, name));
  for (const [file, text] of Object.entries({ 'standards/cis.yaml': STANDARD, ...files }))
    writeFileSync(join(folder, file), text);
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
  assert.notEqual(digest({ ...files, 'standards/cis.yaml': STANDARD.replace('Read', 'read') }), before);
});

const OTHER = CHECK.replace('CTR-900', 'HST-901')
  .replace('severity: high', 'severity: critical')
  .replace('  profiles: [node]\n', '')
  .replace("CIS Docker Benchmark: ['5.13']", "HIPAA Security Rule: ['164.312(b)']");
const HIPAA = "- { standard: HIPAA Security Rule, version: '1', clauses: [{ clause: 164.312(b), title: Audit }] }\n";

test('finds the checks of a profile by its rules, and refuses rules that find none', (t) => {
  const withRules = (rules: string): string => {
    const profiles = `${PROFILE}${PROFILE.replace('name: node', 'name: site').replace('[named]', rules)}`;
    const standards = { 'standards/hipaa.yaml': HIPAA };
    return folderOf(t, { 'checks/a.yaml': CHECK + OTHER, 'profiles/node.yaml': profiles, ...standards });
  };
  const found = (rules: string) => loadBenchmark(withRules(rules)).profiles[1]?.checks;
  assert.deepEqual(found('[all]'), ['BYON-CTR-900', 'BYON-HST-901']);
  assert.deepEqual(found('[{ cites: HIPAA Security Rule }]'), ['BYON-HST-901']);
  assert.deepEqual(found('[{ severity: critical }]'), ['BYON-HST-901']);
  assert.deepEqual(found('[{ area: HST }]'), ['BYON-HST-901']);
  assert.deepEqual(found('[{ profile: node }]'), ['BYON-CTR-900']);
  assert.deepEqual(found('[{ area: HST }, { profile: node }]'), ['BYON-CTR-900', 'BYON-HST-901']);
  assert.match(problemsOf(withRules('[{ cites: Nothing }]')), /profile site has no check/);
  assert.match(problemsOf(withRules('[all, { profile: nodes }]')), /profile site: there is no profile nodes/);
  assert.match(problemsOf(withRules('[all, { profile: site }]')), /profile site names a profile itself/);
});

test('refuses a clause that nothing bears on and nobody explains, and one that is explained and cited', (t) => {
  const files = { 'checks/a.yaml': CHECK, 'profiles/node.yaml': PROFILE };
  const withClauses = (clauses: string): string =>
    problemsOf(folderOf(t, { ...files, 'standards/cis.yaml': STANDARD.replace(/\[.*\]/, `[${clauses}]`) }));
  const cited = "{ clause: '5.13', title: Read only }";
  assert.match(
    withClauses(`${cited}, { clause: '5.14', title: Restart }`),
    /Benchmark 5\.14 has no check and no reason/,
  );
  assert.match(withClauses(`${cited}, ${cited}`), /5\.13 occurs twice/);
  const explained = cited.replace(' }', ', notApplicable: there is no such thing }');
  assert.match(withClauses(explained), /5\.13 is not applicable, and BYON-CTR-900 cites it/);
  const versions = { 'standards/b.yaml': STANDARD.replace('1.6.0', '1.7.0').replace('5.13', '5.15') };
  assert.match(problemsOf(folderOf(t, { ...files, ...versions })), /is of two versions: 1\.7\.0, 1\.6\.0/);
});

test('derives what a new check changes: its entry alone puts it into profiles and under its clause', (t) => {
  const before = loadBenchmark(folderOf(t, { 'checks/a.yaml': CHECK, 'profiles/node.yaml': PROFILE }));
  const added = CHECK.replace('CTR-900', 'CTR-902').replace('value: true', 'value: false');
  const after = loadBenchmark(folderOf(t, { 'checks/a.yaml': CHECK + added, 'profiles/node.yaml': PROFILE }));
  assert.deepEqual(before.profiles[0]?.checks, ['BYON-CTR-900']);
  assert.deepEqual(after.profiles[0]?.checks, ['BYON-CTR-900', 'BYON-CTR-902']);
  const [standard] = after.standards;
  assert.ok(standard);
  assert.deepEqual(coverageOf(standard, after.checks)[0]?.checks, ['BYON-CTR-900', 'BYON-CTR-902']);
  assert.equal(getCheck(after, 'BYON-CTR-902').refs[0]?.title, 'Read only');
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

test('refuses a check that names a profile which does not exist, or takes none by name', (t) => {
  const naming = CHECK.replace('profiles: [node]', 'profiles: [node, nodes, site]');
  const profiles = PROFILE + PROFILE.replace('name: node', 'name: site').replace('[named]', '[all]');
  const found = problemsOf(folderOf(t, { 'checks/a.yaml': naming, 'profiles/a.yaml': profiles }));
  assert.match(found, /BYON-CTR-900: no profile nodes takes checks by name/);
  assert.match(found, /BYON-CTR-900: no profile site takes checks by name/);
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
