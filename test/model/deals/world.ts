import type { Random } from '../disputes/random.ts';
import { QUESTIONS, type SignedSet, type SignedTerms } from './deal-state.ts';
import type { DealMutant } from './mutants.ts';
import type { Deals } from './rules.ts';

/** A set has some of these chunks, each of so many bytes. */
export const CHUNKS = 8;
export const CHUNK_BYTES = 2n ** 36n;
export const RATE = 10n ** 18n;

/** What is true outside of the chain, and what both sides have signed for each other. */
export interface World {
  readonly deals: Deals;
  readonly random: Random;
  readonly mutant: DealMutant | undefined;
  /** Seconds. */
  now: number;
  /** The part of each chunk that the holder has. */
  readonly kept: number[];
  /** Sets that the holder signed, which the owner may sign and post whenever it likes. */
  readonly sets: SignedSet[];
  readonly terms: SignedTerms[];
  /** Of the open question: where in the set each of the five places lies, 0 to 1. */
  places: number[];
  /** When an auditor began to eject the holder; it serves for 30 days from then on. */
  ejectedAt: number | undefined;
  /** Since when the holder is owed something. */
  arrearsSince: number | undefined;
  /** What broke. */
  violation: string | undefined;
}

export function broken(world: World, promise: string): void {
  world.violation ??= promise;
}

export const rootOf = (chunks: readonly number[]): string => chunks.join(',');
export const chunksOf = (root: string): number[] => (root === '' ? [] : root.split(',').map(Number));
export const sizeOf = (chunks: readonly number[]): bigint => BigInt(chunks.length) * CHUNK_BYTES;

/** The part of a set's bytes that the holder has lost. */
export function lostOf({ kept }: World, root: string): number {
  const chunks = chunksOf(root);
  if (chunks.length === 0) return 0;
  return chunks.reduce((sum, chunk) => sum + 1 - (kept[chunk] ?? 0), 0) / chunks.length;
}

/** Asks on the chain: the places are drawn with the call. */
export function ask(world: World): string | undefined {
  const refusal = world.deals.challenge(world.now);
  if (refusal === undefined) world.places = Array.from({ length: QUESTIONS }, () => world.random.next());
  return refusal;
}

/** Whether the holder has the leaf that question `index` is about. */
export function has(world: World, index: number): boolean {
  const chunks = chunksOf(world.deals.question?.root ?? '');
  const at = (world.places[index] ?? 0) * chunks.length;
  const chunk = chunks[Math.floor(at)] ?? -1;
  return at - Math.floor(at) < (world.kept[chunk] ?? 0);
}
