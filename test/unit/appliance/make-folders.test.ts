import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeFolders } from '../../../appliance/make-folders.ts';

const folder = mkdtempSync(join(tmpdir(), 'nectar-folders-'));
after(() => rmSync(folder, { recursive: true }));

test('makes what is missing, and says where that begins', async () => {
  const path = join(folder, 'a', 'b', 'c');
  assert.equal(await makeFolders(path, 0o700), join(folder, 'a'));
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(await makeFolders(path, 0o700), undefined);
  assert.equal(await makeFolders(join(path, 'd'), 0o700), join(path, 'd'));
});

test('goes through a link to a folder', async () => {
  symlinkSync(folder, join(folder, 'link'));
  assert.equal(await makeFolders(join(folder, 'link', 'below')), join(folder, 'link', 'below'));
  assert.equal(await makeFolders(join(folder, 'link')), undefined);
});

test('takes a folder that somebody else makes at the same time', async () => {
  const path = join(folder, 'same', 'place');
  await Promise.all([1, 2, 3, 4].map(() => makeFolders(path)));
  assert.ok(statSync(path).isDirectory());
});

test('refuses a file in the way', async () => {
  writeFileSync(join(folder, 'file'), '');
  await assert.rejects(makeFolders(join(folder, 'file')), { code: 'EEXIST' });
  await assert.rejects(makeFolders(join(folder, 'file', 'below')), { code: 'ENOTDIR' });
});

test('ends where a file system makes no folders and says that the parent is missing', async () => {
  const missing = Object.assign(new Error('no such file or directory'), { code: 'ENOENT' });
  let calls = 0;
  const files = {
    async mkdir() {
      calls++;
      throw missing;
    },
    async stat(path: string) {
      if (path !== '/proc') throw missing;
      return { isDirectory: () => true };
    },
  } as unknown as Parameters<typeof makeFolders>[2];
  await assert.rejects(makeFolders('/proc/x/y', 0o700, files), { code: 'ENOENT' });
  assert.ok(calls < 10);
});

test('ends on /proc itself', { skip: process.platform !== 'linux' }, async () => {
  await assert.rejects(makeFolders('/proc/nectar/y'), { code: 'ENOENT' });
});
