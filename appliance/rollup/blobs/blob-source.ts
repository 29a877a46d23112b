import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { whyUnreachable } from '../l1/why-unreachable.ts';
import type { BeaconApi, BlobPlace } from './beacon-api.ts';
import type { KzgThread } from './kzg-thread.ts';

/** The blobs of a batch from beacon nodes, each recomputed to its versioned hash: a beacon node can withhold, not lie. */
export interface BlobSource {
  /** In the order of the hashes. Throws ROLLUP_L1_BLOBS_UNREADABLE, with the reason, when no beacon node gives one of them. */
  read(wanted: WantedBlobs, signal: AbortSignal): Promise<readonly Uint8Array[]>;
}

export interface WantedBlobs {
  readonly batch: bigint;
  readonly place: BlobPlace;
  readonly versionedHashes: readonly Hex[];
}

export interface BlobSourceDeps {
  /** Asked in order, beginning with the last one that had what was asked for. */
  readonly beacons: readonly BeaconApi[];
  readonly kzg: Pick<KzgThread, 'versionedHash'>;
}

export function createBlobSource({ beacons, kzg }: BlobSourceDeps): BlobSource {
  let preferred = 0;

  async function from(beacon: BeaconApi, place: BlobPlace, hash: Hex, signal: AbortSignal): Promise<Uint8Array> {
    const offered = await beacon.blobs(place, hash, signal);
    for (const blob of offered) {
      signal.throwIfAborted();
      if ((await kzg.versionedHash(blob)) === hash) return blob;
    }
    if (offered.length === 0) throw new NotThere();
    throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'blob' });
  }

  async function readOne(batch: bigint, place: BlobPlace, hash: Hex, signal: AbortSignal): Promise<Uint8Array> {
    const reasons: string[] = [];
    for (let attempt = 0; attempt < beacons.length; attempt += 1) {
      const index = (preferred + attempt) % beacons.length;
      const beacon = beacons[index];
      if (beacon === undefined) break;
      try {
        const blob = await from(beacon, place, hash, signal);
        preferred = index;
        return blob;
      } catch (error) {
        signal.throwIfAborted();
        reasons.push(`beacon node ${index + 1}: ${whyNot(error)}`);
      }
    }
    const reason = reasons.length === 0 ? 'no beacon node is configured (rollup.beaconUrls)' : reasons.join('; ');
    throw new NectarError('ROLLUP_L1_BLOBS_UNREADABLE', { batch, reason });
  }

  return {
    async read({ batch, place, versionedHashes }, signal) {
      const blobs: Uint8Array[] = [];
      for (const hash of versionedHashes) blobs.push(await readOne(batch, place, hash, signal));
      return blobs;
    },
  };
}

class NotThere extends Error {}

function whyNot(error: unknown): string {
  if (error instanceof NotThere) return 'it does not have the blob';
  if (isNectarError(error, 'ROLLUP_L1_RESPONSE_INVALID') && error.data.what === 'blob') return 'it gave another blob';
  return whyUnreachable(error);
}
