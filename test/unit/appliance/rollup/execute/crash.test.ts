import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { alice, input, openChain, transfer } from './chain-fixture.ts';

/** Starts the child, kills it without warning once it has printed `blocks` lines, and returns the last number it printed. */
async function runAndKill(folder: string, blocks: number): Promise<bigint> {
  const program = join(import.meta.dirname, 'crash-child.ts');
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    if (printed.split('\n').length > blocks) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  assert.equal(signal, 'SIGKILL');
  return BigInt(printed.trimEnd().split('\n').at(-1) ?? 0);
}

test('killed at any point, the chain opens with everything it had acknowledged, heads and records in step', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-crash-'));
  for (const blocks of [3, 7, 20]) {
    const acknowledged = await runAndKill(folder, blocks);
    const chain = await openChain(undefined, folder);
    const { unsafe, safe } = chain.executor.heads();
    assert.ok(unsafe.number >= acknowledged);
    assert.equal(Buffer.from((await chain.executor.record('cursor')) ?? []).toString(), `${safe.number}`);
    for (let number = 1n; number <= unsafe.number; number += 1n) {
      const hash = await chain.database.canonicalHash(number);
      const block = hash && (await chain.database.block(hash));
      assert.equal(block?.header.number, number);
      assert.equal(hash && (await chain.database.receipts(hash))?.length, 1);
    }
    assert.equal(await chain.database.canonicalHash(unsafe.number + 1n), undefined);
    await chain.executor.close();
  }
  await using chain = await openChain(undefined, folder);
  const { number } = chain.executor.heads().unsafe;
  const { dropped } = await chain.executor.build(input(Number(number), [await transfer(alice, Number(number))]));
  assert.deepEqual(dropped, []);
});
