import { ed25519 } from '@noble/curves/ed25519.js';
import type { WitnessedLog } from '../../../../appliance/witness/index.ts';
import type { RootHash } from '../../../../protocol/brand.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import { encodeCheckpoint } from '../../../../protocol/merkle/checkpoint.ts';
import { EMPTY_ROOT, type Hash, leafHash, nodeHash } from '../../../../protocol/merkle/hash.ts';
import { encodeNote, noteSignature } from '../../../../protocol/merkle/note.ts';
import { type NodeAt, proveConsistency, rangeHash } from '../../../../protocol/merkle/prove.ts';
import { SIGNATURE_TYPE, type VerifierKey } from '../../../../protocol/merkle/verifier-key.ts';

const SEED = new Uint8Array(32).fill(5);

/** A log in memory, which can be put back to what it was, or tell another story: what no honest log does. */
export class LogDouble implements WitnessedLog {
  readonly publicKey: Uint8Array;
  readonly key: VerifierKey;
  readonly heard: { note: string; where: string; at: number }[] = [];
  leaves: Uint8Array[] = [];
  readonly #seed: Uint8Array;

  constructor(origin = 'nectar.example/node/0011', seed = SEED) {
    this.#seed = seed;
    this.publicKey = ed25519.getPublicKey(seed);
    this.key = { name: origin, type: SIGNATURE_TYPE.ed25519, publicKey: this.publicKey };
  }

  append(...texts: string[]): this {
    this.leaves.push(...texts.map((text) => Buffer.from(text)));
    return this;
  }

  treeHead(): { size: number } {
    return { size: this.leaves.length };
  }

  root(size = this.leaves.length): Hash {
    const hashAt = ({ level, index }: NodeAt): Hash =>
      level === 0
        ? leafHash(this.leaves[index] as Uint8Array)
        : nodeHash(hashAt({ level: level - 1, index: 2 * index }), hashAt({ level: level - 1, index: 2 * index + 1 }));
    return size === 0 ? EMPTY_ROOT : rangeHash({ begin: 0, end: size }, hashAt);
  }

  note(size = this.leaves.length, root = this.root(size)): string {
    const text = encodeCheckpoint({ origin: this.key.name, size, root });
    return encodeNote({ text, signatures: [noteSignature(this.key, ed25519.sign(Buffer.from(text), this.#seed))] });
  }

  async consistency(from: number) {
    const size = this.leaves.length;
    if (from > size) throw new NectarError('AUDIT_INDEX_OUT_OF_RANGE', { index: from, size });
    const root = Buffer.from(this.root()).toString('hex') as RootHash;
    const path = proveConsistency(this.leaves, from).map((hash) => Buffer.from(hash).toString('hex'));
    return { checkpoint: { origin: this.key.name, size, root, note: this.note() }, path };
  }

  async witnessed(head: { note: string; where: string; at: number }): Promise<void> {
    this.heard.push(head);
  }
}
