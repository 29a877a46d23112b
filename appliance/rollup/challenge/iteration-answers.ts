import type { Block } from '@ethereumjs/block';
import type { ListedPreimage } from '../../../machine/host/given-preimages.ts';
import type { Hex } from '../../../protocol/brand.ts';
import type { GlobalState } from '../../../protocol/dispute/global-state.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { parseOrigin } from '../../../protocol/rollup/block-input.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { BatchArchive, DerivedBatch } from '../blobs/batch-archive.ts';
import { MAX_ORIGIN_AGE } from '../derive/batch-rules.ts';
import type { DeriveStore, OriginRecord } from '../derive/derive-store.ts';
import { batchWords } from '../derive/inbox-tracker.ts';
import { invalid, parseFields } from '../l1/field.ts';
import { encodeHeader, parseHeader } from '../l1/header.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';

export interface IterationAnswersOptions {
  /** Number of the last L1 block before the contracts: the origin of block 0, which names none. */
  readonly deployedAt: bigint;
}

export interface IterationAnswersDeps {
  readonly archive: Pick<BatchArchive, 'batch' | 'find'>;
  readonly store: Pick<DeriveStore, 'getMessage'> & {
    find(number: bigint): Promise<OriginRecord | undefined>;
  };
  readonly blockOf: (hash: Hex) => Promise<Pick<Block, 'header'> | undefined>;
  readonly l1Rpc: JsonRpc;
  /** SequencerInbox.accumulator of a batch. */
  readonly accumulatorOf: (batch: bigint) => Promise<Hex>;
}

const ZERO: Hex = `0x${'00'.repeat(32)}`;
/** Headers asked for at once. */
const HEADER_WINDOW = 16;
const LOOK_TIMEOUT_MS = 60_000;

/**
 * What the machine may ask of L1 in the iteration that begins at a state, L2's own headers, state and code apart: the batch, Inbox's
 * accumulators back to what the head has read with their messages, and L1's headers back to the head's origin, a day at most, whole:
 * L1 judges what is shown by its hash. What of it is false opens nothing in the machine.
 */
export function createIterationAnswers(
  { deployedAt }: IterationAnswersOptions,
  deps: IterationAnswersDeps,
): (state: GlobalState) => Promise<readonly ListedPreimage[]> {
  const { archive, store, blockOf } = deps;
  return async (state) => {
    const { batch: sequenceNumber, offset, blockHash } = state;
    const [batch, head] = [await archive.batch(sequenceNumber), await blockOf(blockHash)];
    const taken = batch && (await store.find(batch.l1.number));
    const before = batch && (await store.find(batch.l1.number - 1n));
    if (batch === undefined || head === undefined || taken === undefined || before === undefined)
      throw new NectarError('DISPUTE_STATE_MISSING', { batch: sequenceNumber, offset });
    const origin = parseOrigin(head.header);
    const delayedAcc = batch.delayedCount === 0n ? ZERO : (await store.getMessage(batch.delayedCount - 1n)).accumulator;
    const words = batchWords(
      {
        kind: 'batch',
        sequenceNumber,
        beforeAcc: sequenceNumber === 0n ? ZERO : await deps.accumulatorOf(sequenceNumber - 1n),
        dataHash: batch.dataHash,
        delayedCount: batch.delayedCount,
        source: batch.source,
      },
      delayedAcc,
      { number: taken.number, timestamp: taken.timestamp, parentHash: before.hash },
    );
    const oldest = laterOf(deployedAt, taken.number - MAX_ORIGIN_AGE);
    return [
      { kind: 'accumulator', hash: hexToBytes(await deps.accumulatorOf(sequenceNumber)), bytes: hexToBytes(words) },
      ...(await contentOf(archive, batch, offset)),
      ...(await messagesOf(store, origin.delayedMessages, batch.delayedCount)),
      ...(await headersOf(deps, { from: laterOf(origin.number, oldest), to: before.number })),
    ];
  };
}

async function contentOf(
  archive: Pick<BatchArchive, 'find'>,
  { dataHash, source, sequenceNumber }: DerivedBatch,
  offset: bigint,
): Promise<ListedPreimage[]> {
  const hash = hexToBytes(dataHash);
  if (source === 'forced') return [{ kind: 'data', hash, bytes: new Uint8Array() }];
  const data = await archive.find(dataHash);
  if (data === undefined) throw new NectarError('DISPUTE_STATE_MISSING', { batch: sequenceNumber, offset });
  if (data.source === 'calldata') return [{ kind: 'data', hash, bytes: data.bytes }];
  const hashes = data.versionedHashes.map(hexToBytes);
  const blobs = data.blobs.map((bytes, i): ListedPreimage => ({ kind: 'blob', hash: hashes[i] ?? hash, bytes }));
  return [{ kind: 'data', hash, bytes: Buffer.concat(hashes) }, ...blobs];
}

async function messagesOf(store: Pick<DeriveStore, 'getMessage'>, from: bigint, to: bigint): Promise<ListedPreimage[]> {
  const listed: ListedPreimage[] = [];
  for (let index = from; index < to; index += 1n) {
    const { accumulator, before, hash, words, data } = await store.getMessage(index);
    const bytes = hexToBytes(words);
    listed.push(
      { kind: 'accumulator', hash: hexToBytes(accumulator), bytes: Buffer.concat([before, hash].map(hexToBytes)) },
      { kind: 'accumulator', hash: hexToBytes(hash), bytes },
      // Of the words of a message's hash the third is the hash of its data.
      { kind: 'data', hash: bytes.subarray(2 * 32, 3 * 32), bytes: hexToBytes(data) },
    );
  }
  return listed;
}

async function headersOf(
  { store, l1Rpc }: Pick<IterationAnswersDeps, 'store' | 'l1Rpc'>,
  { from, to }: { readonly from: bigint; readonly to: bigint },
): Promise<ListedPreimage[]> {
  async function headerAt(number: bigint): Promise<ListedPreimage> {
    const known = await store.find(number);
    if (known === undefined) throw invalid('block of the own history');
    const answer = await l1Rpc.call('eth_getBlockByHash', [known.hash, false], AbortSignal.timeout(LOOK_TIMEOUT_MS));
    if (parseHeader(answer).hash !== known.hash) throw invalid('block hash');
    const bytes = hexToBytes(encodeHeader(parseFields(answer, 'block')));
    return { kind: 'l1-header', hash: hexToBytes(known.hash), bytes };
  }

  const listed: ListedPreimage[] = [];
  for (let number = from; number <= to; number += BigInt(HEADER_WINDOW)) {
    const left = Number(to - number) + 1;
    const numbers = Array.from({ length: Math.min(left, HEADER_WINDOW) }, (_, i) => number + BigInt(i));
    listed.push(...(await Promise.all(numbers.map(headerAt))));
  }
  return listed;
}

function laterOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
