import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LET_READ } from '../../../../cli/provision/docker/helper-programs.ts';
import { isGivenKeyFile } from '../../../../cli/provision/docker/key-file.ts';
import { UIDS } from '../../../../cli/provision/docker/role-table.ts';

const ADMIN = 4242;
const OTHER_ADMIN = 4243;
const skip = process.getuid?.() !== 0 && 'needs root to give a file away, as the helper is';

/** As the helper runs it. */
function letRead(path: string, admin: number): void {
  const args = ['--input-type=module', '-e', LET_READ, '--', String(UIDS.store), String(admin), path];
  execFileSync(process.execPath, args, { stdio: 'pipe' });
}

test('the store reads a key file by its group, and its owner keeps it', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-key-file-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'root.key');
  const seen = (): number[] => {
    const { uid, gid, mode } = statSync(path);
    return [uid, gid, mode & 0o7777];
  };
  writeFileSync(path, Buffer.alloc(32), { mode: 0o600 });
  chownSync(path, ADMIN, ADMIN);
  assert.equal(await isGivenKeyFile(path), false, 'as init wrote it');

  letRead(path, ADMIN);
  assert.deepEqual(seen(), [ADMIN, UIDS.store, 0o440]);
  assert.equal(await isGivenKeyFile(path), true);

  letRead(path, OTHER_ADMIN);
  assert.deepEqual(seen(), [ADMIN, UIDS.store, 0o440], "another admin's `up` leaves it its owner's");

  chownSync(path, UIDS.store, UIDS.store);
  chmodSync(path, 0o400);
  assert.equal(await isGivenKeyFile(path), false, 'as a former version left it');
  letRead(path, ADMIN);
  assert.deepEqual(seen(), [ADMIN, UIDS.store, 0o440]);

  for (const mode of [0o444, 0o460, 0o400, 0o640]) {
    chmodSync(path, mode);
    assert.equal(await isGivenKeyFile(path), false, mode.toString(8));
  }
  assert.equal(await isGivenKeyFile(join(folder, 'nowhere')), false);
});
