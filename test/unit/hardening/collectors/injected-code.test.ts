import assert from 'node:assert/strict';
import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createLocalProcessCollector } from '../../../../hardening/collectors/process/processes.ts';
import type { ProcFiles } from '../../../../hardening/collectors/process/read-process.ts';
import { readProcess } from '../../../../hardening/collectors/process/read-process.ts';

const WAIT = 'console.log("up"); setInterval(() => {}, 1000)';

async function injected(context: TestContext, args: readonly string[], env: SpawnOptions['env'] = {}) {
  const child = spawn(process.execPath, [...args, '-e', WAIT], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  context.after(() => child.kill('SIGKILL'));
  await once(child.stdout ?? child, 'data');
  const [subject] = await createLocalProcessCollector({ pid: child.pid, role: 'all' }).collect(
    new AbortController().signal,
  );
  const { facts = {} } = subject ?? {};
  const { 'process.injectedCode': code, 'process.nodeOptions': options } = facts as Record<string, unknown>;
  return { code, options };
}

test('sees code that the environment or an option brings into a real process, and no other flag', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-injected-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const module = join(folder, 'spy.cjs');
  writeFileSync(module, '');
  assert.deepEqual(await injected(context, []), { code: { value: [] }, options: { value: [] } });
  assert.deepEqual(await injected(context, ['--import', module]), {
    code: { value: ['--import'] },
    options: { value: [] },
  });
  const env = { NODE_OPTIONS: `--require=${module}`, LD_PRELOAD: join(folder, 'spy.so'), LD_LIBRARY_PATH: '' };
  const { code } = await injected(context, [], env);
  assert.deepEqual(code, { value: ['--require', 'LD_PRELOAD'] });
});

const fake = (preload: string | Error): ProcFiles => ({
  readFileSync(path) {
    if (!path.endsWith('/etc/ld.so.preload')) return '';
    if (preload instanceof Error) throw preload;
    return preload;
  },
  readlinkSync: () => '',
  readdirSync: () => [],
  statSync: () => ({ mode: 0, uid: 0, gid: 0 }),
});

test('sees /etc/ld.so.preload of its root, and says so where it cannot', () => {
  const read = (preload: string | Error) => readProcess({ fs: fake(preload), path: '/proc/9' }, 'v24').weakOptions;
  assert.deepEqual(read('/usr/local/lib/spy.so\n'), { value: ['/etc/ld.so.preload'] });
  assert.deepEqual(read('\n'), { value: [] });
  assert.deepEqual(read(Object.assign(new Error('gone'), { code: 'ENOENT' })), { value: [] });
  const denied = read(Object.assign(new Error('denied'), { code: 'EACCES' }));
  assert.ok('error' in denied && /ld\.so\.preload/.test(denied.error));
});
