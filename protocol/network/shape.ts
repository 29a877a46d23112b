import type { Hex } from '../brand.ts';
import { NectarError } from '../errors.ts';

/** Checks one unknown value and returns it typed. `at` is where it stands, for the error. Throws NETWORK_DESCRIPTOR_INVALID. */
export type Shape<T> = (value: unknown, at: string) => T;

/** What a shape returns. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Required<F extends Fields> = { readonly [K in keyof F]: Shaped<F[K]> };
type Optional<F extends Fields> = { readonly [K in keyof F]?: Shaped<F[K]> };

export function invalidShape(at: string, problem: string): NectarError<'NETWORK_DESCRIPTOR_INVALID'> {
  return new NectarError('NETWORK_DESCRIPTOR_INVALID', { at, problem });
}

/** An object with exactly these fields: an unknown one is refused, for its author expected it to mean something. */
export function object<F extends Fields, O extends Fields = Record<never, never>>(
  fields: F,
  optional?: O,
): Shape<Required<F> & Optional<O>> {
  const known = new Map<string, Shape<unknown>>([...Object.entries(fields), ...Object.entries(optional ?? {})]);
  return (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidShape(at, 'not an object');
    const shaped: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      if (!known.has(name)) throw invalidShape(at, 'holds a field that this version does not know');
    }
    for (const [name, shape] of known) {
      const present = Object.hasOwn(value, name);
      if (!present && !(name in fields)) continue;
      if (!present) throw invalidShape(`${at}.${name}`, 'missing');
      shaped[name] = shape((value as Record<string, unknown>)[name], `${at}.${name}`);
    }
    return shaped as Required<F> & Optional<O>;
  };
}

/** An array of `min` to `max` items of one shape. */
export function list<T>(item: Shape<T>, min: number, max: number): Shape<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw invalidShape(at, 'not an array');
    if (value.length < min || value.length > max) throw invalidShape(at, `not ${min} to ${max} items`);
    return value.map((entry, index) => item(entry, `${at}[${index}]`));
  };
}

/** A string that matches the pattern as a whole; `what` describes it. The pattern must bound the length. */
export function text<T extends string = string>(pattern: RegExp, what: string): Shape<T> {
  return (value, at) => {
    if (typeof value !== 'string' || !pattern.test(value)) throw invalidShape(at, `not ${what}`);
    return value as T;
  };
}

/** A whole number of `min` to `max`, both safe integers. */
export function whole(min: number, max: number): Shape<number> {
  return (value, at) => {
    if (!Number.isSafeInteger(value) || Number(value) < min || Number(value) > max) {
      throw invalidShape(at, `not a whole number from ${min} to ${max}`);
    }
    return Number(value);
  };
}

/** Exactly this value. */
export function exactly<const T extends string | number>(expected: T): Shape<T> {
  return (value, at) => {
    if (value !== expected) throw invalidShape(at, `not ${expected}`);
    return expected;
  };
}

/** One of these texts. */
export function oneOf<const T extends string>(values: readonly T[]): Shape<T> {
  return (value, at) => {
    const found = values.find((each) => each === value);
    if (found === undefined) throw invalidShape(at, `not one of ${values.join(', ')}`);
    return found;
  };
}

/** True or false. */
export const flag: Shape<boolean> = (value, at) => {
  if (typeof value !== 'boolean') throw invalidShape(at, 'not true or false');
  return value;
};

/** `bytes` bytes as 0x-prefixed lower-case hex. */
export function hex(bytes: number): Shape<Hex> {
  return text<Hex>(new RegExp(`^0x[0-9a-f]{${bytes * 2}}$`), `${bytes} bytes as lower-case hex`);
}

/** An unsigned integer of at most 256 bits as a canonical decimal string. */
export const decimal: Shape<string> = text(/^(0|[1-9][0-9]{0,77})$/, 'a decimal number');
