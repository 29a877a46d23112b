import type { Hex } from '../../../protocol/brand.ts';

export interface AccessListItem {
  readonly address: Hex;
  readonly storageKeys: readonly Hex[];
}

/** A transaction that nobody signed, to be tried and forgotten. */
export interface CallRequest {
  readonly from: Hex;
  readonly to: Hex | undefined;
  readonly gas: bigint;
  /** Wei; zero runs as if the base fee were zero too. */
  readonly gasPrice: bigint;
  readonly value: bigint;
  readonly data: Hex;
  readonly accessList: readonly AccessListItem[];
}

/** An account as a call is to find it, whatever it is in the chain. */
export interface AccountOverride {
  readonly address: Hex;
  readonly balance?: bigint;
  readonly nonce?: bigint;
  readonly code?: Hex;
  /** Slot and value, 32 bytes each: `whole` instead of all storage, else in place of these slots. */
  readonly storage?: { readonly whole: boolean; readonly slots: readonly (readonly [Hex, Hex])[] };
}

/** The block as a call is to see it. */
export interface BlockOverride {
  readonly number?: bigint;
  readonly time?: bigint;
  readonly gasLimit?: bigint;
  readonly feeRecipient?: Hex;
  readonly prevRandao?: Hex;
  readonly baseFeePerGas?: bigint;
}

export interface CallOverrides {
  readonly state?: readonly AccountOverride[] | undefined;
  readonly block?: BlockOverride | undefined;
}

/** `refused` = the rules do not let it start; `reverted` and `failed` (out of gas, invalid opcode, ...) ran and used gas. */
export type CallOutcome =
  | { readonly kind: 'ok'; readonly gasUsed: bigint; readonly returned: Uint8Array }
  | { readonly kind: 'reverted'; readonly gasUsed: bigint; readonly returned: Uint8Array }
  | { readonly kind: 'failed'; readonly gasUsed: bigint; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };
