import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { recordBackup } from '../../../../cli/life/last-backup.ts';
import { describeLoss } from '../../../../cli/life/what-remains.ts';
import { capture } from '../capture.ts';

let folder = '';
let home = '';
let key = '';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nectar-destroy-'));
  home = join(folder, 'home');
  key = join(folder, 'clinic.key');
  mkdirSync(join(home, 'identity'), { recursive: true });
  writeFileSync(key, 'k'.repeat(32), { mode: 0o600 });
  writeFileSync(join(home, 'keys.json'), '{}');
  writeFileSync(join(home, 'config.json'), JSON.stringify({ version: 1, keys: { keyFile: key } }));
  writeFileSync(join(home, 'identity', 'public.json'), JSON.stringify({ nodeId: 'ab'.repeat(16) }));
  await recordBackup(home, { file: '/mnt/usb/clinic.nectar-backup', createdAt: '2026-11-30T10:00:00Z', fileBytes: 1 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const destroy = (...more: string[]) => capture(['destroy', '--yes', '--home', home, ...more]);

test('the key file stays, which the backups need, and a person is told what stays readable', async () => {
  const { code, stderr } = await destroy();
  assert.equal(code, 0, stderr);
  assert.ok(!existsSync(home));
  assert.equal(readFileSync(key, 'utf8'), 'k'.repeat(32));
  assert.match(stderr, /Lost for good: every record/);
  assert.match(stderr, /clinic\.nectar-backup\) stay readable with the key file, which stays/);
});

test('the key file goes for whoever names it, and the backups that it opens are named first', async () => {
  const { code, stderr } = await destroy('--and-key-file', key);
  assert.equal(code, 0, stderr);
  assert.ok(!existsSync(home));
  assert.ok(!existsSync(key));
  assert.match(stderr, /UNREADABLE FOR GOOD .*clinic\.nectar-backup/);
});

test('another file than the key file of this node is never overwritten, and nothing is destroyed', async () => {
  const copy = join(folder, 'copy.key');
  writeFileSync(copy, 'k'.repeat(32));
  for (const named of [copy, join(home, 'keys.json'), folder]) {
    const { code, stderr } = await destroy('--and-key-file', named);
    assert.equal(code, 2);
    assert.match(stderr, /is not the key file of this node/);
  }
  assert.ok(existsSync(home) && existsSync(copy) && existsSync(key));
});

test('declined, or where nobody can be asked, nothing goes', async () => {
  const { code } = await capture(['destroy', '--home', home, '--and-key-file', key]);
  assert.equal(code, 2);
  assert.ok(existsSync(home) && existsSync(key));
});

test('a node that a person opens has no key file to speak of', () => {
  const lines = describeLoss({ home: '/h', backups: [], keyFile: undefined }, false);
  assert.match(lines.join('\n'), /none is known here\) stay readable with what opened the node/);
});
