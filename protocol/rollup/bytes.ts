import { hexToBytes as fromHex, bytesToHex as toHex } from '@noble/hashes/utils.js';
import type { Hex } from '../brand.ts';

/** 0x-prefixed lower-case hex of any bytes. */
export function bytesToHex(bytes: Uint8Array): Hex {
  return `0x${toHex(bytes)}`;
}

/** The bytes of 0x-prefixed hex of even length. Throws on anything else: for values that are already parsed. */
export function hexToBytes(hex: Hex): Uint8Array {
  return fromHex(hex.slice(2));
}
