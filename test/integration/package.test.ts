import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../cli/version.ts';
import { loadBenchmark } from '../../hardening/load-benchmark.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The published package, installed as npm would: unpacked in a node_modules, its dependencies beside it. */
describe('the published package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-package-'));
  const installed = join(folder, 'node_modules', 'nectar-byon');
  const env = {
    ...process.env,
    HOME: folder,
    XDG_DATA_HOME: '',
    XDG_CONFIG_HOME: '',
    NECTAR_DEVNET_HOME: join(folder, 'devnet'),
  };
  const run = (...args: string[]) =>
    spawnSync(join(installed, 'nectar-byon'), args, { encoding: 'utf8', env, cwd: folder });

  before(() => {
    const bundled = spawnSync(process.execPath, [join(root, 'scripts/bundle.ts')], { encoding: 'utf8' });
    assert.equal(bundled.status, 0, bundled.stderr);
    const packed = spawnSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(packed.status, 0, packed.stderr);
    mkdirSync(installed, { recursive: true });
    const unpacked = spawnSync('tar', [
      '-xzf',
      join(folder, `nectar-byon-${VERSION}.tgz`),
      '-C',
      installed,
      '--strip-components=1',
    ]);
    assert.equal(unpacked.status, 0);
    symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'));
  });

  after(() => {
    run('down', '--home', join(folder, 'home'));
    run('devnet', 'down');
    rmSync(folder, { recursive: true, force: true });
  });

  test('holds the bundle and the documents, and none of our sources', () => {
    const { stdout } = spawnSync(
      'find',
      [installed, '-type', 'f', '-name', '*.ts', '-not', '-path', '*/node_modules/nectar-byon/node_modules/*'],
      { encoding: 'utf8' },
    );
    assert.equal(stdout, '');
    assert.equal(run('--version').stdout.trim(), VERSION);
  });

  test('has the checks and profiles of the hardening report', () => {
    const listed = run('harden', '--list', '--json');
    assert.equal(listed.status, 0, listed.stderr);
    const { checks, profiles, digest } = JSON.parse(listed.stdout) as {
      checks: { id: string }[];
      profiles: { name: string }[];
      digest: string;
    };
    assert.ok(checks.length >= 120, String(checks.length));
    assert.ok(profiles.some(({ name }) => name === 'node'));
    assert.equal(digest, loadBenchmark().digest);
    assert.match(run('harden', 'explain', checks[0]?.id ?? '').stdout, /How it is judged/);
  });

  test('runs the main job from the bundle', () => {
    const home = join(folder, 'home');
    const made = run('init', '--home', home, '--yes', '--json');
    assert.equal(made.status, 0, made.stderr);
    const put = run('put', join(root, 'test/data/bad_sequence.dcm'), '--home', home, '--json');
    assert.equal(put.status, 0, put.stderr);
    const { auditLeaf } = JSON.parse(put.stdout) as { auditLeaf: number };
    const proof = join(folder, 'proof.json');
    assert.equal(run('audit', 'prove', String(auditLeaf), '-o', proof, '--home', home).status, 0);
    const verifier = spawnSync(process.execPath, [join(installed, 'dist/verify-audit-proof.mjs'), proof], {
      encoding: 'utf8',
    });
    assert.equal(verifier.status, 0, verifier.stderr);
  });

  test('comes with its Node and npm packages to a machine that has neither', () => {
    const built = spawnSync(process.execPath, [join(root, 'scripts/program.ts')], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    const files = join(folder, 'bundle');
    cpSync(join(root, 'dist', 'program'), files, { recursive: true });
    const sums = spawnSync('sha256sum', readdirSync(files), { cwd: files, encoding: 'utf8' });
    writeFileSync(join(files, 'SHA256SUMS'), sums.stdout);
    const installed = spawnSync('sh', [join(files, 'install.sh'), join(folder, 'opt')], { encoding: 'utf8' });
    assert.equal(installed.status, 0, installed.stderr);
    // A machine with a shell and what the launcher asks it, and nothing else.
    const tools = join(folder, 'tools');
    mkdirSync(tools);
    for (const name of ['dirname', 'readlink']) symlinkSync(`/usr/bin/${name}`, join(tools, name));
    const started = spawnSync(join(folder, 'opt/nectar-byon/nectar-byon'), ['harden', '--list', '--json'], {
      encoding: 'utf8',
      env: { HOME: folder, PATH: tools },
    });
    assert.equal(started.status, 0, started.stderr);
    assert.equal((JSON.parse(started.stdout) as { digest: string }).digest, loadBenchmark().digest);
  });
});
