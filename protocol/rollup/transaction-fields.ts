import { RLP } from '@ethereumjs/rlp';
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js';
import { concatBytes } from '@noble/hashes/utils.js';

/** The fields of a legacy (0), EIP-2930 (1) or EIP-1559 (2) transaction that the batch codec stores in columns. */
export interface TransactionFields {
  readonly type: 0 | 1 | 2;
  /** Zero for a legacy transaction without EIP-155 replay protection. */
  readonly chainId: bigint;
  readonly nonce: bigint;
  /** Type 2: the priority fee per gas, wei; otherwise zero. */
  readonly priorityFee: bigint;
  /** Type 2: the fee cap per gas, wei; otherwise the gas price. */
  readonly maxFee: bigint;
  readonly gasLimit: bigint;
  /** 20 bytes; undefined creates a contract. */
  readonly to: Uint8Array | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  /** RLP of the access list, in the shape that `parseAccessList` accepts; undefined when it is empty or the type has none. */
  readonly accessList: Uint8Array | undefined;
  readonly yParity: 0 | 1;
  readonly r: bigint;
  readonly s: bigint;
}

type RlpItem = Uint8Array | RlpItem[];

const MAX_256_BIT = 32;
const MAX_64_BIT = 8;

/** Minimal big-endian bytes; zero is empty (Yellow Paper, appendix B). */
function scalar(value: bigint): Uint8Array {
  return value === 0n ? new Uint8Array() : numberToBytesBE(value, Math.ceil(value.toString(16).length / 2));
}

function readScalar(item: RlpItem | undefined, maxBytes: number): bigint | undefined {
  if (!(item instanceof Uint8Array) || item.length > maxBytes || item[0] === 0) return undefined;
  return item.length === 0 ? 0n : bytesToNumberBE(item);
}

/** EIP-155: `v` is 27 or 28 without replay protection, and 35 + 2 * chain id + parity with it. */
function legacyV(chainId: bigint, yParity: 0 | 1): bigint {
  return chainId === 0n ? 27n + BigInt(yParity) : 35n + 2n * chainId + BigInt(yParity);
}

/** Builds the EIP-2718 bytes of the fields: the inverse of `splitTransaction`. */
export function joinTransaction(fields: TransactionFields): Uint8Array {
  const { type, chainId, yParity } = fields;
  const body = [scalar(fields.gasLimit), fields.to ?? new Uint8Array(), scalar(fields.value), fields.data];
  const rs = [scalar(fields.r), scalar(fields.s)];
  if (type === 0) {
    return RLP.encode([scalar(fields.nonce), scalar(fields.maxFee), ...body, scalar(legacyV(chainId, yParity)), ...rs]);
  }
  const fees = type === 1 ? [scalar(fields.maxFee)] : [scalar(fields.priorityFee), scalar(fields.maxFee)];
  const accessList = fields.accessList === undefined ? [] : (parseAccessList(fields.accessList) ?? []);
  const tail = [accessList, scalar(BigInt(yParity)), ...rs];
  return concatBytes(
    Uint8Array.of(type),
    RLP.encode([scalar(chainId), scalar(fields.nonce), ...fees, ...body, ...tail]),
  );
}

/**
 * The items of an EIP-2930 access list from its RLP; undefined unless each is [address, [storage keys]]. RLP nested so deep
 * that an engine's stack ends fails the same way as any other wrong shape, so that engines with other stacks agree.
 */
export function parseAccessList(rlp: Uint8Array): RlpItem[] | undefined {
  try {
    const items: RlpItem = RLP.decode(rlp);
    return Array.isArray(items) && items.every(isAccessListItem) ? items : undefined;
  } catch {
    return undefined;
  }
}

function isAccessListItem(item: RlpItem): boolean {
  if (!Array.isArray(item) || item.length !== 2) return false;
  const [address, keys] = item;
  if (!(address instanceof Uint8Array) || address.length !== 20 || !Array.isArray(keys)) return false;
  return keys.every((key) => key instanceof Uint8Array && key.length === 32);
}

function decodeList(raw: Uint8Array): { type: 0 | 1 | 2; items: RlpItem[] } | undefined {
  const first = raw[0];
  if (first === undefined) return undefined;
  const type = first >= 0xc0 ? 0 : first;
  if (type !== 0 && type !== 1 && type !== 2) return undefined;
  if (type === 0 && first < 0xc0) return undefined;
  let items: RlpItem;
  try {
    items = RLP.decode(type === 0 ? raw : raw.subarray(1));
  } catch {
    return undefined;
  }
  return Array.isArray(items) && items.length === [9, 11, 12][type] ? { type, items } : undefined;
}

function readV(type: 0 | 1 | 2, items: RlpItem[]): { chainId: bigint; yParity: 0 | 1 } | undefined {
  if (type !== 0) {
    const chainId = readScalar(items[0], MAX_64_BIT);
    const parity = readScalar(items.at(-3), 1);
    return chainId === undefined || parity === undefined || parity > 1n
      ? undefined
      : { chainId, yParity: parity === 0n ? 0 : 1 };
  }
  const v = readScalar(items[6], MAX_64_BIT);
  if (v === undefined || v < 27n || (v > 28n && v < 37n)) return undefined;
  if (v <= 28n) return { chainId: 0n, yParity: v === 27n ? 0 : 1 };
  return { chainId: (v - 35n) / 2n, yParity: (v - 35n) % 2n === 0n ? 0 : 1 };
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/**
 * Splits an EIP-2718 transaction into its fields. Undefined when it is of another type or not in the one canonical form
 * that `joinTransaction` rebuilds byte for byte: the codec then carries it whole. Says nothing about validity.
 */
export function splitTransaction(raw: Uint8Array): TransactionFields | undefined {
  const decoded = decodeList(raw);
  if (decoded === undefined) return undefined;
  const { type, items } = decoded;
  const signature = readV(type, items);
  if (signature === undefined) return undefined;
  // Position of the nonce, and of the gas limit after one or two fee fields.
  const start = type === 0 ? 0 : 1;
  const gasAt = start + (type === 2 ? 3 : 2);
  const nonce = readScalar(items[start], MAX_64_BIT);
  const priorityFee = type === 2 ? readScalar(items[start + 1], MAX_256_BIT) : 0n;
  const maxFee = readScalar(items[gasAt - 1], MAX_256_BIT);
  const gasLimit = readScalar(items[gasAt], MAX_64_BIT);
  const [to, valueItem, data] = items.slice(gasAt + 1, gasAt + 4);
  const value = readScalar(valueItem, MAX_256_BIT);
  const r = readScalar(items.at(-2), MAX_256_BIT);
  const s = readScalar(items.at(-1), MAX_256_BIT);
  const list = type === 0 ? [] : items[gasAt + 4];
  if (nonce === undefined || priorityFee === undefined || maxFee === undefined || gasLimit === undefined)
    return undefined;
  if (value === undefined || r === undefined || s === undefined || !Array.isArray(list)) return undefined;
  if (!list.every(isAccessListItem)) return undefined;
  if (!(to instanceof Uint8Array) || (to.length !== 0 && to.length !== 20) || !(data instanceof Uint8Array))
    return undefined;
  const fields: TransactionFields = {
    type,
    ...signature,
    nonce,
    priorityFee,
    maxFee,
    gasLimit,
    to: to.length === 0 ? undefined : to,
    value,
    data,
    accessList: list.length === 0 ? undefined : RLP.encode(list),
    r,
    s,
  };
  return equal(joinTransaction(fields), raw) ? fields : undefined;
}
