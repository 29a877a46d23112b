import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { createSteps } from './steps.ts';
import { recordFiles, type Workplace } from './workplace.ts';

interface Result {
  readonly check: string;
  readonly verdict: string;
  readonly reason?: string;
  readonly evidence: readonly { readonly subject: string; readonly error?: string }[];
}

interface Report {
  readonly profile: { readonly name: string };
  readonly node: { readonly id: string; readonly target: string };
  readonly counts: Readonly<Record<string, number>>;
  readonly score: { readonly value: number };
  readonly failed: readonly string[];
  readonly unseen: readonly string[];
  readonly results: readonly Result[];
  readonly history: readonly unknown[];
}

interface Summary {
  readonly digest: string;
  readonly signer?: string;
  readonly onRecord: { readonly auditLeaf: number; readonly drifted: readonly string[] };
}

interface Verified {
  readonly digest: string;
  readonly signature: { readonly verdict: string; readonly fingerprint?: string };
  readonly log: { readonly verdict: string; readonly leaf?: number };
}

interface Status {
  readonly hardening: {
    readonly lastAt: string;
    readonly profile: string;
    readonly score: number;
    readonly failed: number;
    readonly drifted: number;
    readonly overdue: boolean;
    readonly everySeconds: number | null;
  } | null;
}

export interface HardenTarget {
  readonly name: 'process' | 'docker';
  readonly initArguments: readonly string[];
  readonly skip?: string | false;
  /** Makes one thing of the node worse, which exactly `check` notices. */
  readonly weakening: {
    readonly check: string;
    make(home: string): Promise<void>;
    mend(home: string): Promise<void>;
  };
}

const FORMATS = [
  ['report.json', /^\{\n {2}"format": "nectar-byon-hardening-report\/2"/],
  ['report.html', /^<!doctype html>/i],
  ['report.sarif', /"version": ?"2\.1\.0"/],
  ['report.oscal.json', /"assessment-results"/],
  ['report.xml', /<testsuites/],
  ['report.txt', /^Hardening report of node /],
] as const;

/** The hardening report on a node that `init` made, told through the program as its user runs it. */
export function tellHardening(work: Workplace, target: HardenTarget): void {
  const home = work.path('clinic');
  const { weakening } = target;
  // Another file system than the home's, on every Linux.
  const memory = mkdtempSync('/dev/shm/nectar-e2e-');
  const at = (...args: string[]): string[] => [...args, '--home', home];
  const status = (): Promise<Status> => work.json<Status>(at('status'));
  const facts = work.path('facts.json');
  const step = createSteps(target.skip ?? false);

  after(async () => {
    if (existsSync(home)) await work.run(at('destroy', '--yes'));
    await work.run(['devnet', 'down']);
    work.remove();
    rmSync(memory, { recursive: true, force: true });
  });

  step('what init makes is not told to be perfect while its key lies on the disk of the data', async () => {
    const keyFile = join(memory, 'clinic.key');
    const place = target.name === 'process' ? [] : ['--key-file', keyFile];
    await work.json(at('init', '--yes', ...target.initArguments, ...place));
    if (target.name !== 'process') return;
    const run = await work.run(at('harden', '--json', '--no-record', '--no-probe'));
    const report = JSON.parse(run.stdout) as Report;
    assert.deepEqual([run.code, report.failed], [3, ['BYON-FIL-007']]);
    assert.ok(report.score.value < 100, String(report.score.value));
    await work.json(at('keys', 'enroll', 'file', '--path', keyFile));
    await work.json(at('keys', 'remove', 'file-1'));
  });

  step('with its key elsewhere it has no failure and nothing unseen, without a waiver', async () => {
    for (const path of recordFiles().slice(0, 3)) await work.json(at('put', path));
    assert.equal((await status()).hardening, null);
    const run = await work.run(at('harden', '--json'));
    assert.notEqual(run.stdout, '', run.stderr);
    const report = JSON.parse(run.stdout) as Report;
    const bad = report.results.filter(({ verdict }) => verdict === 'fail' || verdict === 'error');
    assert.deepEqual(bad, []);
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual([report.profile.name, report.node.target, report.counts.waived], ['node', target.name, 0]);
    assert.equal(report.score.value, 100);
    assert.ok((report.counts.pass ?? 0) >= 90, JSON.stringify(report.counts));
    const { hardening } = await status();
    assert.deepEqual([hardening?.profile, hardening?.score, hardening?.drifted], ['node', 100, 0]);
  });

  step('facts saved here are judged elsewhere with the same verdicts', async () => {
    await work.json(at('harden', '--save-facts', facts, '-o', work.path('here.json'), '--no-record'));
    const elsewhere = ['--home', work.path('nowhere')];
    const there = await work.json<Report>(['harden', '--facts', facts, ...elsewhere]);
    const here = JSON.parse(readFileSync(work.path('here.json'), 'utf8')) as Report;
    assert.deepEqual(there.results, here.results);
    const wrong = work.path('wrong.json');
    writeFileSync(wrong, readFileSync(facts, 'utf8').replace(/"value": ?true/, '"value": "yes"'));
    const refused = await work.error(['harden', '--facts', wrong, ...elsewhere]);
    assert.deepEqual([refused.code, refused.exit], ['HARDENING_FACTS_INVALID', 10]);
  });

  step('is written in every format', async () => {
    for (const [name, shape] of FORMATS) {
      const file = work.path(name);
      const format = name === 'report.oscal.json' ? ['--format', 'oscal'] : [];
      await work.json<Summary>(at('harden', '--facts', facts, '-o', file, ...format));
      assert.match(readFileSync(file, 'utf8'), shape, name);
    }
    const again = await work.error(at('harden', '--facts', facts, '-o', work.path('report.json')));
    assert.equal(again.code, 'CLI_OUTPUT_EXISTS');
  });

  step('a signed report is verified here, and by an auditor who has only files and keys', async () => {
    const file = work.path('signed.html');
    const made = await work.json<Summary>(at('harden', '-o', file, '--sign'));
    const own = await work.json<Verified>(at('harden', 'verify', file));
    assert.deepEqual([own.signature.verdict, own.log.verdict], ['ok', 'ok']);
    assert.deepEqual([own.digest, own.signature.fingerprint], [made.digest, made.signer]);
    const key = work.path('clinic.asc');
    await work.json(at('harden', 'key', '-o', key));
    const identity = readFileSync(join(home, 'identity', 'public.json'), 'utf8');
    const { checkpointVkey } = JSON.parse(identity) as { checkpointVkey: string };
    const auditor = ['--home', work.path('auditor')];
    const theirs = ['harden', 'verify', file, '--key', key, '--vkey', checkpointVkey, ...auditor];
    const seen = await work.json<Verified>(theirs);
    assert.deepEqual([seen.signature.verdict, seen.log.verdict, seen.log.leaf], ['ok', 'ok', made.onRecord.auditLeaf]);
    const blind = await work.error(['harden', 'verify', file, ...auditor]);
    assert.deepEqual([blind.code, blind.exit], ['HARDENING_REPORT_UNPROVEN', 13]);
    writeFileSync(file, readFileSync(file, 'utf8').replace('100', '101'));
    const altered = await work.error(theirs);
    assert.deepEqual([altered.code, altered.exit], ['HARDENING_REPORT_VIOLATED', 3]);
  });

  step('a change for the worse is one failure, drift, and an alarm', async () => {
    await weakening.make(home);
    const refused = await work.error(at('harden', '-o', work.path('weak.json')));
    assert.deepEqual([refused.code, refused.exit], ['HARDENING_FAILED', 3]);
    const report = JSON.parse(readFileSync(work.path('weak.json'), 'utf8')) as Report;
    const failed = report.results.filter(({ verdict }) => verdict === 'fail').map(({ check }) => check);
    assert.deepEqual(failed, [weakening.check]);
    assert.ok(report.history.length >= 2);
    assert.equal((await status()).hardening?.drifted, 1);
    assert.match((await work.run(at('status'))).stdout, /DRIFT: 1 new/);
    const { error } = JSON.parse((await work.run(at('doctor', '--json'))).stderr) as { error: { data: unknown } };
    assert.match(JSON.stringify(error.data), /hardening: .*DRIFT/);
    const diff = await work.error(['harden', 'diff', work.path('report.json'), work.path('weak.json')]);
    assert.deepEqual([diff.code, diff.exit], ['HARDENING_FAILED', 3]);
    assert.match(diff.message, new RegExp(weakening.check));
  });

  step('what was known to fail decides nothing where a baseline says so', async () => {
    const report = await work.json<Report>(at('harden', '--baseline', work.path('weak.json'), '--no-record'));
    assert.deepEqual(report.failed, [weakening.check]);
  });

  step('a waiver has a name, a reason and an end, and its entry in the audit log', async () => {
    const id = weakening.check;
    const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
    const waive = ['harden', 'waive', id, '--owner', 'it@clinic.example', '--reason', 'mended on Monday', '--until'];
    const long = await work.error(at(...waive, '2199-01-01'));
    assert.deepEqual([long.code, long.exit], ['HARDENING_WAIVER_INVALID', 2]);
    assert.equal((await work.error(at(...waive, until).with(2, 'BYON-XX-999'))).code, 'HARDENING_CHECK_UNKNOWN');
    const { auditLeaf } = await work.json<{ auditLeaf: number }>(at(...waive, until));
    const report = await work.json<Report>(at('harden'));
    assert.equal(report.results.find(({ check }) => check === id)?.verdict, 'waived');
    assert.equal((await status()).hardening?.drifted, 0);
    await work.json(at('audit', 'prove', String(auditLeaf), '-o', work.path('waiver.json')));
    const proof = JSON.parse(readFileSync(work.path('waiver.json'), 'utf8')) as { body: string };
    assert.match(Buffer.from(proof.body, 'base64').toString(), /mended on Monday/);
    await work.json(at('harden', 'waive', id, '--remove'));
    assert.equal((await work.error(at('harden', 'waive', id, '--remove'))).code, 'HARDENING_WAIVER_UNKNOWN');
    assert.equal((await work.error(at('harden', '-o', work.path('again.json')))).code, 'HARDENING_FAILED');
    await weakening.mend(home);
    await work.json(at('harden'));
    assert.equal((await status()).hardening?.drifted, 0);
  });

  step('runs by a schedule, which the node watches', async () => {
    const bin = work.path('bin');
    const table = work.path('crontab.txt');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'crontab'),
      `#!/bin/sh\ncase "$1" in -l) cat ${table} 2>/dev/null || { echo "no crontab" >&2; exit 1; } ;; -) cat >${table} ;; esac\n`,
      { mode: 0o755 },
    );
    const env = { PATH: `${bin}:${work.env.PATH}` };
    await work.json(at('harden', 'schedule', '--every', '1h', '--by', 'crontab'), { env });
    const line = readFileSync(table, 'utf8').trim();
    const command = line.replace(/^(\S+ ){5}/, '').replaceAll('\\%', '%');
    const before = (await status()).hardening;
    assert.deepEqual([before?.everySeconds, before?.overdue], [3600, false]);
    spawnSync('/bin/sh', ['-c', command], { env: work.env });
    assert.ok(
      existsSync(join(home, 'hardening', 'latest.html')),
      readFileSync(join(home, 'hardening', 'last-run.log'), 'utf8'),
    );
    const later = (await status()).hardening;
    assert.ok((later?.lastAt ?? '') > (before?.lastAt ?? ''), 'the scheduled run is on record');
    await work.json(at('harden', 'schedule', '--every', 'off'), { env });
    assert.equal(readFileSync(table, 'utf8'), '');
    assert.equal((await status()).hardening?.everySeconds, null);
  });

  step('leaves the node as it was: its records, and its log intact', async () => {
    const verdict = await work.json<{ integrity: string }>(at('audit', 'verify'));
    assert.equal(verdict.integrity, 'ok');
    const { records } = await work.json<{ records: number }>(at('status'));
    assert.equal(records, 3);
  });
}
