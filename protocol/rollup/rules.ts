import { type Common, createCustomCommon, Hardfork, Mainnet, type ParamsDict } from '@ethereumjs/common';
import type { Hex } from '../brand.ts';
import type { Fork, ForkRules } from './fork.ts';

/** Native replacements for the pure-JavaScript primitives; each must give exactly what the one that it replaces gives. */
export interface HostCrypto {
  /** Keccak-256 as in Ethereum. */
  readonly keccak256?: (message: Uint8Array) => Uint8Array;
  /** 64 bytes of public key from a 32-byte digest; throws when there is none. `recovery` is 0 or 1. */
  readonly recover?: (digest: Uint8Array, signature: Uint8Array, recovery: 0 | 1) => Uint8Array;
}

/** Ethereum's rules as this chain runs them: those of its fork, its own chain id. Made once per chain by `createRules`. */
export type Rules = Common;

/** How many slots EIP-4788's two ring buffers have. */
export const ORIGIN_ROOTS_LENGTH = 8191n;
/** EIP-4788: where contracts read the hash of a block's L1 origin, by the block's timestamp. */
export const ORIGIN_ROOTS_ADDRESS: Hex = '0x000f3df6d732807ef1319fb7b8bb8522d0beac02';
/** EIP-4788's contract, byte for byte as the EIP gives it. */
export const ORIGIN_ROOTS_CODE: Hex =
  '0x3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500';

/** EIP-2935: where contracts read the hashes of the blocks before, by number. */
export const HISTORY_ADDRESS: Hex = '0x0000f90827f1c53a10cb7a02335b175320002935';
export const HISTORY_LENGTH = 8191n;
/** EIP-2935's contract, byte for byte as the EIP gives it. */
export const HISTORY_CODE: Hex =
  '0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500';
/** EIP-7685: a block of this chain makes no requests to a consensus layer. SHA-256 of nothing. */
export const NO_REQUESTS_HASH: Hex = '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const HARDFORKS: Record<Fork, Hardfork> = {
  cancun: Hardfork.Cancun,
  prague: Hardfork.Prague,
  osaka: Hardfork.Osaka,
};
const P256_EIP = 7951;
const BYTES_OF_SCALAR = 32;

function leftPad(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(BYTES_OF_SCALAR);
  padded.set(bytes, BYTES_OF_SCALAR - bytes.length);
  return padded;
}

/** The recovery bit of a legacy (27 or 28, or EIP-155) or typed (0 or 1) signature. */
function recoveryBit(v: bigint, chainId: bigint | undefined): 0 | 1 {
  const bit = v === 0n || v === 1n ? v : chainId === undefined ? v - 27n : v - 35n - 2n * chainId;
  if (bit !== 0n && bit !== 1n) throw new RangeError('signature v out of range');
  return bit === 0n ? 0 : 1;
}

/**
 * The rules of the chain with this id. The result is shared by every block and transaction, so it answers `copy()` with
 * itself: nothing here changes a hardfork, and a copy for each transaction would cost more than its signature.
 */
export function createRules(
  chainId: bigint,
  crypto: HostCrypto = {},
  { fork, p256 }: ForkRules = { fork: 'cancun', p256: false },
): Rules {
  const { keccak256, recover } = crypto;
  const rules = createCustomCommon({ chainId: Number(chainId), name: 'nectar' }, Mainnet, {
    hardfork: HARDFORKS[fork],
    ...(p256 && fork !== 'osaka' && { eips: [P256_EIP] }),
    customCrypto: {
      ...(keccak256 && { keccak256 }),
      ...(recover && {
        ecrecover: (digest: Uint8Array, v: bigint, r: Uint8Array, s: Uint8Array, chain?: bigint) => {
          const signature = new Uint8Array(2 * BYTES_OF_SCALAR);
          signature.set(leftPad(r));
          signature.set(leftPad(s), BYTES_OF_SCALAR);
          return recover(digest, signature, recoveryBit(v, chain));
        },
      }),
    },
  });
  rules.copy = () => rules;
  // Each EVM listens for a change of the fork as long as the rules live, and would live as long: no fork changes here, nobody listens.
  rules.events.on = () => rules.events;
  mergeOnce(rules);
  return rules;
}

/** Every transaction merges the same tables of gas costs into the rules again: after the first time that changes nothing. */
function mergeOnce(rules: Rules): void {
  const merged = new Set<ParamsDict>();
  const merge = rules.updateParams.bind(rules);
  rules.updateParams = (params) => {
    if (merged.has(params)) return;
    merged.add(params);
    merge(params);
  };
}
