import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { NetworkDescriptor } from '../../../protocol/network/descriptor.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { encodeReceipts } from '../../../protocol/rollup/receipt.ts';
import { encodeBigintJson } from '../bigint-json.ts';
import type { DeriveStore, L1Record } from '../derive/derive-store.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { AssertionBook } from '../validator/assertion-book.ts';
import type { Judge } from '../validator/judge.ts';
import type { SentMessages } from '../withdrawals/sent-messages.ts';
import { END_FRAME, frame } from './frames.ts';
import { encodeManifest, MAX_HEADERS } from './manifest.ts';
import { walkState } from './state-walk.ts';

export interface ExportDeps {
  readonly descriptor: Pick<NetworkDescriptor, 'l1' | 'l2'>;
  readonly database: ChainDatabase;
  readonly store: DeriveStore;
  readonly messages: SentMessages;
  readonly book: () => AssertionBook;
  readonly verdictOf: Judge['verdictOf'];
}

const unavailable = (reason: string) => new NectarError('ROLLUP_SNAPSHOT_UNAVAILABLE', { reason });

/** The state at the block of the latest confirmed assertion, part by part. Throws ROLLUP_SNAPSHOT_UNAVAILABLE. */
export async function* exportSnapshot(deps: ExportDeps): AsyncGenerator<Uint8Array> {
  const { descriptor, database, store, messages, book, verdictOf } = deps;
  const { latestConfirmed, assertions } = book();
  const latest = latestConfirmed === undefined ? undefined : assertions.get(latestConfirmed);
  const verdict = latest && verdictOf(latest.nodeId);
  if (latest === undefined || verdict?.kind !== 'right')
    throw unavailable('no assertion is confirmed that this node finds right');
  if (verdict.block === 0n || latest.state.offset !== 0n) throw unavailable('the confirmed assertion has no block yet');
  const { blockHash, sendRoot, batch } = latest.state;
  const place = await findPlace(store, BigInt(descriptor.l1.deployedAt.number), batch);
  if (place?.safe.hash !== blockHash) throw unavailable('its last batch shares an L1 block with the next one');

  const block = await database.block(blockHash);
  const receipts = await database.receipts(blockHash);
  if (block === undefined || receipts === undefined) throw unavailable('its block is not here any more');
  const headers = await readAncestors(database, bytesToHex(block.header.parentHash));
  const sent = await messages.upTo(await messages.countAt(verdict.block));
  const manifest = encodeManifest({
    format: 'nectar-snapshot/1',
    l2ChainId: descriptor.l2.chainId,
    genesisHash: descriptor.l2.genesisHash,
    nodeId: latest.nodeId,
    ...{ blockHash, sendRoot, batch: Number(batch), block: Number(verdict.block), l1Number: Number(place.number) },
    ...{ headers: headers.length, messages: sent.length },
  });
  for (const part of [manifest, block.serialize(), encodeReceipts(receipts), ...headers]) yield frame(part);
  for (const message of sent) yield frame(encodeBigintJson(message));
  yield* writeState(bytesToHex(block.header.stateRoot), database);
  yield END_FRAME;
}

/** Turned from a walk that asks into a stream that gives: one part is held at a time. */
async function* writeState(root: Hex, database: ChainDatabase): AsyncGenerator<Uint8Array> {
  let given = Promise.withResolvers<Uint8Array | undefined>();
  let taken = Promise.withResolvers<void>();
  const walk = walkState(root, async (hash) => {
    const bytes = await database.get(hash);
    if (bytes === undefined) throw new NectarError('ROLLUP_STATE_MISSING', { hash });
    given.resolve(bytes);
    await taken.promise;
    return bytes;
  });
  walk.then(
    () => given.resolve(undefined),
    (error: unknown) => given.reject(error),
  );
  try {
    for (;;) {
      const bytes = await given.promise;
      if (bytes === undefined) return;
      yield frame(bytes);
      given = Promise.withResolvers();
      const { resolve } = taken;
      taken = Promise.withResolvers();
      resolve();
    }
  } finally {
    // The reader left: the walk ends at its next question.
    taken.reject(new Error('left'));
    taken.promise.catch(() => {});
    given.promise.catch(() => {});
  }
}

/** The L1 block after which exactly the batches before `batch` are there. */
async function findPlace(store: DeriveStore, first: bigint, batch: bigint): Promise<L1Record | undefined> {
  let [low, high] = [first, (await store.cursor()).number];
  while (low < high) {
    const middle = (low + high) / 2n;
    if (((await store.find(middle))?.batchCount ?? 0n) >= batch) high = middle;
    else low = middle + 1n;
  }
  const record = await store.find(low);
  return record?.batchCount === batch ? record : undefined;
}

async function readAncestors(database: ChainDatabase, parent: Hex): Promise<readonly Uint8Array[]> {
  const headers: Uint8Array[] = [];
  for (let hash = parent; headers.length < MAX_HEADERS; ) {
    const block = await database.block(hash);
    if (block === undefined) break;
    headers.push(block.header.serialize());
    hash = bytesToHex(block.header.parentHash);
  }
  return headers;
}
