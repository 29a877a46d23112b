/** What the threads of KZG are asked and answer. Everything is public; a blob that is none is answered with undefined. */
export type KzgRequest =
  | { readonly id: number; readonly kind: 'commitment'; readonly blob: Uint8Array }
  | { readonly id: number; readonly kind: 'prove'; readonly blob: Uint8Array; readonly form: ProofForm }
  | { readonly id: number; readonly kind: 'element'; readonly blob: Uint8Array; readonly index: number };

/** One proof of the whole blob (EIP-4844), or one for each of its 128 cells (EIP-7594), which L1 asks for since Osaka. */
export type ProofForm = 'blob' | 'cells';

export interface KzgReply {
  readonly id: number;
  /** Hex of 48 bytes; undefined: the bytes are no blob. */
  readonly commitment: string | undefined;
  /** Of `prove`: one, or 128; of `element`: one. 48 bytes each. */
  readonly proofs: readonly string[];
}
