/**
 * Preimages as they lie in the database: sealed together, some 4 KiB at a time, since sealing each by itself cost more than
 * executing the transactions. An entry per hash says in which group it lies; the group says which hashes it holds, so that an entry
 * that was changed leads to nothing.
 *
 *     entry  preimage hash -> place: block number 6 | the block's hash, first 16 | number of the group 4
 *     group  place -> (kind 1 | hash 32 | length 4, little endian | bytes)*, sealed: what the machine calls fresh
 */
import { NectarError } from '../../../protocol/errors.ts';
import type { DatabaseKeys } from './database-keys.ts';
import type { SealedOperation } from './sealed-level.ts';
import type { Sealer } from './sealer.ts';

/** A group is closed when it has reached so many bytes: what one read costs at most, but for code. */
const GROUP_BYTES = 4_096;
export const NUMBER_BYTES = 6;
/** The beginning of the block's hash, or what a run of the pruner has in its place. */
export const TAG_BYTES = 16;
const GROUP_NUMBER_BYTES = 4;
const PLACE_BYTES = NUMBER_BYTES + TAG_BYTES + GROUP_NUMBER_BYTES;
const HASH_AT = 1;
const LENGTH_AT = 33;
const BYTES_AT = 37;

/** The block that made them; the same block packs them the same way. */
export interface PackedBlock {
  readonly number: bigint;
  readonly hash: Uint8Array;
}

function invalid(): NectarError {
  return new NectarError('ROLLUP_DATABASE_INVALID', { what: 'preimage' });
}

function placeOf({ number, hash }: PackedBlock, group: number): Uint8Array {
  const place = Buffer.alloc(PLACE_BYTES);
  place.writeUIntBE(Number(number), 0, NUMBER_BYTES);
  place.set(hash.subarray(0, TAG_BYTES), NUMBER_BYTES);
  place.writeUInt32BE(group, PLACE_BYTES - GROUP_NUMBER_BYTES);
  return place;
}

/** Seals what the machine gave as fresh. The operations are ready to be written. */
export function packPreimages(
  block: PackedBlock,
  fresh: Uint8Array,
  { keys, sealer }: { readonly keys: DatabaseKeys; readonly sealer: Pick<Sealer, 'seal'> },
): SealedOperation[] {
  const operations: SealedOperation[] = [];
  const view = new DataView(fresh.buffer, fresh.byteOffset, fresh.length);
  let place = placeOf(block, 0);
  let groups = 0;
  let start = 0;
  let at = 0;
  const close = (): void => {
    const key = keys.group(place);
    operations.push({ type: 'put', key, value: sealer.seal(key, fresh.subarray(start, at)), asIs: true });
    groups += 1;
    place = placeOf(block, groups);
    start = at;
  };
  while (at < fresh.length) {
    const hash = fresh.subarray(at + HASH_AT, at + LENGTH_AT);
    operations.push({ type: 'put', key: keys.preimage(hash), value: place, asIs: true });
    at += BYTES_AT + view.getUint32(at + LENGTH_AT, true);
    if (at - start >= GROUP_BYTES) close();
  }
  if (at > start) close();
  return operations;
}

/** The key of the group that an entry names, and what a cache may call it. */
export function groupOf(entry: Uint8Array, keys: DatabaseKeys): { readonly key: Uint8Array; readonly name: string } {
  if (entry.length !== PLACE_BYTES) throw invalid();
  return { key: keys.group(entry), name: Buffer.from(entry).toString('latin1') };
}

/** Where to look again for a preimage whose group is not there; undefined where it is gone. Throws ROLLUP_DATABASE_INVALID: it should be. */
export function movedFrom(entry: Uint8Array, again: Uint8Array | undefined): Uint8Array | undefined {
  if (again !== undefined && Buffer.compare(entry, again) === 0) throw invalid();
  return again;
}

/** Views of the hashes that a group holds. */
export function* hashesIn(group: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(group.buffer, group.byteOffset, group.length);
  for (let at = 0; at < group.length; at += BYTES_AT + view.getUint32(at + LENGTH_AT, true))
    yield group.subarray(at + HASH_AT, at + LENGTH_AT);
}

/** A copy of the preimage in its group. */
export function findInGroup(group: Uint8Array | undefined, hash: Uint8Array): Uint8Array {
  const found = group && lookInGroup(group, hash);
  if (found === undefined) throw invalid();
  return found;
}

/** A copy of the preimage where the group holds it. */
export function lookInGroup(group: Uint8Array, hash: Uint8Array): Uint8Array | undefined {
  const view = new DataView(group.buffer, group.byteOffset, group.length);
  const beginning = new DataView(hash.buffer, hash.byteOffset, hash.length).getUint32(0);
  for (let at = 0; at < group.length; ) {
    const end = at + BYTES_AT + view.getUint32(at + LENGTH_AT, true);
    const mayBe = view.getUint32(at + HASH_AT) === beginning;
    if (mayBe && Buffer.compare(group.subarray(at + HASH_AT, at + LENGTH_AT), hash) === 0)
      return new Uint8Array(group.subarray(at + BYTES_AT, end));
    at = end;
  }
  return undefined;
}

const KIND_OF_GENESIS = 1;

/** Preimages by hash in the form of the machine's fresh ones. */
export function encodeFresh(preimages: Iterable<readonly [Uint8Array, Uint8Array]>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [hash, bytes] of preimages) {
    const head = Buffer.alloc(BYTES_AT);
    head[0] = KIND_OF_GENESIS;
    head.set(hash, HASH_AT);
    head.writeUInt32LE(bytes.length, LENGTH_AT);
    parts.push(head, bytes);
  }
  return Buffer.concat(parts);
}
