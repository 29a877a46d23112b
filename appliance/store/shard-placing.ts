import type { PeerIdText } from '../../protocol/brand.ts';
import { findClassFor, STORAGE_CLASSES, type StorageClass } from '../../protocol/coding/storage-class.ts';
import type { Offer } from '../../protocol/storage/offer.ts';
import { createPlacementIndex, placementKey, placeShards } from '../../protocol/storage/placement.ts';
import { isSuspended } from '../../protocol/storage/standing.ts';
import { sha256 } from './cid.ts';
import type { StoreCore } from './core.ts';
import type { ShardBook } from './shard-book.ts';
import { holdersOfSegment } from './shard-coder.ts';
import type { SegmentEntry, ShardEntry } from './shard-entries.ts';
import type { HeardOffer } from './shards.ts';

/** An offer counts for so long after it was heard. */
const OFFER_COUNTS_MS = 3_600_000;
/** A holder that refused a shard is given nothing of that segment for so long. */
const BARRED_MS = 600_000;
/** Refusals that are remembered. */
const MAX_BARRED = 10_000;

/** Where shards go, by the rules of protocol/storage. */
export interface ShardPlacing {
  hear(offers: readonly HeardOffer[]): void;
  /** Holders that offer something and are trusted. */
  eligible(): number;
  /** Undefined: too few holders, so blobs are replicated. */
  classNow(): StorageClass | undefined;
  /** The segment with a holder for each shard that has none, as far as the rules allow. */
  place(segment: SegmentEntry, secret: Uint8Array): SegmentEntry;
  /** It took a shard not. */
  bar(segment: SegmentEntry, holder: PeerIdText): void;
}

export function createShardPlacing(core: StoreCore, book: ShardBook): ShardPlacing {
  const heard = new Map<PeerIdText, HeardOffer & { readonly at: number }>();
  const barred = new Map<string, number>();
  const now = (): number => core.deps.now().getTime();
  const nameOf = ({ id }: SegmentEntry, holder: PeerIdText): string => `${id} ${holder}`;

  function current(): HeardOffer[] {
    if (heard.size === 0) return [];
    const at = now();
    for (const [holder, offer] of heard) if (at - offer.at > OFFER_COUNTS_MS) heard.delete(holder);
    return [...heard.values()].filter(({ holder }) => {
      const { isOut, isLeft } = book.get(holder);
      return !isOut && isLeft !== true;
    });
  }

  function isBarred(segment: SegmentEntry, holder: PeerIdText): boolean {
    const until = barred.get(nameOf(segment, holder));
    return until !== undefined && until > now();
  }

  const eligible = (): number =>
    current().filter(({ holder, freeBytes }) => freeBytes > 0 && !isSuspended(book.get(holder))).length;

  return {
    hear(offers) {
      for (const offer of offers) heard.set(offer.holder, { ...offer, at: now() });
    },
    eligible,
    classNow: () => (core.deps.coding === undefined ? undefined : findClassFor(eligible())),
    place(segment, secret) {
      const needy = segment.shards.flatMap(({ holder, stage }, index) =>
        holder === undefined || stage === 'lost' ? [index] : [],
      );
      if (needy.length === 0) return segment;
      const offers = current().map(offerOf);
      const index = createPlacementIndex(offers, ({ operator }) => book.get(operator as PeerIdText));
      const taken = holdersOfSegment(segment);
      const kept = offers.filter(
        ({ operator }) => taken.has(operator as PeerIdText) || isBarred(segment, operator as PeerIdText),
      );
      for (const holder of taken) if (!heard.has(holder)) kept.push(unheard(holder));
      const key = placementKey(secret, Uint8Array.from(Buffer.from(segment.id, 'base64')));
      const storageClass = STORAGE_CLASSES[segment.storageClass];
      const { shardBytes } = segment;
      const chosen = placeShards(index, { key, storageClass, shardBytes, count: needy.length, kept });
      const shards: ShardEntry[] = [...segment.shards];
      for (const [turn, at] of needy.entries()) {
        const shard = shards[at];
        const place = chosen[turn];
        const holder = place === undefined ? undefined : offers[place]?.operator;
        if (shard === undefined || holder === undefined) continue;
        shards[at] = { ...shard, holder: holder as PeerIdText, stage: 'waiting' };
      }
      return { ...segment, shards };
    },
    bar(segment, holder) {
      if (barred.size >= MAX_BARRED) barred.clear();
      barred.set(nameOf(segment, holder), now() + BARRED_MS);
    },
  };
}

/** Who operates a node nobody attests yet: each peer is its own operator. */
function offerOf({ holder, site, system, freeBytes }: HeardOffer): Offer {
  const rest = { country: 'ZZ', price: 0, egress: 0, bandwidth: 0 };
  return {
    holder: Uint8Array.from(sha256(Buffer.from(holder))),
    operator: holder,
    site,
    as: system,
    freeBytes,
    ...rest,
  };
}

function unheard(holder: PeerIdText): Offer {
  return offerOf({ holder, site: holder, system: 0, freeBytes: 0 });
}
