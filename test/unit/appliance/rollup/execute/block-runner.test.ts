import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBlock } from '@ethereumjs/block';
import { ClassicLevel } from 'classic-level';
import { getCreateAddress } from 'ethers';
import type { BlockReply, BlockRequest } from '../../../../../appliance/rollup/execute/block-messages.ts';
import { type StartBlockThread, startBlockThread } from '../../../../../appliance/rollup/execute/block-thread.ts';
import type { Thread } from '../../../../../appliance/rollup/execute/thread.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { isNectarError } from '../../../../../protocol/errors.ts';
import { encodeBatch } from '../../../../../protocol/rollup/batch.ts';
import { nextBaseFee } from '../../../../../protocol/rollup/block-input.ts';
import { bytesToHex } from '../../../../../protocol/rollup/bytes.ts';
import { loneBatch } from '../../../../lone-batch.ts';
import { createMemoryState } from '../../../../oracle/state-by-hash.ts';
import { transition } from '../../../../oracle/transition.ts';
import { createDice, createRandomChain } from '../../../machine/random-blocks.ts';
import {
  addressOf,
  alice,
  bob,
  FEE_RECIPIENT,
  GENESIS,
  input,
  openChain,
  rules,
  type TestChain,
  transfer,
} from './chain-fixture.ts';

const KEY = new Uint8Array(32).fill(7);

/** All that lies in the chain's database, which must be closed. */
async function entries(chain: TestChain): Promise<Map<string, string>> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(chain.path, { keyEncoding: 'view', valueEncoding: 'view' });
  const found = new Map<string, string>();
  for await (const [key, value] of level.iterator()) found.set(bytesToHex(key), bytesToHex(value));
  await level.close();
  return found;
}

/** Changes values whose key begins with `kind`, in a closed database. */
async function damage(chain: TestChain, kind: number, change: (value: Uint8Array) => Uint8Array): Promise<void> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(chain.path, { keyEncoding: 'view', valueEncoding: 'view' });
  for await (const [key, value] of level.iterator()) if (key[0] === kind) await level.put(key, change(value));
  await level.close();
}

/** Threads that a test can end in the middle of a task: the reply of a doomed one never arrives. */
function mortal() {
  const fate = { dooms: 0, started: 0 };
  const start: StartBlockThread = (setup) => {
    fate.started += 1;
    const thread = startBlockThread(setup);
    const doomed = new Set<number>();
    const wrapped: Thread<BlockRequest, BlockReply> = {
      ...thread,
      post(request) {
        if (request.task.kind === 'execute' && fate.dooms > 0) {
          fate.dooms -= 1;
          doomed.add(request.id);
        }
        thread.post(request);
      },
      onReply(listener) {
        thread.onReply((reply) => {
          if (doomed.has(reply.id)) void thread.end();
          else listener(reply);
        });
      },
    };
    return wrapped;
  };
  return { fate, start };
}

test('random blocks through the database are those of the TypeScript transition, after restarts and rewinds too', async () => {
  await using chain = await openChain(KEY);
  const state = createMemoryState({ get: async (hash: Hex) => chain.genesis.preimages.get(hash) });
  const dice = createDice(7);
  const random = createRandomChain(dice);
  let header = chain.genesis.header;
  for (let number = 1; number <= 20; number += 1) {
    const next = random.next(nextBaseFee(header));
    const oracle = await transition(header, next, { state, rules });
    if (dice.chance(20)) {
      // A block that is taken back leaves nothing that the next one could find.
      await chain.executor.build({ ...next, feeRecipient: `0x${'cc'.repeat(20)}` });
      await chain.executor.rewind(header.number);
    }
    if (dice.chance(20)) await chain.reopen();
    const built = await chain.executor.build(next);
    assert.deepEqual(built.dropped, oracle.dropped);
    assert.equal(built.hash, oracle.hash, `block ${number}`);
    assert.deepEqual(built.receipts, oracle.receipts);
    const created = oracle.receipts.flatMap(({ contractAddress, status }) =>
      contractAddress && status === 1 ? [contractAddress] : [],
    );
    random.learn({ dropped: oracle.dropped, created });
    header = oracle.header;
  }
});

test('a thread that ends in the middle of a block fails that block alone, and nothing of it is written', async () => {
  const { fate, start } = mortal();
  await using chain = await openChain(KEY, undefined, start);
  await chain.executor.build(input(1, [await transfer(alice, 0)]));
  const heads = chain.executor.heads();
  const next = input(2, [await transfer(alice, 1)]);
  const before = fate.started;
  fate.dooms = 1;
  await assert.rejects(chain.executor.build(next), (error) => isNectarError(error, 'ROLLUP_MACHINE_ENDED'));
  assert.deepEqual(chain.executor.heads(), heads);
  const { dropped, receipts } = await chain.executor.build(next);
  assert.equal(fate.started, before + 1);
  assert.deepEqual([dropped.length, receipts.length], [0, 1]);
});

test('a block that is not what was announced leaves nothing in the database', async () => {
  await using chain = await openChain(KEY);
  await using other = await openChain(KEY);
  await chain.executor.build(input(1));
  await other.executor.build(input(1));
  const { block } = await other.executor.build(input(2, [await transfer(alice, 0)]));
  const parts = { transactions: [...block.transactions], withdrawals: [] };
  const lie = createBlock({ header: { ...block.header, gasUsed: 1n }, ...parts }, { common: rules });
  await chain.executor.close();
  const before = await entries(chain);
  await chain.reopen();
  await assert.rejects(chain.executor.importUnsafe(lie), (error) => isNectarError(error, 'ROLLUP_BLOCK_MISMATCH'));
  await chain.executor.close();
  assert.deepEqual(await entries(chain), before);
  await chain.reopen();
  await chain.executor.importUnsafe(block);
});

test('a contract whose code is the byte 0x80 is called in later blocks and after a restart', async () => {
  await using chain = await openChain(KEY);
  const creation = '0x608060005360016000f3';
  const to = getCreateAddress({ from: addressOf(alice), nonce: 0 }).toLowerCase() as Hex;
  const { receipts } = await chain.executor.build(
    input(1, [await transfer(alice, 0, { to: null, value: 0n, data: creation })]),
  );
  assert.equal(receipts[0]?.status, 1);
  for (const nonce of [1, 2]) {
    await chain.reopen();
    const called = await chain.executor.build(
      input(nonce + 1, [await transfer(alice, nonce, { to, value: 0n, data: '0x01' })]),
    );
    // DUP1 on an empty stack: the call fails, the block does not.
    assert.deepEqual(
      called.receipts.map(({ status }) => status),
      [0],
    );
  }
});

test('state that was changed or swapped on disk is refused, never executed on', async () => {
  const swaps: [number, (value: Uint8Array) => Uint8Array][] = [
    // Every entry leads to the last group there is.
    [1, (value) => Uint8Array.of(...value.slice(0, -2), 0xff, 0xff)],
    [1, (value) => value.slice(0, -1)],
    [8, (value) => Uint8Array.of(...value.slice(0, -1), (value.at(-1) ?? 0) ^ 1)],
  ];
  for (const [kind, change] of swaps) {
    const chain = await openChain(KEY);
    await chain.executor.close();
    await damage(chain, kind, change);
    await chain.reopen();
    await assert.rejects(chain.executor.build(input(1, [await transfer(alice, 0)])), (error) =>
      isNectarError(error, 'ROLLUP_DATABASE_INVALID'),
    );
    await chain[Symbol.asyncDispose]();
  }
});

test('an entry that leads to another group is refused', async () => {
  await using chain = await openChain(KEY);
  await chain.executor.build(input(1, [await transfer(alice, 0)]));
  await chain.executor.build(input(2, [await transfer(bob, 0)]));
  await chain.executor.close();
  const places = [...(await entries(chain))].filter(([key]) => key.startsWith('0x08')).map(([key]) => key);
  const last = places.at(-1) ?? '0x';
  await damage(chain, 1, () => Buffer.from(last.slice(4), 'hex'));
  await chain.reopen();
  await assert.rejects(chain.executor.build(input(3, [await transfer(alice, 1)])), (error) =>
    isNectarError(error, 'ROLLUP_DATABASE_INVALID'),
  );
});

test('a batch is derived in a thread, from what is given; what is not given is named', async () => {
  await using chain = await openChain(KEY);
  const origin = { number: 7n, hash: `0x${'ab'.repeat(32)}` as Hex, timestamp: GENESIS.timestamp };
  const transactions = [await transfer(alice, 0)];
  const block = { timestamp: GENESIS.timestamp + 1n, l1Origin: origin, delayedMessages: 0, transactions };
  const lone = async (data: Uint8Array) => {
    const { hash } = chain.executor.heads().safe;
    const header = await chain.database.get(hash);
    return loneBatch(data, { hash, header: header ?? assert.fail(), timestamp: GENESIS.timestamp }, origin);
  };
  const { place, preimages } = await lone(encodeBatch([block]));
  const { blocks, next } = await chain.runner.deriveInputs(place, preimages);
  assert.deepEqual(
    blocks.map(({ input: made }) => [made.feeRecipient, made.transactions.map(bytesToHex)]),
    [[FEE_RECIPIENT, transactions.map(bytesToHex)]],
  );
  assert.equal(next, undefined);
  const malformed = await lone(Uint8Array.of(1, 2, 3));
  const told = await chain.runner.deriveInputs(malformed.place, malformed.preimages);
  assert.deepEqual([told.isMalformed, told.blocks], [true, []]);
  const nothing = { list: new Uint8Array(), links: new Uint8Array() };
  await assert.rejects(chain.runner.deriveInputs(place, nothing), (error) =>
    isNectarError(error, 'ROLLUP_STATE_MISSING'),
  );
  assert.equal((await chain.runner.deriveInputs(place, preimages)).blocks.length, 1, 'it goes on');
});

test('while a dear block is executed the event loop goes on', async () => {
  await using chain = await openChain(KEY);
  // JUMPDEST PUSH1 0 JUMP: all of the gas.
  const creation = '0x635b6000566000526004601cf3';
  const to = getCreateAddress({ from: addressOf(alice), nonce: 0 }).toLowerCase() as Hex;
  await chain.executor.build(input(1, [await transfer(alice, 0, { to: null, value: 0n, data: creation })]));
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  const calls = await Promise.all(
    [1, 2, 3, 4, 5].map((nonce) => transfer(alice, nonce, { to, value: 0n, data: '0x01' })),
  );
  const cpuBefore = process.threadCpuUsage();
  const { cpuMs, receipts } = await chain.executor.build(input(2, calls));
  const { user, system } = process.threadCpuUsage(cpuBefore);
  clearInterval(timer);
  assert.equal(receipts.filter(({ status }) => status === 0).length, 5);
  assert.ok(turns > 0 && cpuMs > 0, `${turns} turns, ${cpuMs} ms in the thread, ${(user + system) / 1000} ms here`);
});
