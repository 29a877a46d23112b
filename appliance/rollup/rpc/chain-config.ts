import { crc32 } from 'node:zlib';
import type { Hex } from '../../../protocol/brand.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { ORIGIN_ROOTS_ADDRESS, type Rules } from '../../../protocol/rollup/rules.ts';
import { quantity } from './render.ts';

/** EIP-7910's names, in the order of their addresses from 0x01 on. */
const PRECOMPILES = [
  'ECREC',
  'SHA256',
  'RIPEMD160',
  'ID',
  'MODEXP',
  'BN254_ADD',
  'BN254_MUL',
  'BN254_PAIRING',
  'BLAKE2F',
  'KZG_POINT_EVALUATION',
] as const;
/** EIP-2537, from 0x0b on. */
const BLS_PRECOMPILES = [
  'BLS12_G1ADD',
  'BLS12_G1MSM',
  'BLS12_G2ADD',
  'BLS12_G2MSM',
  'BLS12_PAIRING_CHECK',
  'BLS12_MAP_FP_TO_G1',
  'BLS12_MAP_FP2_TO_G2',
] as const;
const P256_VERIFY = { P256VERIFY: addressOf(0x100) };
const HISTORY_STORAGE_ADDRESS: Hex = '0x0000f90827f1c53a10cb7a02335b175320002935';

function addressOf(number: number): Hex {
  return `0x${number.toString(16).padStart(40, '0')}`;
}

function precompiles(rules: Rules): Record<string, Hex> {
  const names: readonly string[] = rules.isActivatedEIP(2537) ? [...PRECOMPILES, ...BLS_PRECOMPILES] : PRECOMPILES;
  const numbered = Object.fromEntries(names.map((name, index) => [name, addressOf(index + 1)]));
  return rules.isActivatedEIP(7951) ? { ...numbered, ...P256_VERIFY } : numbered;
}

/** What eth_config (EIP-7910) says of this chain: one fork from genesis on, no blobs. */
export function describeConfig(rules: Rules, genesisHash: Hex): Record<string, unknown> {
  const current = {
    activationTime: 0,
    blobSchedule: { baseFeeUpdateFraction: 1, max: 0, target: 0 },
    chainId: quantity(rules.chainId()),
    // EIP-2124 of a chain whose forks are all at genesis.
    forkId: `0x${crc32(hexToBytes(genesisHash)).toString(16).padStart(8, '0')}`,
    precompiles: precompiles(rules),
    systemContracts: {
      BEACON_ROOTS_ADDRESS: ORIGIN_ROOTS_ADDRESS,
      ...(rules.isActivatedEIP(2935) && { HISTORY_STORAGE_ADDRESS }),
    },
  };
  return { current, next: null, last: null };
}
