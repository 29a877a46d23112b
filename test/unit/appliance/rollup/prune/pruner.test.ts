import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPruner, type PrunerDeps } from '../../../../../appliance/rollup/prune/pruner.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import { alice, input, openChain, type TestChain, transfer } from '../execute/chain-fixture.ts';

const HOUR_SECONDS = 3_600;
const HEAD = 10;

/** A final chain with a block an hour. */
async function openFinalChain(): Promise<TestChain> {
  const chain = await openChain();
  for (let hour = 0; hour < HEAD; hour += 1)
    await chain.executor.appendSafe(input((hour + 1) * HOUR_SECONDS, [await transfer(alice, hour)]));
  await chain.executor.setHeads({ finalized: BigInt(HEAD) });
  return chain;
}

/** Runs until the pruner has looked once and has nothing left to do. */
async function look(chain: TestChain, stateHistoryHours: number, more: Partial<PrunerDeps> = {}) {
  const stopped = new AbortController();
  const prepared: bigint[] = [];
  const looked = Promise.withResolvers<void>();
  const { database, executor } = chain;
  const pruner = createPruner(
    { stateHistoryHours },
    {
      database: {
        ...database,
        places: {
          ...database.places,
          async compact() {
            await database.places.compact();
            looked.resolve();
          },
        },
      },
      executor,
      confirmed: () => BigInt(HEAD),
      historyFrom: async () => 0n,
      prepare: async (block) => void prepared.push(block),
      onFloor: () => undefined,
      log: createLogger({ level: 'silent' }),
      ...more,
    },
  );
  await pruner.open();
  const before = pruner.stateFrom();
  const running = pruner.run(stopped.signal);
  return {
    before,
    prepared,
    pruner,
    looked: looked.promise,
    async stop(): Promise<void> {
      stopped.abort();
      await running;
    },
  };
}

test('by itself, state older than the window goes; what must be remembered of it is read first, and the floor is known after a restart', async () => {
  await using chain = await openFinalChain();
  const first = await look(chain, 4);
  await first.looked;
  await first.stop();
  assert.equal(first.before, 0n);
  assert.deepEqual(first.prepared, [6n]);
  assert.equal(first.pruner.stateFrom(), 6n);
  await chain.reopen();
  const again = await look(chain, 4);
  await again.stop();
  assert.deepEqual([again.before, again.prepared], [6n, []]);
});

test('nothing goes after the confirmed block, and nothing at all where nothing is confirmed or everything is kept', async () => {
  await using chain = await openFinalChain();
  for (const [hours, confirmed] of [
    [4, undefined],
    [0, 10n],
  ] as const) {
    const { pruner, prepared, stop } = await look(chain, hours, { confirmed: () => confirmed });
    await chain.executor.whileStill(async () => undefined);
    await stop();
    assert.deepEqual([pruner.stateFrom(), prepared], [0n, []]);
  }
  const bounded = await look(chain, 4, { confirmed: () => 3n });
  await bounded.looked;
  await bounded.stop();
  assert.equal(bounded.pruner.stateFrom(), 3n);
});

test('a look that failed is made again', async () => {
  await using chain = await openFinalChain();
  const failed = await look(chain, 4, { prepare: async () => Promise.reject(new Error('not now')) });
  await failed.stop();
  assert.equal(failed.pruner.stateFrom(), 0n);
  const finished = await look(chain, 4);
  await finished.looked;
  await finished.stop();
  assert.equal(finished.pruner.stateFrom(), 6n);
});
