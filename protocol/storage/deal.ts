/**
 * What an owner and a holder sign for StorageDeals (docs/design/0036-storage-deals.md), by EIP-712: the terms of a deal, and each set
 * of shards. A signature is made and recovered at the edge; here is what it is of.
 */
import type { Hex } from '../brand.ts';
import { LEAF_BYTES } from '../coding/shard-tree.ts';
import { hashWords } from '../dispute/words.ts';
import { bytesToHex } from '../rollup/bytes.ts';
import { PREDEPLOYS } from '../rollup/genesis.ts';
import { hashText, type TypedDataDomain, typedDataHash } from '../typed-data.ts';
import { type ShardSet, shardSetRoot } from './shard-set.ts';

/** What both agree on, once: the holder signs it and the owner opens the deal with it. */
export interface DealTerms {
  readonly owner: Hex;
  readonly holder: Hex;
  /** Who gets what the holder earns. */
  readonly payout: Hex;
  /** What is paid with; zero for L2's own coin. */
  readonly token: Hex;
  /** Units of the token for 2^40 bytes through one epoch. */
  readonly ratePerTiBDay: bigint;
  /** How many deals the two had before. */
  readonly generation: number;
  /** The last second in which it may be opened, since 1970. */
  readonly validUntil: bigint;
}

/** What a holder keeps for an owner, as the chain learns it. */
export interface DealSet {
  readonly deal: Hex;
  readonly generation: number;
  /** Above that of every set posted before. */
  readonly seq: bigint;
  /** Root of the set's tree; zero for an empty one. */
  readonly root: Hex;
  /** Bytes of all shards. */
  readonly size: bigint;
}

const TERMS_HASH = hashText(
  'Terms(address owner,address holder,address payout,address token,uint128 ratePerTiBDay,uint32 generation,uint64 validUntil)',
);
const SET_HASH = hashText('Set(bytes32 deal,uint32 generation,uint64 seq,bytes32 root,uint64 size)');
const NO_ROOT: Hex = `0x${'00'.repeat(32)}`;

/** The id of a pair's deal. */
export function dealId(owner: Hex, holder: Hex): Hex {
  return hashWords([owner, holder]);
}

function domainOf(chainId: bigint): TypedDataDomain {
  return { name: 'Nectar StorageDeals', version: '1', chainId, verifyingContract: PREDEPLOYS.storageDeals };
}

/** What a holder signs of its terms. @param chainId of the L2 */
export function termsHash(chainId: bigint, terms: DealTerms): Hex {
  const { owner, holder, payout, token, ratePerTiBDay, generation, validUntil } = terms;
  const words = [TERMS_HASH, owner, holder, payout, token, ratePerTiBDay, BigInt(generation), validUntil];
  return typedDataHash(domainOf(chainId), hashWords(words));
}

/** What both sign of a set. @param chainId of the L2 */
export function dealSetHash(chainId: bigint, { deal, generation, seq, root, size }: DealSet): Hex {
  return typedDataHash(domainOf(chainId), hashWords([SET_HASH, deal, BigInt(generation), seq, root, size]));
}

/** Root and bytes of a set, as the chain has them. */
export function dealSetOf(set: ShardSet): Pick<DealSet, 'root' | 'size'> {
  const size = BigInt(set.leaves) * BigInt(LEAF_BYTES);
  return { root: size === 0n ? NO_ROOT : bytesToHex(shardSetRoot(set)), size };
}
