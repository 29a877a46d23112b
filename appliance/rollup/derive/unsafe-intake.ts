import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { parseUnsafeBlock, type UnsafeBlock, verifyParsedBlock } from '../../../protocol/rollup/unsafe-block.ts';
import type { DeriveStore } from './derive-store.ts';
import type { BlockRef, Engine } from './engine.ts';
import { findUnsafeFault, type UnsafeFault } from './unsafe-rules.ts';

export type Verdict = 'accept' | 'ignore' | 'reject';

/** Why a block that the sequencer signed is not taken. */
export type UnsafeRefusal = UnsafeFault | 'origin-unknown' | 'origin-replaced';

/** What the intake consumes of execution. */
export interface UnsafeEngine extends Pick<Engine, 'heads' | 'record' | 'putRecords' | 'hashOf'> {
  importUnsafe(block: UnsafeBlock['block']): Promise<BlockRef>;
  /** RLP of a block of the own chain. */
  encodedBlock(hash: Hex): Promise<Uint8Array | undefined>;
}

/** Takes the sequencer's announcements, and hands those of the own chain on to peers that missed them. */
export interface UnsafeIntake {
  /** A gossip verdict: `reject` only what no honest peer forwards, for the sender is scored on it. */
  accept(envelope: Uint8Array): Promise<Verdict>;
  /** Keeps the signature of a block of the own chain, so that `range` can serve it. */
  remember(hash: Hex, envelope: Uint8Array): Promise<void>;
  /** Envelopes of consecutive blocks from `from`, up to the first that came from L1 only. */
  range(from: bigint, limit: number): Promise<Uint8Array[]>;
}

export interface UnsafeIntakeOptions {
  readonly chainId: bigint;
  /** Address of the key that signs unsafe blocks. */
  readonly sequencer: Hex;
  readonly rules: Rules;
}

export interface UnsafeIntakeDeps {
  readonly engine: UnsafeEngine;
  readonly store: DeriveStore;
  /** The block stands on an L1 block that this node has not seen, or saw replaced: look at L1 again, and return once it is done. */
  readonly lookAtL1: () => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onRefused?: (refusal: UnsafeRefusal) => void;
}

/** Version and signature: everything of an envelope before the block. */
const HEAD_BYTES = 66;
/** More than this waiting means that the node is behind: it catches up by range. */
const MAX_WAITING = 64;
const MAX_RANGE_BLOCKS = 256;
const MAX_RANGE_BYTES = 4 << 20;

export function createUnsafeIntake(options: UnsafeIntakeOptions, deps: UnsafeIntakeDeps): UnsafeIntake {
  const { engine, store } = deps;
  // One after another: a block that comes while its parent still executes would look detached.
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  /** What decides before any execution; undefined when the block is worth it. */
  async function judge({ block, l1Origin }: UnsafeBlock): Promise<Verdict | undefined> {
    const { unsafe } = engine.heads();
    const { number, timestamp, parentHash } = block.header;
    if (number !== unsafe.number + 1n || hexOf(parentHash) !== unsafe.hash) return 'ignore';
    const { number: known } = await store.cursor();
    if (l1Origin.number <= known && (await store.find(l1Origin.number)) === undefined) return 'reject';
    // Its signature alone moves nothing: the origin must be an L1 block that this node has derived from itself.
    if ((await store.find(l1Origin.number))?.hash !== l1Origin.hash) await deps.lookAtL1();
    const origin = await store.find(l1Origin.number);
    if (origin === undefined) return refuse('origin-unknown');
    if (origin.hash !== l1Origin.hash) return refuse('origin-replaced');
    const l1Head = await store.cursor();
    const now = BigInt(Math.floor(deps.now() / 1000));
    const fault = findUnsafeFault(timestamp, { now, parent: unsafe, origin, l1Head });
    return fault && refuse(fault);
  }

  /** Only what is wrong by anybody's clock and L1 counts against the peer that forwarded it. */
  function refuse(refusal: UnsafeRefusal): Verdict {
    deps.onRefused?.(refusal);
    return refusal === 'time' ? 'reject' : 'ignore';
  }

  async function remember(hash: Hex, envelope: Uint8Array): Promise<void> {
    await engine.putRecords(new Map([[signatureKey(hash), envelope.slice(0, HEAD_BYTES)]]));
  }

  async function acceptNext(envelope: Uint8Array): Promise<Verdict> {
    try {
      const { unsafe } = engine.heads();
      // Looked at before the signature, which costs more: most gossip is a repetition.
      const parsed = parseUnsafeBlock(envelope, options.rules);
      const { block, hash } = parsed;
      if (block.header.number <= unsafe.number) return 'ignore';
      const verdict = await judge(await verifyParsedBlock(parsed, options));
      if (verdict !== undefined) return verdict;
      await engine.importUnsafe(block);
      await remember(hash, envelope);
      return 'accept';
    } catch (error) {
      return verdictOf(error);
    }
  }

  return {
    remember,
    accept(envelope) {
      if (waiting >= MAX_WAITING) return Promise.resolve('ignore');
      waiting += 1;
      const verdict = last
        .then(() => acceptNext(envelope))
        .finally(() => {
          waiting -= 1;
        });
      last = verdict;
      return verdict;
    },
    async range(from, limit) {
      const envelopes: Uint8Array[] = [];
      let size = 0;
      for (let number = from; envelopes.length < Math.min(limit, MAX_RANGE_BLOCKS); number += 1n) {
        const hash = await engine.hashOf(number);
        const head = hash && (await engine.record(signatureKey(hash)));
        const block = hash && head && (await engine.encodedBlock(hash));
        if (!head || !block) break;
        size += head.length + block.length;
        if (size > MAX_RANGE_BYTES && envelopes.length > 0) break;
        envelopes.push(Buffer.concat([head, block]));
      }
      return envelopes;
    },
  };
}

/** A block that the sequencer signed but that does not execute to itself is nobody's honest mistake; a full disk is ours. */
function verdictOf(error: unknown): Verdict {
  if (isNectarError(error, 'ROLLUP_BLOCK_DETACHED')) return 'ignore';
  const faulty = ['ROLLUP_UNSAFE_BLOCK_INVALID', 'ROLLUP_BLOCK_MISMATCH', 'ROLLUP_BLOCK_INPUT_INVALID'];
  return error instanceof NectarError && faulty.includes(error.code) ? 'reject' : 'ignore';
}

function signatureKey(hash: Hex): string {
  return `unsafe/signature/${hash}`;
}

function hexOf(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}
