/** What a run may ask for, by the kinds of docs/design/0031. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { ECRECOVER_INPUT_BYTES, ecrecover } from '../../protocol/dispute/ecrecover.ts';
import { type Preimages, READ_KIND, type Read } from '../../protocol/dispute/step.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Hart } from './hart.ts';

export interface Oracle {
  /** Throws ROLLUP_PREIMAGE_INVALID for an answer that its key does not stand for, and what the caller's preimages throw. */
  readonly find: Preimages;
  /** What L1 checks a read by: the preimage, and of a recovery its input of 128 bytes. Undefined when it was not the last read. */
  evidenceOf(read: Read): Uint8Array | undefined;
}

const A4 = 14;

/** Keys are recovered here: the guest leaves the address of the input in a4, where the call does not look. */
export function openOracle(hart: Hart, preimages: Preimages): Oracle {
  let last:
    | { readonly kind: number; readonly key: Uint8Array; readonly answer: Uint8Array; readonly evidence: Uint8Array }
    | undefined;

  function recover(key: Uint8Array): { answer: Uint8Array; evidence: Uint8Array } {
    const at = hart.state().registers[A4] ?? 0;
    const evidence = hart.memory.view(at, ECRECOVER_INPUT_BYTES).slice();
    if (!isEqual(keccak_256(evidence), key)) throw missing(READ_KIND.ecrecover, key);
    return { answer: ecrecover(evidence), evidence };
  }

  function read(kind: number, key: Uint8Array): { answer: Uint8Array; evidence: Uint8Array } {
    if (kind === READ_KIND.ecrecover) return recover(key);
    const answer = preimages(kind, key);
    if (kind === READ_KIND.keccak && !isEqual(keccak_256(answer), key))
      throw new NectarError('ROLLUP_PREIMAGE_INVALID', { preimageKind: kind, preimageKey: toHex(key) });
    return { answer, evidence: answer };
  }

  function find(kind: number, key: Uint8Array): Uint8Array {
    if (last === undefined || last.kind !== kind || !isEqual(last.key, key)) {
      const own = Uint8Array.from(key);
      last = { kind, key: own, ...read(kind, own) };
    }
    return last.answer;
  }

  return {
    find,
    evidenceOf: ({ kind, key }) => (last?.kind === kind && isEqual(last.key, key) ? last.evidence : undefined),
  };
}

function missing(kind: number, key: Uint8Array): NectarError<'ROLLUP_PREIMAGE_MISSING'> {
  return new NectarError('ROLLUP_PREIMAGE_MISSING', { preimageKind: kind, preimageKey: toHex(key) });
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function toHex(bytes: Uint8Array): string {
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
