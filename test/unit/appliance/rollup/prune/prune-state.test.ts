import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import type { PruneDeps } from '../../../../../appliance/rollup/prune/prune-state.ts';
import { pruneState, readPruneRecord } from '../../../../../appliance/rollup/prune/prune-state.ts';
import { walkState } from '../../../../../appliance/rollup/snapshot/state-walk.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../../../protocol/errors.ts';
import { nextBaseFee } from '../../../../../protocol/rollup/block-input.ts';
import { bytesToHex } from '../../../../../protocol/rollup/bytes.ts';
import { createMemoryState } from '../../../../oracle/state-by-hash.ts';
import { transition } from '../../../../oracle/transition.ts';
import { createDice, createRandomChain } from '../../../machine/random-blocks.ts';
import { input, openChain, rules, type TestChain } from '../execute/chain-fixture.ts';

const SMALL = { moveBytes: 2_048, dropGroups: 2 };

/** Random blocks whose every hash is that of the TypeScript transition, which keeps all state in memory. */
function grow(chain: TestChain, seed: number) {
  const state = createMemoryState({ get: async (hash: Hex) => chain.genesis.preimages.get(hash) });
  const random = createRandomChain(createDice(seed));
  let { header } = chain.genesis;
  return async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      const next = random.next(nextBaseFee(header));
      const oracle = await transition(header, next, { state, rules });
      const built = await chain.executor.build(next);
      assert.equal(built.hash, oracle.hash, `block ${built.header.number}`);
      const created = oracle.receipts.flatMap(({ contractAddress, status }) =>
        contractAddress && status === 1 ? [contractAddress] : [],
      );
      random.learn({ dropped: oracle.dropped, created });
      header = oracle.header;
    }
  };
}

/** Reads all state of a block. Throws ROLLUP_STATE_MISSING. */
async function readState({ database }: TestChain, number: bigint): Promise<number> {
  const hash = await database.canonicalHash(number);
  const block = hash && (await database.block(hash));
  assert.ok(block, `block ${number}`);
  let parts = 0;
  await walkState(bytesToHex(block.header.stateRoot), async (part) => {
    const bytes = await database.get(part);
    if (bytes === undefined) throw new NectarError('ROLLUP_STATE_MISSING', { hash: part });
    parts += 1;
    return bytes;
  });
  return parts;
}

async function assertPruned(chain: TestChain, floor: bigint): Promise<void> {
  const head = chain.executor.heads().unsafe.number;
  for (let number = floor; number <= head; number += 1n) assert.ok((await readState(chain, number)) > 0);
  const isMissing = (error: unknown) => isNectarError(error, 'ROLLUP_STATE_MISSING');
  await assert.rejects(readState(chain, floor - 1n), isMissing);
  assert.deepEqual((await readPruneRecord(chain.executor)).run, undefined);
  // The EVM reads the headers of 256 blocks back.
  for (let number = 0n; number <= head; number += 1n) {
    const hash = await chain.database.canonicalHash(number);
    assert.ok(hash && (await chain.database.get(hash)), `header ${number}`);
  }
}

function depsOf({ database, executor }: TestChain, more: Partial<PruneDeps> = {}): PruneDeps {
  return { database, executor, rest: async () => undefined, onFloor: () => undefined, step: SMALL, ...more };
}

/** How many groups of preimages a closed database has, and how many entries that lead to one. */
async function count(path: string): Promise<{ groups: number; entries: number }> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(path, { keyEncoding: 'view', valueEncoding: 'view' });
  let [groups, entries] = [0, 0];
  for await (const key of level.keys()) {
    if (key[0] === 8) groups += 1;
    if (key[0] === 1) entries += 1;
  }
  await level.close();
  return { groups, entries };
}

test('state of final blocks and after stays whole, what only older blocks had is gone, and the chain goes on', async () => {
  await using chain = await openChain();
  const more = grow(chain, 11);
  await more(24);
  await chain.executor.close();
  const before = await count(chain.path);
  await chain.reopen();
  for (const target of [12n, 20n]) {
    await pruneState(target, depsOf(chain));
    await assertPruned(chain, target);
    await more(4);
  }
  await chain.executor.close();
  const after = await count(chain.path);
  assert.ok(after.entries < before.entries, `${after.entries} of ${before.entries} entries`);
  assert.ok(after.groups < before.groups, `${after.groups} of ${before.groups} groups`);
  await chain.reopen();
  await more(4);
  await assertPruned(chain, 20n);
});

test('blocks that are made while state is moved and removed keep all that is theirs', async () => {
  await using chain = await openChain();
  const more = grow(chain, 23);
  await more(16);
  let steps = 0;
  for (const target of [10n, 18n]) {
    await pruneState(target, depsOf(chain, { rest: async () => void (steps++ % 3 === 0 && (await more(1))) }));
    await more(2);
    await assertPruned(chain, target);
  }
});

test('broken off anywhere, it is finished by the next run, whatever that one is asked for', async () => {
  await using chain = await openChain();
  const more = grow(chain, 5);
  await more(14);
  const broken = new Error('the node is killed');
  let finished = false;
  for (let steps = 1; !finished; steps += 1) {
    let left = steps;
    const rest = async (): Promise<void> => {
      left -= 1;
      if (left < 0) throw broken;
    };
    const { floor } = await readPruneRecord(chain.executor);
    const target = floor === 0n ? 6n : floor;
    finished = await pruneState(target, depsOf(chain, { rest })).then(
      () => true,
      (error) => {
        assert.equal(error, broken);
        return false;
      },
    );
    await chain.executor.close();
    await chain.reopen();
    for (let number = 6n; number <= chain.executor.heads().unsafe.number; number += 1n) await readState(chain, number);
  }
  await more(2);
  await assertPruned(chain, 6n);
});

test('a part that a block makes again while it is on its way to another place keeps the place of that block', async () => {
  await using chain = await openChain();
  await grow(chain, 7)(3);
  const { database } = chain;
  const hash = await database.canonicalHash(2n);
  const root = bytesToHex((hash && (await database.block(hash)))?.header.stateRoot ?? new Uint8Array());
  const bytes = await database.get(root);
  assert.ok(bytes);
  const run = { target: 3n, generation: 1 };
  assert.equal(await database.places.ageOf(root, run), 'old');
  const again = {
    hash: `0x${'99'.repeat(32)}`,
    number: 4n,
    blockBytes: new Uint8Array(),
    receiptBytes: new Uint8Array(),
  } as const;
  await database.apply({ block: { ...again, transactionHashes: [], preimages: new Map([[root, bytes]]) } });
  await database.places.move(new Map([[root, bytes]]), run);
  assert.equal(await database.places.ageOf(root, run), 'newer');
});

test('the floor is told before anything goes', async () => {
  await using chain = await openChain();
  await grow(chain, 3)(8);
  const told: bigint[] = [];
  await pruneState(5n, {
    ...depsOf(chain),
    onFloor: (floor) => told.push(floor),
    async rest() {
      const isWhole = await readState(chain, 4n).then(
        () => true,
        () => false,
      );
      assert.ok(isWhole || told.length > 0);
    },
  });
  assert.deepEqual(told, [5n]);
});

/** Hashes of all that a block's state is made of. */
async function partsOf({ database }: TestChain, number: bigint): Promise<Set<Hex>> {
  const hash = await database.canonicalHash(number);
  const block = hash && (await database.block(hash));
  assert.ok(block);
  const parts = new Set<Hex>();
  await walkState(bytesToHex(block.header.stateRoot), async (part) => {
    parts.add(part);
    return (await database.get(part)) ?? assert.fail(`${part} is missing`);
  });
  return parts;
}

test('an idle chain takes what its newest state takes and no more, however long it goes on', async () => {
  await using chain = await openChain();
  for (const head of [12n, 30n]) {
    for (let number = chain.executor.heads().unsafe.number; number < head; number += 1n)
      await chain.executor.build(input(2 * Number(number + 1n)));
    await pruneState(head, depsOf(chain, { step: { moveBytes: 1 << 20, dropGroups: 64 } }));
    const kept = (await partsOf(chain, head)).size;
    await chain.executor.close();
    const { entries, groups } = await count(chain.path);
    await chain.reopen();
    // With the header of each block: the EVM reads them 256 blocks back.
    assert.equal(entries, kept + Number(head) + 1);
    assert.ok(groups < entries);
  }
});
