import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ZeroHash } from 'ethers';
import fc from 'fast-check';
import { createDeriveStore, type L1Record } from '../../../../../appliance/rollup/derive/derive-store.ts';
import type { Engine } from '../../../../../appliance/rollup/derive/engine.ts';
import { createL1Steps } from '../../../../../appliance/rollup/derive/l1-steps.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { rollupSeverity } from '../../../../../protocol/errors.ts';
import { type BatchBlock, encodeBatch } from '../../../../../protocol/rollup/batch.ts';
import { type ChainDouble, Crash, createChainDouble, GENESIS } from './chain-double.ts';
import { createInlineDeriver } from './inline-deriver.ts';
import { createL1Double, type L1Double } from './l1-double.ts';

const { deriveInputs } = createInlineDeriver();
const signal = new AbortController().signal;
const zero = ZeroHash as Hex;

function genesisOf(l1: L1Double): L1Record {
  const { number, hash, timestamp } = l1.tip();
  const safe = { ...GENESIS, originNumber: number, messagesRead: 0n };
  return { number, hash, timestamp, batchCount: 0n, batchAcc: zero, messageCount: 0n, messagesAllowed: 0n, safe };
}

function stepsOf(l1: L1Double, engine: Engine, genesis: L1Record) {
  const store = createDeriveStore(engine, genesis);
  return { store, steps: createL1Steps({ l1, engine, store, genesis, deriveInputs }) };
}

/** What the driver does, until L1's head is reached; a crash makes a new process on the same database. */
async function catchUp(l1: L1Double, engine: Engine, genesis: L1Record): Promise<void> {
  for (let attempts = 0; attempts < 50; attempts += 1) {
    const { steps } = stepsOf(l1, engine, genesis);
    try {
      await steps.verify(signal);
      if (await steps.advance({ checkUnsafe: true, onDerived: () => {} }, signal)) return;
      // An unsafe block stands on an L1 block past the present head: only time tells.
      l1.mine({ deposits: 0, batches: [] });
    } catch (error) {
      if (error instanceof Crash) continue;
      if (rollupSeverity(error) !== 'reset') throw error;
      await steps.reset(signal).catch((failure) => assert.ok(failure instanceof Crash));
    }
  }
  assert.fail('derivation does not settle');
}

/** A batch of `count` blocks on what L1 says now, as an honest sequencer with no memory would make it. */
function batchOn(l1: L1Double, parent: { timestamp: bigint; messagesRead: bigint }, count: number): BatchBlock[] {
  const { number, hash, timestamp } = l1.tip();
  return Array.from({ length: count }, (_, index) => ({
    timestamp: timestamp + BigInt(index),
    l1Origin: { number, hash },
    delayedMessages: index === 0 ? l1.messageCount() - Number(parent.messagesRead) : 0,
    transactions: [Uint8Array.of(index, 7, 7)],
  }));
}

async function deliver(
  l1: L1Double,
  engine: ChainDouble,
  genesis: L1Record,
  count: number,
  deposits: number,
): Promise<void> {
  await catchUp(l1, engine, genesis);
  const { safe } = await stepsOf(l1, engine, genesis).store.cursor();
  const data = encodeBatch(batchOn(l1, safe, count));
  l1.mine({ deposits, batches: [{ data, delayedCount: BigInt(l1.messageCount()) }] });
}

const step = fc.oneof(
  fc.record({
    kind: fc.constant('deliver' as const),
    count: fc.integer({ min: 1, max: 4 }),
    deposits: fc.integer({ min: 0, max: 2 }),
  }),
  fc.record({ kind: fc.constant('empty' as const), deposits: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ kind: fc.constant('malformed' as const), data: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ kind: fc.constant('revert' as const), blocks: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ kind: fc.constant('announce' as const), drift: fc.bigInt({ min: 0n, max: 20n }) }),
  fc.record({ kind: fc.constant('crash' as const), writes: fc.integer({ min: 0, max: 6 }) }),
);

test('whatever L1 takes back and wherever the process dies, the safe chain is what a new node derives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (plan) => {
      const l1 = createL1Double();
      const genesis = genesisOf(l1);
      const engine = createChainDouble();
      l1.mine({ deposits: 0, batches: [] });
      for (const action of plan) {
        if (action.kind === 'deliver') await deliver(l1, engine, genesis, action.count, action.deposits);
        if (action.kind === 'empty') l1.mine({ deposits: action.deposits, batches: [] });
        if (action.kind === 'malformed') {
          l1.mine({ deposits: 0, batches: [{ data: action.data, delayedCount: l1.tip().allowed }] });
        }
        if (action.kind === 'revert') l1.revert(Math.min(action.blocks, Number(l1.tip().number - genesis.number) - 1));
        if (action.kind === 'announce') {
          const { number, hash, timestamp } = l1.tip();
          const input = { timestamp: timestamp + action.drift, l1Origin: { number, hash }, delayedMessages: 0 };
          engine.announce({ ...input, transactions: [], deposits: [] });
        }
        if (action.kind === 'crash') engine.crashAfter(action.writes);
      }
      engine.crashAfter(Number.POSITIVE_INFINITY);
      l1.mine({ deposits: 0, batches: [] });
      await catchUp(l1, engine, genesis);

      const fresh = createChainDouble();
      await catchUp(l1, fresh, genesis);
      const safe = Number(fresh.heads().safe.number);
      assert.equal(engine.heads().safe.hash, fresh.heads().safe.hash);
      assert.deepEqual(engine.chain().slice(0, safe + 1), fresh.chain().slice(0, safe + 1));
      const cursors = [stepsOf(l1, engine, genesis), stepsOf(l1, fresh, genesis)].map(({ store }) => store.cursor());
      assert.deepEqual(await cursors[0], await cursors[1]);
    }),
    { numRuns: 150 },
  );
});

test('the finalized head follows the safe head of the finalized L1 block', async () => {
  const l1 = createL1Double();
  const genesis = genesisOf(l1);
  const engine = createChainDouble();
  l1.mine({ deposits: 0, batches: [] });
  await deliver(l1, engine, genesis, 2, 0);
  await catchUp(l1, engine, genesis);
  assert.equal(engine.heads().safe.number, 2n);
  assert.equal(engine.heads().finalized.number, 0n);
  for (let i = 0; i < l1.finalLag; i += 1) l1.mine({ deposits: 0, batches: [] });
  await catchUp(l1, engine, genesis);
  assert.equal(engine.heads().finalized.number, 2n);
});

test('between two L1 blocks nobody asks what is final', async () => {
  const l1 = createL1Double();
  const asked: string[] = [];
  const view: L1Double = {
    ...l1,
    headerByTag: (tag, signal) => {
      asked.push(tag);
      return l1.headerByTag(tag, signal);
    },
  };
  const { steps } = stepsOf(view, createChainDouble(), genesisOf(l1));
  const options = { checkUnsafe: false, onDerived: () => undefined };
  await steps.verify(signal);
  for (let look = 0; look < 3; look += 1) await steps.advance(options, signal);
  l1.mine({ deposits: 0, batches: [] });
  await steps.advance(options, signal);
  assert.deepEqual(asked, ['latest', 'finalized', 'latest', 'latest', 'latest', 'finalized']);
});

test('an L1 that is another chain is told from one that is only short', async () => {
  const l1 = createL1Double();
  const { steps } = stepsOf(l1, createChainDouble(), { ...genesisOf(l1), hash: `0x${'ab'.repeat(32)}` });
  await assert.rejects(steps.verify(signal), { code: 'ROLLUP_L1_CHAIN_MISMATCH' });
  const short = stepsOf(l1, createChainDouble(), { ...genesisOf(l1), number: 10_000n });
  await assert.rejects(short.steps.verify(signal), { code: 'ROLLUP_L1_RESPONSE_INVALID' });
});
