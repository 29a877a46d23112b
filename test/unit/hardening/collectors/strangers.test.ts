import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { processFacts } from '../../../../hardening/collectors/process/process-facts.ts';
import type { RawProcess } from '../../../../hardening/collectors/process/raw-process.ts';
import { readProcess } from '../../../../hardening/collectors/process/read-process.ts';

test('names whoever runs beside the main process, by program and user', () => {
  const raw = {
    ...(JSON.parse(readFileSync(new URL('./recorded/process-hard.json', import.meta.url), 'utf8')) as RawProcess),
    strangers: {
      value: [
        { name: 'node', uids: ['0'] },
        { name: 'sh\u001b[31m', uids: ['64002', '0'] },
      ],
    },
  };
  const found = processFacts(raw, 'store', { error: 'not asked' })['process.strangers'];
  assert.deepEqual(found, { value: ['node (uid 0)', 'sh?[31m (uid 64002 0)'] });
});

test('takes neither its own program nor what the main process started for a stranger', () => {
  const files: Record<string, string> = {};
  const add = (pid: number, parent: number, uid: number, argv: readonly string[]): void => {
    files[`/proc/${pid}/status`] = `Name:\tp${pid}\nPPid:\t${parent}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`;
    files[`/proc/${pid}/cmdline`] = `${argv.join('\0')}\0`;
  };
  const looker = ['/nodejs/bin/node', '-e', 'look'];
  add(1, 0, 64_002, ['/nodejs/bin/node', '/app/main.mjs', 'run', 'store']);
  add(10, 1, 64_002, ['child']);
  add(11, 10, 64_002, ['grandchild']);
  add(20, 0, 64_002, ['/nodejs/bin/node', '/app/main.mjs', 'healthcheck', 'store']);
  add(process.pid, 0, 64_002, looker);
  add(7_000_001, 0, 64_002, looker);
  add(31, 0, 0, ['/nodejs/bin/node', '/app/main.mjs', 'healthcheck', 'store']);
  add(32, 0, 64_002, ['/nodejs/bin/node', '-e', 'other']);
  add(33, 32, 64_002, ['child of it']);
  const fs = {
    readFileSync: (path: string) => files[path] ?? fail(path),
    readlinkSync: fail,
    statSync: fail,
    readdirSync: () => ['self', ...new Set(Object.keys(files).map((path) => path.split('/')[2] ?? ''))],
  };
  const { strangers } = readProcess({ fs, path: '/proc/1' }, 'v24');
  assert.ok('value' in strangers);
  assert.deepEqual(strangers.value.map(({ name }) => name).sort(), ['p31', 'p32', 'p33']);
  const shared = readProcess({ fs, path: '/proc/4711' }, 'v24').strangers;
  assert.ok('error' in shared);
});

function fail(path: string): never {
  throw Object.assign(new Error(path), { code: 'ENOENT' });
}
