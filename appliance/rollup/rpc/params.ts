import type { Hex } from '../../../protocol/brand.ts';
import { invalidParams } from './rpc-error.ts';

/** Which block a call is about: a number, a hash (EIP-1898), or one of the tags. */
export type BlockSelector =
  | { readonly number: bigint }
  | { readonly hash: Hex }
  | { readonly tag: 'latest' | 'safe' | 'finalized' | 'earliest' | 'pending' };

const TAGS = ['latest', 'safe', 'finalized', 'earliest', 'pending'] as const;
const MAX_DATA_DIGITS = 2 * 1024 * 1024;

/** Parses an untrusted hex quantity of at most 256 bits. */
export function parseQuantity(value: unknown, name: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value))
    throw invalidParams(`${name} is not a hex quantity`);
  return BigInt(value);
}

/** Parses untrusted hex bytes: exactly `length` when given. */
export function parseBytes(value: unknown, name: string, length?: number): Hex {
  if (typeof value !== 'string' || value.length > MAX_DATA_DIGITS) throw invalidParams(`${name} is not hex data`);
  if (!/^0x([0-9a-fA-F]{2})*$/.test(value)) throw invalidParams(`${name} is not hex data`);
  if (length !== undefined && value.length !== 2 + 2 * length)
    throw invalidParams(`${name} is not ${length} bytes of hex`);
  return value.toLowerCase() as Hex;
}

export function parseAddress(value: unknown, name = 'address'): Hex {
  return parseBytes(value, name, 20);
}

export function parseHash(value: unknown, name = 'hash'): Hex {
  return parseBytes(value, name, 32);
}

/** Parses an untrusted object; undefined and null are an empty one. */
export function parseObject(value: unknown, name: string): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidParams(`${name} is not an object`);
  return value as Record<string, unknown>;
}

/** Parses a block parameter: tag, quantity, or EIP-1898 object; absent means latest. */
export function parseSelector(value: unknown): BlockSelector {
  if (value === undefined || value === null) return { tag: 'latest' };
  if (typeof value === 'object') {
    const { blockHash, blockNumber } = parseObject(value, 'block');
    if (blockHash !== undefined) return { hash: parseHash(blockHash, 'blockHash') };
    return { number: parseQuantity(blockNumber, 'blockNumber') };
  }
  const tag = TAGS.find((known) => known === value);
  if (tag !== undefined) return { tag };
  if (typeof value === 'string' && value.length === 66) return { hash: parseHash(value, 'block') };
  return { number: parseQuantity(value, 'block') };
}

/** The value, or the limit when it is above it. */
export function capped(value: bigint, limit: bigint): bigint {
  if (value > limit) return limit;
  return value;
}
