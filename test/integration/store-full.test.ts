import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const child = join(import.meta.dirname, 'store-child.ts');
const rekeyChild = join(import.meta.dirname, 'index-rekey-full-child.ts');

/** A volume of 48 MiB in a mount namespace of its own; needs no root where user namespaces are allowed. */
const UNSHARE = ['--user', '--map-root-user', '--mount', 'sh', '-c'];
const SCRIPT = 'mount -t tmpfs -o size=48m tmpfs /mnt && exec "$0" "$1" full /mnt "$2"';
const REKEY_SCRIPT = 'mount -t tmpfs -o size=48m tmpfs /mnt && exec "$0" "$1" /mnt "$2"';

function canMount(): boolean {
  try {
    execFileSync('unshare', [...UNSHARE, 'mount -t tmpfs -o size=1m tmpfs /mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const MIB = 1024 * 1024;

for (const reserveBytes of [2 * MIB, 0])
  test(`a volume that runs full with a reserve of ${reserveBytes} bytes: one clear error, nothing lost, and it goes on when there is room`, {
    skip: !canMount() && 'no user namespaces here',
    timeout: 60_000,
  }, async () => {
    const { stdout } = await promisify(execFile)('unshare', [
      ...UNSHARE,
      SCRIPT,
      process.execPath,
      child,
      String(reserveBytes),
    ]);
    const { codes, before, after, findings } = JSON.parse(stdout);
    assert.deepEqual(codes, ['NODE_DISK_FULL']);
    assert(before.kept > 5);
    assert.equal(before.intact, before.kept);
    assert.equal(after.added, 2);
    assert.equal(after.intact, after.kept);
    assert.deepEqual(findings, []);
  });

// The index has some 10 MiB: the copy by the new key finds no room at its beginning, or when most of it is written.
for (const freeBytes of [2 * MIB, 9 * MIB])
  test(`an index that finds room for ${freeBytes / MIB} MiB of itself by a new key stays under the one that it has, and is sealed by it when there is room`, {
    skip: !canMount() && 'no user namespaces here',
    timeout: 120_000,
  }, async () => {
    const args = [...UNSHARE, REKEY_SCRIPT, process.execPath, rekeyChild, String(freeBytes)];
    const { stdout } = await promisify(execFile)('unshare', args);
    const { records, full, after } = JSON.parse(stdout);
    assert.deepEqual(full, { intact: records, isPending: true, folders: ['index'] });
    assert.deepEqual(after, { intact: records, isPending: false, folders: ['index'] });
  });
