import { RLP } from '@ethereumjs/rlp';
import { MAX_INPUTS_MESSAGES } from '../../../machine/host/derive.ts';
import { encodePreimages, type GivenPreimages, type ListedPreimage } from '../../../machine/host/given-preimages.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { MAX_ORIGIN_AGE } from './batch-rules.ts';
import type { DeriveStore, L1Record, MessageRecord, OriginRecord } from './derive-store.ts';
import type { DerivedRef, Engine } from './engine.ts';
import type { TrackedBatch, TrackedBlock } from './inbox-tracker.ts';

export interface PreimagesDeps {
  readonly store: DeriveStore;
  readonly engine: Pick<Engine, 'header'>;
}

/** A batch at its place on L1. */
export interface PlacedBatch {
  readonly batch: TrackedBatch;
  /** The L1 block that took it, and the one before. */
  readonly tracked: TrackedBlock;
  readonly before: L1Record;
}

const NO_LINKS = new Uint8Array();
/** Where the words of a message's hash have the hash of its data. */
const DATA_HASH = [2 * 32, 3 * 32] as const;
const WORD_BYTES = 32;

/**
 * All that the machine may ask for when it begins a batch on this head. The thread that runs it cannot wait, so this node's records
 * answer before: the head's header, the batch, Inbox's accumulators back to what the head has read, the messages after it, L1 blocks
 * back to the head's origin, a day at most. What they hold was checked when L1 gave it.
 */
export async function preimagesOfBatch(
  deps: PreimagesDeps,
  at: PlacedBatch,
  head: DerivedRef,
): Promise<GivenPreimages> {
  const { batch, before } = at;
  const listed = [
    ...(await preimagesOfHead(deps, at, head)),
    { kind: 'accumulator', hash: hexToBytes(batch.afterAcc), bytes: hexToBytes(batch.words) } as const,
    ...contentOf(batch),
    ...(await ancestors(deps.store, before, head.originNumber)),
  ];
  return { list: encodePreimages(listed), links: await linksOf(deps.store, at, head.messagesRead) };
}

/** What it may ask for besides when it goes on with the batch that it has open. */
export async function preimagesGoingOn(
  deps: PreimagesDeps,
  at: PlacedBatch,
  head: DerivedRef,
): Promise<GivenPreimages> {
  return { list: encodePreimages(await preimagesOfHead(deps, at, head)), links: NO_LINKS };
}

async function preimagesOfHead({ store, engine }: PreimagesDeps, at: PlacedBatch, head: DerivedRef) {
  const listed: ListedPreimage[] = [
    { kind: 'header', hash: hexToBytes(head.hash), bytes: await engine.header(head.hash) },
  ];
  const end = head.messagesRead + BigInt(MAX_INPUTS_MESSAGES);
  for (let index = head.messagesRead; index < at.batch.delayedCount && index < end; index += 1n) {
    const { hash, words: text, data } = await messageAt(store, at.tracked, index);
    const words = hexToBytes(text);
    listed.push({ kind: 'accumulator', hash: hexToBytes(hash), bytes: words });
    listed.push({ kind: 'data', hash: words.subarray(...DATA_HASH), bytes: hexToBytes(data) });
  }
  return listed;
}

function contentOf({ dataHash, content }: TrackedBatch): ListedPreimage[] {
  if (content === undefined) return [];
  if (content.source === 'calldata') return [{ kind: 'data', hash: hexToBytes(dataHash), bytes: content.bytes }];
  const hashes = content.versionedHashes.map(hexToBytes);
  return [
    { kind: 'data', hash: hexToBytes(dataHash), bytes: Buffer.concat(hashes) },
    ...hashes.flatMap((hash, i): ListedPreimage[] => {
      const bytes = content.blobs[i];
      return bytes === undefined ? [] : [{ kind: 'blob', hash, bytes }];
    }),
  ];
}

/** The L1 blocks before the batch's, the newest first, as far as an origin may be named. */
async function ancestors(store: DeriveStore, newest: OriginRecord, headOrigin: bigint): Promise<ListedPreimage[]> {
  const oldest = newest.number + 1n - MAX_ORIGIN_AGE;
  const last = headOrigin < oldest ? oldest : headOrigin;
  const listed: ListedPreimage[] = [];
  for (let block: OriginRecord | undefined = newest; block !== undefined && block.number >= last; ) {
    const parent: OriginRecord | undefined = await store.findOrigin(block.number - 1n);
    listed.push({ kind: 'l1-header', hash: hexToBytes(block.hash), bytes: abridge(block, parent?.hash) });
    block = parent;
  }
  return listed;
}

/**
 * A header of L1 with the fields that derivation reads, and the others empty. The whole header was hashed when L1 gave it; what is
 * kept of it is this. The parent of the first L1 block that this node knows is not read.
 */
function abridge({ number, timestamp }: OriginRecord, parent: Hex | undefined): Uint8Array {
  const parentHash = parent === undefined ? new Uint8Array(WORD_BYTES) : hexToBytes(parent);
  const empty = new Uint8Array();
  const [seven, two] = [Array.from({ length: 7 }, () => empty), [empty, empty]];
  return RLP.encode([parentHash, ...seven, number, ...two, timestamp]);
}

async function linksOf(store: DeriveStore, { batch, tracked }: PlacedBatch, read: bigint): Promise<Uint8Array> {
  const { delayedAcc, delayedCount } = batch;
  if (delayedCount <= read) return NO_LINKS;
  const links = new Uint8Array((Number(delayedCount - read) + 1) * 2 * WORD_BYTES);
  links.set(hexToBytes(delayedAcc));
  let to = 2 * WORD_BYTES;
  for (let index = delayedCount - 1n; index >= read; index -= 1n) {
    const { before, hash } = await messageAt(store, tracked, index);
    links.set(hexToBytes(before), to);
    links.set(hexToBytes(hash), to + WORD_BYTES);
    to += 2 * WORD_BYTES;
  }
  return links;
}

/** Of this L1 block, which is not written yet, or of one before. */
export async function messageAt(store: DeriveStore, { messages }: TrackedBlock, index: bigint): Promise<MessageRecord> {
  const [first] = messages;
  const own = first === undefined || index < first.index ? undefined : messages[Number(index - first.index)];
  return own ?? (await store.getMessage(index));
}
