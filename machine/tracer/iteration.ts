/** What decides an iteration of a dispute, as words that its machine opens by hash (docs/design/0031). */
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Hex } from '../../protocol/brand.ts';
import { type Preimages, READ_KIND } from '../../protocol/dispute/step.ts';
import { NectarError } from '../../protocol/errors.ts';
import { bytesToHex, hexToBytes } from '../../protocol/rollup/bytes.ts';
import { FORKS, type ForkRules } from '../../protocol/rollup/fork.ts';
import type { ListedPreimage } from '../host/given-preimages.ts';
import type { Iteration } from './types.ts';

/** G, and what L1 gives the machine with it. */
export interface IterationPlace {
  readonly blockHash: Hex;
  readonly sendRoot: Hex;
  readonly batch: bigint;
  readonly offset: bigint;
  /** The batch at which iterations stand still. */
  readonly target: bigint;
  /** SequencerInbox's accumulator after batch `batch`; zero at the target. */
  readonly accumulator: Hex;
}

/** What the machine must know of a network and no hash of the chain says: the first word of RollupConfig is its hash. */
export interface DisputeConfig extends ForkRules {
  readonly chainId: bigint;
  /** Number of the last L1 block before the contracts. */
  readonly deployedAt: bigint;
}

const WORD_BYTES = 32;
const ELEMENTS = 4_096;

/** `machine` of RollupConfig is the hash of this: abi.encode(uint64 chainId, uint8 fork, bool p256, uint64 deployedAt). */
export function encodeConfig({ chainId, fork, p256, deployedAt }: DisputeConfig): Uint8Array {
  return encodeWords([chainId, BigInt(FORKS.indexOf(fork)), p256 ? 1n : 0n, deployedAt]);
}

/**
 * The preimage of I: abi.encode(G, uint64 target, bytes32 accumulator, bytes32 configHash).
 * @param rollupConfig abi.encode(RollupConfig), as configHash binds it
 */
export function encodeIteration(place: IterationPlace, rollupConfig: Uint8Array): Uint8Array {
  const { blockHash, sendRoot, batch, offset, target, accumulator } = place;
  return encodeWords([blockHash, sendRoot, batch, offset, target, accumulator, hashOf(rollupConfig)]);
}

export interface IterationRules {
  readonly config: DisputeConfig;
  /** abi.encode(RollupConfig) of the node from which the two assertions part. */
  readonly rollupConfig: Uint8Array;
}

/**
 * The run of one iteration.
 * @param answers what a host of the machine answered, or would, for the block that the iteration makes
 */
export function openIteration(
  place: IterationPlace,
  {
    config,
    rollupConfig,
    answers,
    find,
  }: IterationRules & {
    readonly answers: Iterable<ListedPreimage>;
    /** By Keccak-256, for what is not among the answers. */
    readonly find?: (hash: Uint8Array) => Uint8Array | undefined;
  },
): Iteration {
  const words = encodeIteration(place, rollupConfig);
  const listed = createPreimages(answers, [words, rollupConfig, encodeConfig(config)]);
  return {
    input: keccak_256(words),
    preimages(kind, key) {
      const bytes = listed(kind, key) ?? (kind === READ_KIND.keccak ? find?.(key) : undefined);
      if (bytes === undefined)
        throw new NectarError('ROLLUP_PREIMAGE_MISSING', { preimageKind: kind, preimageKey: bytesToHex(key) });
      return bytes;
    },
  };
}

/** By the kinds of a dispute; undefined for what is not listed. Whether an answer is true is for the tracer. */
function createPreimages(
  answers: Iterable<ListedPreimage>,
  words: readonly Uint8Array[],
): (...asked: Parameters<Preimages>) => Uint8Array | undefined {
  const byKey = new Map<string, Uint8Array>();
  const blobs: ListedPreimage[] = [];
  for (const bytes of words) byKey.set(nameOf(READ_KIND.keccak, keccak_256(bytes)), bytes);
  for (const answer of answers) {
    if (answer.kind === 'blob') blobs.push(answer);
    else byKey.set(nameOf(READ_KIND.keccak, answer.hash), answer.bytes);
  }
  // Keys of elements are hashes of their own: made when the first one is asked for.
  const nameElements = (): void => {
    for (const { hash, bytes } of blobs.splice(0)) {
      for (let index = 0; index < ELEMENTS; index += 1) {
        const key = keccak_256(encodeWords([bytesToHex(hash), BigInt(index)]));
        byKey.set(nameOf(READ_KIND.blobElement, key), bytes.subarray(WORD_BYTES * index, WORD_BYTES * (index + 1)));
      }
    }
  };
  return (kind, key) => {
    if (kind === READ_KIND.blobElement) nameElements();
    return byKey.get(nameOf(kind, key));
  };
}

function nameOf(kind: number, key: Uint8Array): string {
  return String.fromCharCode(kind, ...key);
}

function hashOf(bytes: Uint8Array): Hex {
  return bytesToHex(keccak_256(bytes));
}

function encodeWords(words: readonly (Hex | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(WORD_BYTES * words.length);
  words.forEach((word, index) => {
    const hex = typeof word === 'bigint' ? `0x${word.toString(16).padStart(2 * WORD_BYTES, '0')}` : word;
    bytes.set(hexToBytes(hex as Hex), WORD_BYTES * index);
  });
  return bytes;
}
