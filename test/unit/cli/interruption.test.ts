import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaving, untilInterrupted } from '../../../cli/interruption.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';

const LEFT = 'half of it; `nectar-byon up` goes on';

async function thrownBy(error: unknown, { signal, left }: { signal?: string; left?: string }): Promise<unknown> {
  const ending = new AbortController();
  const work = async () => {
    if (signal !== undefined) ending.abort(signal);
    throw error;
  };
  return leaving({ signal: ending.signal }, () => left, work).catch((thrown: unknown) => thrown);
}

test('an interrupted command says what it leaves, and by which signal it ended', async () => {
  const thrown = await thrownBy(new Error('aborted'), { signal: 'SIGTERM', left: LEFT });
  assert.ok(isNectarError(thrown, 'CLI_INTERRUPTED'));
  assert.deepEqual(thrown.data, { signal: 'SIGTERM', left: LEFT });
  assert.equal(thrown.message, `interrupted by SIGTERM: ${LEFT}`);
});

test('Ctrl-C at a question is an interruption too', async () => {
  const thrown = await thrownBy(new NectarError('CLI_INTERRUPTED', { signal: 'SIGINT' }), { left: LEFT });
  assert.ok(isNectarError(thrown, 'CLI_INTERRUPTED') && thrown.data.left === LEFT);
});

test('what failed by itself, left nothing, or was said already stays what it is', async () => {
  const own = new NectarError('NODE_DISK_FULL', { path: '/srv' });
  assert.equal(await thrownBy(own, { left: LEFT }), own);
  const aborted = new Error('aborted');
  assert.equal(await thrownBy(aborted, { signal: 'SIGINT' }), aborted);
  const said = new NectarError('CLI_INTERRUPTED', { signal: 'SIGINT', left: 'the inner one' });
  assert.equal(await thrownBy(said, { signal: 'SIGINT', left: LEFT }), said);
});

test('a stream ends with the signal', async () => {
  const ending = new AbortController();
  const seen: number[] = [];
  const source = (async function* () {
    for (let number = 1; ; number += 1) yield number;
  })();
  await assert.rejects(async () => {
    for await (const number of untilInterrupted(source, ending.signal)) {
      seen.push(number);
      if (number === 3) ending.abort(new Error('left'));
    }
  }, /left/);
  assert.deepEqual(seen, [1, 2, 3]);
});
