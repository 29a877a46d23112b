/** How many items of its list stand before the gas limit, by the type of an EIP-2718 transaction. */
const ITEMS_BEFORE: { readonly [type: number]: number } = { 1: 3, 2: 4, 4: 4 };
const ITEMS_BEFORE_OF_LEGACY = 2;
const MAX_BYTES = 8;

interface Item {
  readonly isList: boolean;
  readonly payload: Uint8Array;
  readonly rest: Uint8Array;
}

function readLength(digits: Uint8Array, count: number): number | undefined {
  if (digits.length !== count || digits[0] === 0) return undefined;
  const length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
  return length < 56 ? undefined : length;
}

/** Takes one item off RLP, strictly (Yellow Paper, appendix B); undefined when it is not in the one canonical form. */
function takeItem(input: Uint8Array): Item | undefined {
  const [first] = input;
  if (first === undefined) return undefined;
  if (first < 0x80) return { isList: false, payload: input.subarray(0, 1), rest: input.subarray(1) };
  const isList = first >= 0xc0;
  const short = first - (isList ? 0xc0 : 0x80);
  const digits = Math.max(0, short - 55);
  const length = digits === 0 ? short : readLength(input.subarray(1, 1 + digits), digits);
  if (length === undefined) return undefined;
  const end = 1 + digits + length;
  const payload = input.subarray(1 + digits, end);
  if (payload.length !== length || (first === 0x81 && (payload[0] ?? 0) < 0x80)) return undefined;
  return { isList, payload, rest: input.subarray(end) };
}

/**
 * The gas limit that EIP-2718 bytes name, by its place alone; undefined when there is none. Whatever the machine decodes has it
 * there (machine/core/src/effects.rs reads it alike), whichever types this version knows otherwise.
 */
export function gasLimitOf(raw: Uint8Array): bigint | undefined {
  const type = raw[0] ?? 0;
  const isLegacy = type >= 0xc0;
  const before = isLegacy ? ITEMS_BEFORE_OF_LEGACY : ITEMS_BEFORE[type];
  const list = before === undefined ? undefined : takeItem(isLegacy ? raw : raw.subarray(1));
  if (before === undefined || list === undefined || !list.isList || list.rest.length > 0) return undefined;
  let item = takeItem(list.payload);
  for (let i = 0; i < before && item !== undefined; i += 1) item = takeItem(item.rest);
  if (item === undefined || item.isList || item.payload.length > MAX_BYTES || item.payload[0] === 0) return undefined;
  return item.payload.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}
