import { keccak256 } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { encodeBigintJson, parseBigintJson } from '../bigint-json.ts';
import type { L1Record } from './derive-store.ts';

/** Something that L1 holds and L2 does not: a rule dropped it, for the reason given. */
export interface Dropped {
  readonly what: 'batch' | 'blocks' | 'transaction' | 'message';
  readonly sequenceNumber: bigint;
  /** The L2 block that lacks it, or that would have been its first. */
  readonly block: bigint;
  readonly reason: string;
  /** Of a transaction, where it is one. */
  readonly hash?: Hex;
}

/** A transaction that L1 holds and a rule kept out of L2. */
export interface DroppedTransaction extends Omit<Dropped, 'hash'> {
  /** The L1 block that holds it. */
  readonly l1: { readonly number: bigint; readonly hash: Hex };
}

export function hashOf(raw: Uint8Array | Hex): Hex {
  return keccak256(raw) as Hex;
}

/** One small record for each, beside the chain: L1's content bounds how many there are. */
export function encodeDropped(hash: Hex, dropped: DroppedTransaction): [string, Uint8Array] {
  return [nameOf(hash), encodeBigintJson(dropped)];
}

/** By which batch a transaction was dropped last; undefined when none did, or an L1 reorg took that block back. */
export async function findDropped(
  hash: Hex,
  store: {
    record(name: string): Promise<Uint8Array | undefined>;
    find(number: bigint): Promise<Pick<L1Record, 'hash'> | undefined>;
  },
): Promise<DroppedTransaction | undefined> {
  const bytes = await store.record(nameOf(hash));
  if (bytes === undefined) return undefined;
  const dropped = parseBigintJson(bytes) as DroppedTransaction;
  return (await store.find(dropped.l1.number))?.hash === dropped.l1.hash ? dropped : undefined;
}

function nameOf(hash: Hex): string {
  return `derive/dropped/${hash.toLowerCase()}`;
}
