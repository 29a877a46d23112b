import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';

/** Readers of one field of an L1 answer. Each throws ROLLUP_L1_RESPONSE_INVALID naming the field, never its value. */
export type Fields = Readonly<Record<string, unknown>>;

export function parseFields(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(what);
  return value as Fields;
}

export function parseList(value: unknown, what: string, max: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > max) throw invalid(what);
  return value;
}

/** A 0x quantity of at most 256 bits. */
export function quantity(fields: Fields, name: string): bigint {
  const value = fields[name];
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) throw invalid(name);
  return BigInt(value);
}

/** 0x bytes, of exactly `length` bytes when it is given, else of at most `max`. */
export function bytes(fields: Fields, name: string, length?: number, max = 4_194_304): Hex {
  const value = fields[name];
  if (typeof value !== 'string' || !value.startsWith('0x') || value.length % 2 !== 0) throw invalid(name);
  const size = (value.length - 2) / 2;
  if (length === undefined ? size > max : size !== length) throw invalid(name);
  if (!/^[0-9a-fA-F]*$/.test(value.slice(2))) throw invalid(name);
  return value.toLowerCase() as Hex;
}

export function invalid(what: string): NectarError<'ROLLUP_L1_RESPONSE_INVALID'> {
  return new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what });
}
