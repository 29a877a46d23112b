import { setTimeout as delay } from 'node:timers/promises';
import { keccak256 } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { BatchBlock } from '../../../protocol/rollup/batch.ts';
import type { SignedTransaction } from '../../../protocol/rollup/transaction.ts';
import type { Readiness, Service } from '../../service.ts';
import type { Logger } from '../../telemetry/index.ts';
import { type PendingTransactions, settledNonce } from '../rpc/pending-transactions.ts';
import { createBlockBudget } from './block-budget.ts';
import { type BuiltBlock, buildAround, type Eviction } from './build-block.ts';
import { createLostTransactions, type Loss } from './lost-transactions.ts';
import type { SequencerMetrics } from './metrics.ts';
import { createTxpool, type PoolChain, type Txpool } from './txpool.ts';

/** What the sequencer consumes of the node that it runs on. */
export interface SequencerChain extends PoolChain {
  /** False while an unsafe block may stand on an L1 block that is gone: nothing is built on it. */
  settled(): boolean;
  /** Whether there is any block beside the genesis. */
  hasBlocks(): boolean;
  /** What the next block may and should hold, by the rules of derivation; undefined while L1 is behind the head. */
  proposeBlock(nowS: bigint): Promise<Proposal | undefined>;
  /**
   * Executes on the unsafe head, commits, signs and publishes. A block is signed after it is on disk and synced, so a crash
   * cannot make two blocks of one height; only L1 itself takes a signed block back.
   */
  produce(input: BatchBlock): Promise<Produced>;
  /** Transactions of own blocks that L1 took back since the last time. */
  takeDiscarded(): Promise<readonly Uint8Array[]>;
}

/** The inputs that L1 decides; the transactions are the sequencer's. */
export type Proposal = Omit<BatchBlock, 'transactions'>;

export interface Produced {
  readonly number: bigint;
  readonly included: readonly Hex[];
  /** Left out and never to be tried again. */
  readonly refused: readonly Loss[];
  /** CPU that executing it took, in milliseconds. */
  readonly cpuMs: number;
}

export interface SequencerOptions {
  /** Shortest time between two blocks. */
  readonly blockIntervalMs: number;
  /** A block at least this often even when there is nothing to put in, so that time moves on L2; 0 = never. */
  readonly heartbeatMs: number;
  /** CPU that executing one block may take, in milliseconds: blocks hold less gas while they take more. */
  readonly maxBlockCpuMs: number;
  /** After a start, the longest wait for a peer that tells which blocks were signed before. */
  readonly peerWaitMs: number;
  readonly maxPoolTransactions: number;
  readonly maxPoolBytes: number;
  readonly maxPoolPerAccount: number;
  readonly maxPoolAgeMs: number;
}

export interface Sequencer extends Service {
  /** Takes a raw transaction; resolves with its hash. Throws ROLLUP_SEQUENCER_REFUSED, ROLLUP_SEQUENCER_FULL. */
  submit(raw: Uint8Array): Promise<Hex>;
  pendingNonce(address: Hex): Promise<bigint>;
  /** Why a transaction that was taken will be in no block; undefined when nothing is known of it. */
  whyLost(hash: Hex): Promise<string | undefined>;
  /** The pool, as the node's own JSON-RPC shows it. */
  readonly pool: PendingTransactions & Pick<Txpool, 'size'>;
}

/** Bytes of transactions in one block: a block alone always fits into a batch (SequencerInbox.MAX_BATCH_BYTES = 110,000). */
const MAX_BLOCK_TRANSACTION_BYTES = 96_000;

const ERROR_PAUSE_MS = 1_000;
const MAX_LOST_KEPT = 4_096;

export interface SequencerDeps {
  readonly chain: SequencerChain;
  readonly log: Logger;
  readonly now: () => number;
  readonly metrics?: SequencerMetrics;
  /** Takes from peers the blocks after the own head; resolves with how many peers answered. Absent: there is no network. */
  readonly askPeers?: (signal: AbortSignal) => Promise<number>;
}

export function createSequencer(options: SequencerOptions, deps: SequencerDeps): Sequencer {
  const { chain, log, now, metrics } = deps;
  const pool = createTxpool(
    {
      maxTransactions: options.maxPoolTransactions,
      maxBytes: options.maxPoolBytes,
      maxPerAccount: options.maxPoolPerAccount,
      maxTransactionBytes: MAX_BLOCK_TRANSACTION_BYTES,
      maxAgeMs: options.maxPoolAgeMs,
    },
    { chain, now },
  );
  const lost = createLostTransactions(MAX_LOST_KEPT);
  let running: Promise<void> | undefined;
  /** Undefined until the first block: one that starts says at once that it lives. */
  let lastBlockAt: number | undefined;
  let isClear = false;
  let waitingSince: number | undefined;

  /**
   * No height is signed twice, also not by a home that was put back to an older state: L1 tells what it has, and a peer what
   * it was told and L1 does not have yet. A chain without any block has nothing to ask for.
   */
  async function clear(signal: AbortSignal): Promise<boolean> {
    if (isClear || !chain.settled()) return isClear;
    waitingSince ??= now();
    const { askPeers } = deps;
    if (askPeers === undefined || !chain.hasBlocks() || (await askPeers(signal)) > 0) isClear = true;
    else if (now() - waitingSince >= options.peerWaitMs) {
      isClear = true;
      log.warn(
        { waitedMs: now() - waitingSince },
        'no peer told which blocks were signed before; going on from the own and those of L1',
      );
    }
    return isClear;
  }

  /** They are as good as new; what cannot run any more, the pool refuses. */
  async function recallDiscarded(): Promise<void> {
    for (const raw of await chain.takeDiscarded()) {
      await pool.add(raw).catch(() => log.debug({}, 'transaction of a discarded block refused'));
    }
  }

  let blockBudget: ReturnType<typeof createBlockBudget> | undefined;
  const budget = () =>
    (blockBudget ??= createBlockBudget({ gasLimit: chain.gasLimit(), maxCpuMs: options.maxBlockCpuMs }));

  function lose(losses: readonly Loss[]): void {
    lost.add(losses);
    for (const { hash, reason } of losses) {
      metrics?.lost.inc({ reason });
      log.info({ hash, reason }, 'transaction will be in no block');
    }
    pool.remove(losses.map(({ hash }) => hash));
  }

  function evict({ transaction: { hash }, cause }: Eviction): void {
    log.error({ err: cause, hash }, 'transaction evicted: no block could be built with it');
    lose([{ hash, reason: 'evicted' }]);
  }

  /** The proposal is made anew: an attempt before this one may have built a block. */
  async function produce(transactions: readonly SignedTransaction[]): Promise<BuiltBlock | undefined> {
    const proposal = await chain.proposeBlock(BigInt(Math.floor(now() / 1000)));
    if (proposal === undefined) return undefined;
    const block = await chain.produce({ ...proposal, transactions: transactions.map(({ raw }) => raw) });
    const gas = transactions.reduce((sum, { tx }) => sum + tx.gasLimit, 0n);
    const { cpuMs } = block;
    budget().spent(cpuMs, gas);
    metrics?.blockCpu.observe(cpuMs / 1000);
    metrics?.blockGasBudget.set(Number(budget().gas()));
    pool.remove(block.included);
    lose(block.refused);
    return block;
  }

  async function buildOne(signal: AbortSignal): Promise<void> {
    if (!(await clear(signal))) return;
    const proposal = chain.settled() ? await chain.proposeBlock(BigInt(Math.floor(now() / 1000))) : undefined;
    if (proposal === undefined) return;
    await recallDiscarded();
    const picked = await pool.pick({ gas: budget().gas(), bytes: MAX_BLOCK_TRANSACTION_BYTES });
    const due = options.heartbeatMs > 0 && now() - (lastBlockAt ?? 0) >= options.heartbeatMs;
    if (picked.length === 0 && proposal.delayedMessages === 0 && !due) return;
    const block = await buildAround({ produce }, picked, evict);
    if (block === undefined) return;
    lastBlockAt = now();
    lose(await pool.prune());
    log.debug({ number: block.number, transactions: block.included.length }, 'block built');
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let pauseMs = options.blockIntervalMs;
      try {
        await buildOne(signal);
      } catch (error) {
        if (signal.aborted) return;
        log.error({ err: error }, 'block not built');
        pauseMs = ERROR_PAUSE_MS;
      }
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  let stopping = new AbortController();
  return {
    name: 'sequencer',
    async start(signal) {
      stopping = new AbortController();
      running = run(AbortSignal.any([signal, stopping.signal]));
    },
    async stop() {
      stopping.abort();
      await running;
    },
    readiness(): Readiness {
      if (!chain.settled()) return { ready: false, reason: 'waiting for L1 to settle the unsafe chain' };
      return isClear ? { ready: true } : { ready: false, reason: 'asking peers which blocks were signed before' };
    },
    async submit(raw) {
      const hash = keccak256(raw) as Hex;
      // It would stop the next block as well.
      if (lost.reasonOf(hash) === 'evicted') {
        throw new NectarError('ROLLUP_SEQUENCER_REFUSED', { reason: 'no block could be built with this transaction' });
      }
      return pool.add(raw);
    },
    // What was taken again waits, whatever was said of it before.
    whyLost: async (hash) => (pool.find(hash) === undefined ? lost.reasonOf(hash) : undefined),
    pendingNonce: (address) =>
      settledNonce(
        async () => (await chain.account(address)).nonce,
        (nonce) => pool.nextNonce(address, nonce),
      ),
    pool,
  };
}
