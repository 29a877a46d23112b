import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { guidanceOf } from '../../../cli/errors/guidance-of.ts';
import { ERRORS, type ErrorCode } from '../../../protocol/errors.ts';

/** A clone of nothing but the launcher, with an npm of ours in the PATH: no network, no real install. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const folders: string[] = [];

after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const FAKE_CLI = `
const args = process.argv.slice(2);
if (args[0] === 'wait') {
  process.on('SIGTERM', () => { console.log('got SIGTERM'); process.exit(7); });
  setTimeout(() => process.exit(0), 20000);
  console.log('waiting');
} else if (args[0] === 'exit') process.exit(Number(args[1]));
else console.log(JSON.stringify({ args, cwd: process.cwd(), version: process.versions.node, pid: process.pid }));
`;

interface Clone {
  readonly folder: string;
  readonly bin: string;
}

function clone(npm: string): Clone {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-launch-'));
  folders.push(folder);
  const bin = join(folder, 'bin');
  for (const path of ['scripts', 'cli', 'bin']) mkdirSync(join(folder, path));
  copyFileSync(join(root, 'nectar-byon'), join(folder, 'nectar-byon'));
  copyFileSync(join(root, 'scripts/launch.mjs'), join(folder, 'scripts/launch.mjs'));
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({ packages: { '': {}, 'node_modules/a': { integrity: 'sha512-a' } } }),
  );
  writeFileSync(join(folder, 'cli/main.ts'), FAKE_CLI);
  symlinkSync(process.execPath, join(bin, 'node'));
  for (const tool of ['dirname', 'readlink', 'sleep', 'mkdir', 'cat']) symlinkSync(`/usr/bin/${tool}`, join(bin, tool));
  if (npm !== '') writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${npm}\n`);
  if (npm !== '') chmodSync(join(bin, 'npm'), 0o755);
  return { folder, bin };
}

const INSTALLS = 'echo run >> npm-runs; echo "$@" > npm-args; mkdir -p node_modules';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number | undefined;
}

function launch(
  { folder, bin }: Clone,
  args: readonly string[],
  options: { from?: string; cwd?: string; kill?: NodeJS.Signals } = {},
): Promise<Ran> {
  const child = spawn('/bin/sh', [options.from ?? join(folder, 'nectar-byon'), ...args], {
    cwd: options.cwd ?? folder,
    env: { PATH: bin },
  });
  const kept = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    kept.stdout += chunk;
    if (options.kill !== undefined && kept.stdout.includes('waiting')) child.kill(options.kill);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    kept.stderr += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...kept, pid: child.pid })));
}

const runs = ({ folder }: Clone) => readFileSync(join(folder, 'npm-runs'), 'utf8').split('\n').length - 1;

test('installs on first use only, says so on stderr, and keeps stdout for the command', async () => {
  const made = clone(INSTALLS);
  const first = await launch(made, ['status', '--json']);
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(JSON.parse(first.stdout).args, ['status', '--json']);
  assert.match(first.stderr, /installing 1 locked packages/);
  assert.equal(readFileSync(join(made.folder, 'npm-args'), 'utf8'), 'ci --ignore-scripts --no-audit --no-fund\n');
  const second = await launch(made, ['status']);
  assert.equal(second.stderr, '');
  assert.equal(runs(made), 1);
});

test('installs again when the lockfile has changed, or an install was interrupted', async () => {
  const made = clone(INSTALLS);
  await launch(made, []);
  writeFileSync(
    join(made.folder, 'package-lock.json'),
    JSON.stringify({ packages: { '': {}, 'node_modules/a': { integrity: 'sha512-b' } } }),
  );
  await launch(made, []);
  assert.equal(runs(made), 2);
  rmSync(join(made.folder, 'node_modules/.nectar-installed'));
  await launch(made, []);
  assert.equal(runs(made), 3);
});

test('takes an install by hand that has what the lockfile names', async () => {
  const made = clone(INSTALLS);
  mkdirSync(join(made.folder, 'node_modules'));
  copyFileSync(join(made.folder, 'package-lock.json'), join(made.folder, 'node_modules/.package-lock.json'));
  assert.equal((await launch(made, [])).code, 0);
  assert.ok(!existsSync(join(made.folder, 'npm-runs')));
});

test('two at once install once, and a lock whose owner died is taken over', async () => {
  const made = clone(`${INSTALLS}; sleep 1`);
  const both = await Promise.all([launch(made, []), launch(made, [])]);
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  );
  assert.equal(runs(made), 1);
  rmSync(join(made.folder, 'node_modules/.nectar-installed'));
  writeFileSync(join(made.folder, '.nectar-install.lock'), '2147483646');
  assert.equal((await launch(made, [])).code, 0);
  assert.equal(runs(made), 2);
  assert.ok(!existsSync(join(made.folder, '.nectar-install.lock')));
});

test('takes over a lock whose number has been given to another process', {
  skip: process.platform === 'linux' ? false : 'tells processes apart by /proc',
}, async () => {
  const made = clone(INSTALLS);
  // This very process is alive; but the one that took the lock began at another moment.
  writeFileSync(join(made.folder, '.nectar-install.lock'), `${process.pid} 1`);
  assert.equal((await launch(made, [])).code, 0);
  assert.equal(runs(made), 1);
  assert.ok(!existsSync(join(made.folder, '.nectar-install.lock')));
});

test('works through links and from any folder', async () => {
  const made = clone(INSTALLS);
  const elsewhere = mkdtempSync(join(tmpdir(), 'nectar-launch-'));
  folders.push(elsewhere);
  symlinkSync(join(made.folder, 'nectar-byon'), join(elsewhere, 'one'));
  symlinkSync('one', join(elsewhere, 'two'));
  const run = await launch(made, ['x'], { from: join(elsewhere, 'two'), cwd: elsewhere });
  assert.equal(run.code, 0, run.stderr);
  assert.equal(JSON.parse(run.stdout).cwd, elsewhere);
});

test('passes on exit codes and signals', async () => {
  const made = clone(INSTALLS);
  assert.equal((await launch(made, ['exit', '13'])).code, 13);
  const killed = await launch(made, ['wait'], { kill: 'SIGTERM' });
  assert.deepEqual([killed.code, killed.stdout], [7, 'waiting\ngot SIGTERM\n']);
});

test('starts no second process where one will do: the runtime of a complete set-up comes first, and runs the command itself', async () => {
  const made = clone(INSTALLS);
  const first = await launch(made, []);
  assert.equal(JSON.parse(first.stdout).pid, first.pid);
  const bin = join(made.folder, 'node_modules/node-any/bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'node'), `#!/bin/sh\necho pinned >> used\nexec ${process.execPath} "$@"\n`);
  chmodSync(join(bin, 'node'), 0o755);
  const second = await launch(made, ['a', 'b']);
  assert.deepEqual([JSON.parse(second.stdout).pid, JSON.parse(second.stdout).args], [second.pid, ['a', 'b']]);
  assert.equal(readFileSync(join(made.folder, 'used'), 'utf8'), 'pinned\n');
  // One that is not complete may be changing under us.
  rmSync(join(made.folder, 'node_modules/.nectar-installed'));
  assert.equal((await launch(made, [])).code, 0);
  assert.equal(readFileSync(join(made.folder, 'used'), 'utf8'), 'pinned\n');
});

test('runs another script with --exec', async () => {
  const made = clone(INSTALLS);
  writeFileSync(
    join(made.folder, 'scripts/other.ts'),
    'const word: string = "typed"; console.log(word, process.argv.slice(2).join());',
  );
  assert.equal((await launch(made, ['--exec', 'scripts/other.ts', 'a', 'b'])).stdout, 'typed a,b\n');
});

test('names what is missing: npm, the network, or what npm says, and leaves no stamp', async () => {
  const cases: [string, string, number][] = [
    ['', 'CLI_INSTALL_NPM_MISSING', 10],
    ['echo "npm error code ENOTFOUND" >&2; exit 1', 'CLI_INSTALL_OFFLINE', 13],
    ['echo "npm error EINTEGRITY" >&2; exit 1', 'CLI_INSTALL_FAILED', 10],
  ];
  for (const [npm, code, exit] of cases) {
    const made = clone(npm);
    const run = await launch(made, ['status', '--json']);
    assert.equal(run.code, exit, run.stderr);
    const { error } = JSON.parse(run.stderr.trim().split('\n').at(-1) ?? '');
    assert.equal(error.code, code);
    assert.equal(run.stdout, '');
    assert.ok(!existsSync(join(made.folder, 'node_modules/.nectar-installed')));
    assert.ok(!existsSync(join(made.folder, '.nectar-install.lock')));
  }
});

test('says what to do when there is no node at all', async () => {
  const made = clone('');
  rmSync(join(made.bin, 'node'));
  const run = await launch(made, []);
  assert.equal(run.code, 10);
  assert.match(run.stderr, /install Node\.js 20 or newer/);
});

test('has the codes, remedies and exit codes of the registry', () => {
  const source = readFileSync(join(root, 'scripts/launch.mjs'), 'utf8');
  const table = source.slice(
    source.indexOf('const ERRORS = {'),
    source.indexOf('};', source.indexOf('const ERRORS = {')),
  );
  const found = [...table.matchAll(/(CLI_\w+): \{\s*exit: (\d+),\s*remedy:\s*['"`](.*?)['"`],?\s*\}/gs)];
  assert.deepEqual(
    found.map(([, code]) => code).toSorted(),
    Object.keys(ERRORS)
      .filter((code) => /^CLI_(INSTALL|RUNTIME)_/.test(code))
      .toSorted(),
  );
  for (const [, code = '', exit, remedy] of found) {
    assert.deepEqual(guidanceOf(code as ErrorCode), { exit: Number(exit), remedy }, code);
  }
});
