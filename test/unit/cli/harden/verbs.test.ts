import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { SELECTABLE } from '../../../../hardening/report/selection.ts';
import { type Captured, capture } from '../capture.ts';

const POD = `
apiVersion: v1
kind: Pod
metadata: { name: store, namespace: clinic, labels: { app.kubernetes.io/component: store } }
spec:
  automountServiceAccountToken: false
  containers:
    - name: store
      image: registry.example.org/nectar-byon-store@sha256:${'a'.repeat(64)}
      securityContext: { privileged: PRIVILEGED }
`;
const good = POD.replace('PRIVILEGED', 'false');
const bad = POD.replace('PRIVILEGED', 'true');

interface Report {
  readonly failed: readonly string[];
  readonly results: readonly { readonly check: string; readonly verdict: string }[];
}

interface SarifResult {
  readonly ruleId: string;
  readonly kind: string;
  readonly locations: readonly {
    readonly physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } };
  }[];
}

const errorOf = ({ stderr }: Captured) =>
  (JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { error: { code: string; data: { failed?: string[] } } })
    .error;

describe('nectar-byon harden', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-harden-'));
  const at = (name: string): string => join(folder, name);
  const run = (args: readonly string[], stdin?: string): Promise<Captured> =>
    capture(['harden', ...args, '--home', at('none'), '--json'], {
      workingFolder: folder,
      ...(stdin !== undefined && { stdin }),
    });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('judges manifests from stdin without any node, and exits with 3 for what fails', async () => {
    const ran = await run(['--manifests', '-'], bad);
    const report = JSON.parse(ran.stdout) as Report;
    assert.equal(ran.code, 3);
    assert.ok(report.failed.includes('BYON-CTR-005'), 'privileged');
    assert.deepEqual(errorOf(ran).data.failed, report.failed);
    assert.deepEqual(
      report.results.filter(({ verdict }) => verdict === 'error').map(({ check }) => check),
      [],
    );
  });

  test('shows a part to people, never to a program, and its exit code is of the whole', async () => {
    const shown = await capture(['harden', '--manifests', '-', '--only', 'manual', '--home', at('none')], {
      ...{ workingFolder: folder, stdin: bad },
    });
    assert.equal(shown.code, 3);
    assert.match(shown.stdout, /Only a part is shown/);
    assert.doesNotMatch(shown.stdout, /^(FAIL|pass) /m);
    for (const format of ['json', 'oscal', 'junit']) {
      const refused = await run(['--manifests', '-', '--format', format, '--only', 'failed'], bad);
      assert.deepEqual([refused.code, errorOf(refused).code], [2, 'CLI_USAGE'], format);
    }
    assert.equal((await run(['--manifests', '-', '--only', 'failed'], bad)).code, 2);
    assert.equal((await run(['--manifests', '-', '--format', 'html', '--only', 'partly'], bad)).code, 2);
    for (const word of Object.keys(SELECTABLE)) {
      assert.equal((await run(['--manifests', '-', '--format', 'html', '--only', word], bad)).code, 3, word);
    }
  });

  test('leads code scanning to the line of the manifest, and to nothing that did not fail', async () => {
    mkdirSync(at('rendered'), { recursive: true });
    writeFileSync(at('rendered/store.yaml'), `# rendered by somebody${bad}`);
    const args = ['--manifests', 'rendered/store.yaml', '-o', 'alerts.sarif', '--only', 'failed'];
    assert.equal((await run(args)).code, 3);
    const { runs } = JSON.parse(readFileSync(at('alerts.sarif'), 'utf8')) as { runs: { results: SarifResult[] }[] };
    const results = runs[0]?.results ?? [];
    assert.ok(results.length > 5 && results.every(({ kind }) => kind === 'fail'));
    const places = results.flatMap(({ ruleId, locations }) => (ruleId === 'BYON-CTR-005' ? locations : []));
    assert.deepEqual(
      places.map(({ physicalLocation: { artifactLocation, region } }) => [artifactLocation.uri, region.startLine]),
      [['rendered/store.yaml', 2]],
    );
  });

  test('with a baseline only what is new decides the exit code, and the report says all', async () => {
    for (const [name, manifest] of [
      ['good', good],
      ['bad', bad],
    ] as const) {
      writeFileSync(at(`${name}.yaml`), manifest);
      assert.equal((await run(['--manifests', `${name}.yaml`, '-o', `${name}.json`])).code, 3);
    }
    const same = await run(['--manifests', 'bad.yaml', '--baseline', 'bad.json']);
    assert.equal(same.code, 0, same.stderr);
    assert.ok((JSON.parse(same.stdout) as Report).failed.length > 5);
    const worse = await run(['--manifests', 'bad.yaml', '--baseline', 'good.json']);
    assert.deepEqual([worse.code, errorOf(worse).data.failed], [3, ['BYON-CTR-005']]);
    const fixed = await run(['--manifests', 'good.yaml', '--baseline', 'bad.json']);
    assert.equal(fixed.code, 0, fixed.stderr);
  });

  test('diff names what is new, fixed and still failing', async () => {
    const worse = await run(['diff', at('good.json'), at('bad.json')]);
    const { newFailures } = JSON.parse(worse.stdout) as { newFailures: { check: string }[] };
    assert.deepEqual(
      newFailures.map(({ check }) => check),
      ['BYON-CTR-005'],
    );
    assert.equal(worse.code, 3);
    assert.equal((await run(['diff', at('bad.json'), at('good.json')])).code, 0);
  });

  test('a threshold leaves what is below it out of the exit code', async () => {
    const medium = JSON.parse((await run(['--manifests', 'good.yaml', '--threshold', 'medium'])).stdout) as Report;
    const critical = JSON.parse((await run(['--manifests', 'good.yaml', '--threshold', 'critical'])).stdout) as Report;
    assert.ok(critical.failed.length > 0 && critical.failed.length < medium.failed.length);
    assert.equal((await run(['--manifests', 'good.yaml', '--threshold', 'awful'])).code, 2);
  });

  test('saves facts, which judged again give the same verdicts', async () => {
    await run(['--manifests', 'bad.yaml', '--save-facts', at('facts.json'), '-o', 'first.json']);
    await run(['--facts', 'facts.json', '--profile', 'kubernetes', '-o', 'second.json']);
    const results = (name: string) => (JSON.parse(readFileSync(at(name), 'utf8')) as Report).results;
    assert.deepEqual(results('second.json'), results('first.json'));
    writeFileSync(at('damaged.json'), readFileSync(at('facts.json'), 'utf8').replace('container.privileged', 'x.y'));
    assert.equal(errorOf(await run(['--facts', 'damaged.json'])).code, 'HARDENING_FACTS_INVALID');
  });

  test('writes files in the format of their names, and covers none unasked', async () => {
    await run(['--manifests', 'good.yaml', '-o', 'report.html']);
    assert.match(readFileSync(at('report.html'), 'utf8'), /^<!doctype html>/i);
    const again = ['--manifests', 'good.yaml', '-o', 'report.html'];
    assert.equal(errorOf(await run(again)).code, 'CLI_OUTPUT_EXISTS');
    assert.equal(errorOf(await run([...again, '--force'])).code, 'HARDENING_FAILED');
  });

  test('lists and explains checks', async () => {
    const listed = await run(['--list', '--profile', 'kubernetes']);
    const { checks } = JSON.parse(listed.stdout) as { checks: { id: string }[] };
    assert.ok(checks.length > 40 && checks.some(({ id }) => id === 'BYON-CTR-005'));
    assert.match((await run(['explain', 'BYON-CTR-005'])).stdout, /"severity":"critical"/);
    assert.equal(errorOf(await run(['explain', 'BYON-CTR-000'])).code, 'HARDENING_CHECK_UNKNOWN');
  });

  test('refuses what makes no sense together, a profile that is none, and a home that is none', async () => {
    for (const [args, code] of [
      [['--facts', 'a', '--manifests', 'b'], 'CLI_USAGE'],
      [['--facts', 'a', '--save-facts', 'b'], 'CLI_USAGE'],
      [['--manifests', 'good.yaml', '--sign'], 'CLI_USAGE'],
      [['--list', '-o', 'x'], 'CLI_USAGE'],
      [['--manifests', 'good.yaml', '--profile', 'none'], 'HARDENING_PROFILE_UNKNOWN'],
      [['--manifests', 'absent.yaml'], 'CLI_FILE_UNREADABLE'],
      [['--manifests', 'good.yaml', '--baseline', 'good.yaml'], 'HARDENING_REPORT_INVALID'],
      [[], 'CLI_HOME_MISSING'],
      [['--manifests', 'good.yaml', '-o', 'signed.html', '--sign'], 'CLI_HOME_MISSING'],
      [['waive', '--list'], 'CLI_HOME_MISSING'],
      [['key'], 'CLI_HOME_MISSING'],
      [['schedule', '--every', '24h'], 'CLI_HOME_MISSING'],
      [['schedule', '--every', '5h'], 'CLI_USAGE'],
    ] as const) {
      const ran = await run(args);
      assert.equal(errorOf(ran).code, code, args.join(' '));
      assert.notEqual(ran.code, 0);
    }
  });

  test('manifests that are none are a collection that failed: everything of it is unseen, nothing passes', async () => {
    const ran = await run(['--manifests', '-'], 'kind: [');
    const { results } = JSON.parse(ran.stdout) as Report;
    const verdicts = new Set(results.map(({ verdict }) => verdict));
    assert.deepEqual([ran.code, verdicts.has('pass'), verdicts.has('fail')], [13, false, false]);
  });
});
