import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceLimits } from 'node:worker_threads';
import { startThread } from '../../../../../appliance/rollup/execute/thread.ts';

test('bounds what a thread takes of the memory, old and new', async () => {
  const program = new URL('./limits-worker.ts', import.meta.url);
  const thread = startThread<string, ResourceLimits>({ name: 'limits', program, setup: undefined, maxHeapMb: 64 });
  try {
    const limits = await new Promise<ResourceLimits>((resolve, reject) => {
      thread.onReply(resolve);
      thread.onExit((error) => reject(error ?? new Error('it ended')));
      // A thread of its own does not keep the process.
      const alive = setInterval(() => undefined, 1_000);
      thread.onReply(() => clearInterval(alive));
      thread.post('limits');
    });
    assert.equal(limits.maxOldGenerationSizeMb, 64);
    assert.equal(limits.maxYoungGenerationSizeMb, 12);
  } finally {
    await thread.end();
  }
});
