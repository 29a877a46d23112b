/** keccak256 of words of 32 bytes: what `keccak256(abi.encode(...))` of fixed-size values is in Solidity. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Hex } from '../brand.ts';
import { bytesToHex, hexToBytes } from '../rollup/bytes.ts';

const WORD_BYTES = 32;
const ADDRESS_BYTES = 20;

/** One value of `abi.encode`: an unsigned number, or hex of 32 bytes (bytes32) or 20 (address). */
export type Word = bigint | Hex;

/** @returns keccak256(abi.encode(words)). @throws RangeError for what is no word */
export function hashWords(words: readonly Word[]): Hex {
  const encoded = new Uint8Array(words.length * WORD_BYTES);
  words.forEach((word, index) => {
    encoded.set(encodeWord(word), index * WORD_BYTES);
  });
  return bytesToHex(keccak_256(encoded));
}

/** 32 bytes; an address is filled up on the left, as a number is. */
function encodeWord(word: Word): Uint8Array {
  const bytes = typeof word === 'bigint' ? hexToBytes(`0x${padded(word)}`) : hexToBytes(word);
  if (bytes.length !== WORD_BYTES && bytes.length !== ADDRESS_BYTES) throw new RangeError('a word is 32 bytes');
  const filled = new Uint8Array(WORD_BYTES);
  filled.set(bytes, WORD_BYTES - bytes.length);
  return filled;
}

function padded(value: bigint): string {
  if (value < 0n || value >= 1n << 256n) throw new RangeError('a word is an unsigned number of 256 bits');
  return value.toString(16).padStart(2 * WORD_BYTES, '0');
}
