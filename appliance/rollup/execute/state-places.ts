import type { Hex } from '../../../protocol/brand.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { DatabaseKeys } from './database-keys.ts';
import { encodeFresh, hashesIn, NUMBER_BYTES, packPreimages, TAG_BYTES } from './packed-preimages.ts';
import type { SealedLevel, SealedOperation } from './sealed-level.ts';
import type { Sealer } from './sealer.ts';

/** Where a run of the pruner puts what stays: below its target block, marked by its number. */
export interface PruneRun {
  readonly target: bigint;
  /** One more for each run: 1 to 2^32 - 1. */
  readonly generation: number;
}

/** How old the place of a preimage is for a run: to be moved, moved by this run already, or written by a later block. */
export type PlaceAge = 'old' | 'moved' | 'newer';

/**
 * Moves and removes state. The caller lets no block be written meanwhile: a block that makes a preimage again gives it a place of its
 * own, and that one counts. Throws ROLLUP_DATABASE_INVALID, ROLLUP_DATABASE_FAILED, NODE_DISK_FULL.
 */
export interface StatePlaces {
  /** Undefined: there is no such preimage. */
  ageOf(hash: Hex, run: PruneRun): Promise<PlaceAge | undefined>;
  /** Gives these new places, all or none; those that are not old any more keep theirs. */
  move(preimages: ReadonlyMap<Hex, Uint8Array>, run: PruneRun): Promise<void>;
  /** Removes the next `limit` groups of old state behind `after` with all that still lies there. Undefined: that was the last. */
  drop(after: Uint8Array | undefined, run: PruneRun, limit: number): Promise<Uint8Array | undefined>;
  /** Gives the disk back what was removed. */
  compact(): Promise<void>;
}

/** Four bytes that mark a place as a run's, and the run's number. What a block's hash begins with is never this by chance. */
const MARK = Buffer.from('kept');
const MARK_BYTES = MARK.length + 4;

export function createStatePlaces(
  level: SealedLevel,
  { keys, sealer, randomBytes }: { keys: DatabaseKeys; sealer: Sealer; randomBytes: (size: number) => Uint8Array },
): StatePlaces {
  function ageOfPlace(place: Uint8Array, { target, generation }: PruneRun): PlaceAge {
    const bytes = Buffer.from(place.buffer, place.byteOffset, place.length);
    if (BigInt(bytes.readUIntBE(0, NUMBER_BYTES)) > target) return 'newer';
    const mark = bytes.subarray(NUMBER_BYTES, NUMBER_BYTES + MARK_BYTES);
    return mark.equals(markOf(generation)) ? 'moved' : 'old';
  }

  async function entryOf(hash: Uint8Array): Promise<Uint8Array | undefined> {
    return level.getPlain(keys.preimage(hash));
  }

  async function removalOf(groupKey: Uint8Array): Promise<SealedOperation[]> {
    const place = groupKey.subarray(1);
    const operations: SealedOperation[] = [{ type: 'del', key: groupKey }];
    const group = await level.get(groupKey, 'preimage');
    for (const hash of group === undefined ? [] : hashesIn(group)) {
      const entry = await entryOf(hash);
      if (entry !== undefined && Buffer.compare(entry, place) === 0)
        operations.push({ type: 'del', key: keys.preimage(hash) });
    }
    return operations;
  }

  return {
    async ageOf(hash, run) {
      const entry = await entryOf(hexToBytes(hash));
      return entry && ageOfPlace(entry, run);
    },
    async move(preimages, run) {
      const old: (readonly [Uint8Array, Uint8Array])[] = [];
      for (const [hex, bytes] of preimages) {
        const hash = hexToBytes(hex);
        const entry = await entryOf(hash);
        if (entry !== undefined && ageOfPlace(entry, run) === 'old') old.push([hash, bytes]);
      }
      // A place is used once, so that no cache has something else under its name.
      const unique = randomBytes(TAG_BYTES - MARK_BYTES);
      const hash = Buffer.concat([markOf(run.generation), unique]);
      await level.write(packPreimages({ number: run.target, hash }, encodeFresh(old), { keys, sealer }));
    },
    async drop(after, run, limit) {
      const range = { gt: after ?? keys.group(new Uint8Array()), lt: keys.group(numberBytes(run.target + 1n)), limit };
      const found = await level.keys(range);
      const old = found.filter((key) => ageOfPlace(key.subarray(1), run) === 'old');
      await level.write((await Promise.all(old.map(removalOf))).flat());
      return found.length < limit ? undefined : found.at(-1);
    },
    async compact() {
      const everything = (key: (bytes: Uint8Array) => Uint8Array) =>
        level.compact(key(new Uint8Array()), key(Buffer.alloc(MAX_NAME_BYTES, 0xff)));
      await everything(keys.group);
      await everything(keys.preimage);
    },
  };
}

/** No name of the two kinds is longer. */
const MAX_NAME_BYTES = 33;

function markOf(generation: number): Buffer {
  const mark = Buffer.alloc(MARK_BYTES);
  MARK.copy(mark);
  mark.writeUInt32BE(generation, MARK.length);
  return mark;
}

function numberBytes(number: bigint): Uint8Array {
  const bytes = Buffer.alloc(NUMBER_BYTES);
  bytes.writeUIntBE(Number(number), 0, NUMBER_BYTES);
  return bytes;
}
