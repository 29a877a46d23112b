import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const MIB = 1024 * 1024;
const LIMIT_BYTES = 100 * MIB;
const child = join(import.meta.dirname, 'store-child.ts');

test('a put and a get of 256 MiB add less than 100 MiB to the resident size', { timeout: 60_000 }, async () => {
  const home = await mkdtemp(join(tmpdir(), 'nectar-store-memory-'));
  try {
    const run = promisify(execFile)(process.execPath, [
      '--max-semi-space-size=2',
      child,
      'memory',
      home,
      String(256 * MIB),
    ]);
    const { addedBytes, same } = JSON.parse((await run).stdout) as { addedBytes: number; same: boolean };
    assert.equal(same, true);
    assert(addedBytes < LIMIT_BYTES, `added ${Math.round(addedBytes / MIB)} MiB`);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
