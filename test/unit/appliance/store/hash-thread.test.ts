import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { givePieceBack, takePiece } from '../../../../appliance/page-memory.ts';
import { createHashThread } from '../../../../appliance/store/hash-thread.ts';

const expected = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('hashes full blocks in the other thread, in any order, and everything else at once', async () => {
  const thread = createHashThread();
  const pieces = Array.from({ length: 6 }, () => randomFillSync(takePiece()));
  const digests = pieces.map((piece) => thread.sha256(piece));
  assert.ok(digests.every((digest) => digest instanceof Promise));
  assert.deepEqual((await Promise.all(digests)).map(hex), pieces.map(expected));
  const small = thread.sha256(Buffer.from('small'));
  assert.ok(!(small instanceof Promise));
  assert.equal(hex(small), expected(Buffer.from('small')));
  await thread.end();
  for (const piece of pieces) givePieceBack(piece);
});

test('a thread that is lost, or never starts, costs time only', async () => {
  const piece = randomFillSync(takePiece());
  for (const program of ['process.exit(1)', 'throw new Error("no")', 'import("node:nothing")']) {
    const thread = createHashThread(() => new Worker(program, { eval: true }));
    assert.equal(hex(await thread.sha256(piece)), expected(piece));
    const later = thread.sha256(piece);
    assert.ok(!(later instanceof Promise), 'nothing is asked of it again');
    assert.equal(hex(later), expected(piece));
  }
  givePieceBack(piece);
});

test('a process that waits for a digest and for nothing else goes on until it has it, and then ends', () => {
  const at = (path: string): string => JSON.stringify(new URL(`../../../../appliance/${path}`, import.meta.url).href);
  const program = `
    import { takePiece } from ${at('page-memory.ts')};
    import { createHashThread } from ${at('store/hash-thread.ts')};
    const thread = createHashThread();
    for (let i = 0; i < 3; i++) console.log((await thread.sha256(takePiece())).length);
  `;
  const args = ['--input-type=module', '--eval', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.deepEqual([status, stdout], [0, '32\n32\n32\n'], stderr);
});
