import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRunningProgram } from '../../../../cli/life/upgrade/running-program.ts';
import { findFormerProgram, noteFormerProgram } from '../../../../cli/life/upgrade/upgrade-record.ts';
import { readRunning, startTicksOf } from '../../../../cli/provision/process/running.ts';
import { stopProcess } from '../../../../cli/provision/process/stop-node.ts';
import { capture } from '../capture.ts';
import { makeHome } from './stored-home.ts';

/** An installation as another version sees it: `up` starts a process `run all`, which says in the home that it runs. */
const PROGRAM = `
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
const [, entry, verb] = process.argv;
const home = process.argv[process.argv.indexOf('--home') + 1];
const note = home + '/run/node.json';
if (verb === 'run') {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  writeFileSync(note, JSON.stringify({ pid: process.pid, startTicks, gateway: 'https://x', startedAt: '' }));
  setInterval(() => {}, 1000);
} else if (existsSync(note) && existsSync('/proc/' + JSON.parse(readFileSync(note, 'utf8')).pid)) {
  console.error('{"error":{"code":"NODE_HOME_IN_USE"}}');
  process.exitCode = 10;
} else if (existsSync(entry + '.broken')) {
  console.error('{"error":{"code":"HOME_FORMAT_NEWER"}}');
  process.exitCode = 10;
} else {
  const child = spawn(process.execPath, [entry, 'run', 'all', '--home', home], { detached: true, stdio: 'ignore' });
  child.unref();
  const timer = setInterval(() => {
    if (!existsSync(note) || !readFileSync(note, 'utf8').includes(String(child.pid))) return;
    clearInterval(timer);
    console.log(JSON.stringify({ home, gateway: 'https://x', ready: true, pid: child.pid }));
  }, 20);
}
`;

let folder = '';
let home = '';
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nectar-upgrade-process-'));
  home = await makeHome(folder, 'home');
  mkdirSync(join(home, 'run'), { recursive: true });
});
afterEach(async () => {
  await stopProcess(home, { signal: new AbortController().signal });
  rmSync(folder, { recursive: true, force: true });
});

function install(name: string): string {
  const entry = join(folder, `${name}.mjs`);
  writeFileSync(entry, PROGRAM);
  return entry;
}

/** Has an installation run the home, and waits for as long as that takes. */
async function run(entry: string): Promise<void> {
  spawn(process.execPath, [entry, 'run', 'all', '--home', home], { detached: true, stdio: 'ignore' }).unref();
  while (findRunningProgram(home)?.entry !== entry) await sleep(20);
}

const former = (entry: string) => ({ exec: process.execPath, entry, version: '0.0.9', format: 1 });
const skip = startTicksOf(process.pid) === undefined && 'there is no /proc';

test('goes back to the program before, whatever an interruption left running', { skip }, async () => {
  const [old, next] = [install('old'), install('next')];
  for (const left of [undefined, next, old]) {
    if (left !== undefined && findRunningProgram(home)?.entry !== left) {
      await stopProcess(home, { signal: new AbortController().signal });
      await run(left);
    }
    await noteFormerProgram(home, former(old));
    const { code, stdout, stderr } = await capture(['rollback', '--home', home, '--json']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { home, version: '0.0.9', gateway: 'https://x', ready: true });
    assert.equal(findRunningProgram(home)?.entry, old);
    assert.equal(await findFormerProgram(home), undefined, 'it is undone once');
    await stopProcess(home, { signal: new AbortController().signal });
  }
});

test('keeps the way back while the program before does not start, and says what it says', { skip }, async () => {
  const old = install('old');
  writeFileSync(`${old}.broken`, '');
  await noteFormerProgram(home, former(old));
  const { code, stderr } = await capture(['rollback', '--home', home, '--json']);
  assert.notEqual(code, 0);
  assert.match(stderr, /CLI_NODE_START_FAILED.*HOME_FORMAT_NEWER/s);
  assert.deepEqual(await findFormerProgram(home), former(old));
  rmSync(`${old}.broken`);
  assert.equal((await capture(['rollback', '--home', home, '--json'])).code, 0);
});

test('an upgrade that was interrupted goes on, and goes back by itself where this program does not start', {
  skip,
}, async () => {
  const old = install('old');
  await noteFormerProgram(home, former(old));
  // What this program would start cannot: the home names no network that it could read.
  rmSync(join(home, 'network.json'), { force: true });
  const { code, stderr } = await capture(['upgrade', '--home', home, '--json']);
  assert.equal(
    JSON.parse(stderr.split('\n').find((line) => line.startsWith('{')) ?? '{}').error?.code,
    'UPGRADE_ROLLED_BACK',
    stderr,
  );
  assert.equal(code, 3);
  assert.equal(findRunningProgram(home)?.entry, old);
});

const notRoot = process.getuid?.() !== 0 && 'only root can give files away';
test('root starts no program that somebody else can change, whatever the home names', {
  skip: skip || notRoot,
}, async () => {
  const [old, next] = [install('old'), install('next')];
  await run(next);
  await noteFormerProgram(home, former(old));
  for (const [change, back] of [
    [() => chownSync(old, 65_534, 65_534), () => chownSync(old, 0, 0)],
    [() => chmodSync(old, 0o646), () => chmodSync(old, 0o644)],
  ] as const) {
    change();
    const { code, stderr } = await capture(['rollback', '--home', home, '--json']);
    assert.notEqual(code, 0);
    assert.match(stderr, /CLI_NODE_START_FAILED.*root does not start/s);
    assert.equal(findRunningProgram(home)?.entry, next, 'what runs goes on');
    back();
  }
  assert.equal((await capture(['rollback', '--home', home, '--json'])).code, 0);
});

test('believes no note that it did not write so', async () => {
  for (const text of ['{', '{"version":"1"}', JSON.stringify({ ...former('relative.ts') })]) {
    writeFileSync(join(home, 'run', 'upgrade.json'), text);
    assert.equal(await findFormerProgram(home), undefined, text);
  }
  assert.ok(
    existsSync(join(home, 'run', 'upgrade.json')) && readFileSync(join(home, 'run', 'upgrade.json')).length > 0,
  );
  assert.equal(readRunning(home), undefined);
});

test('from the third version back to the second and to the first', { skip }, async () => {
  const [first, second, third] = [install('first'), install('second'), install('third')];
  await noteFormerProgram(home, former(first));
  await noteFormerProgram(home, former(second));
  await noteFormerProgram(home, former(second));
  await run(third);
  for (const back of [second, first]) {
    const { code, stderr } = await capture(['rollback', '--home', home, '--json']);
    assert.equal(code, 0, stderr);
    assert.equal(findRunningProgram(home)?.entry, back);
  }
  const { code, stderr } = await capture(['rollback', '--home', home, '--json']);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /UPGRADE_ROLLBACK_ABSENT/);
});
