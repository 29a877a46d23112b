/** What a transaction offers: `maxFeePerBlobGas` of one that carries blobs. */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly maxFeePerBlobGas?: bigint;
}

/** The most that is ever offered for one unit. */
export interface FeeLimits {
  readonly maxFeePerGasWei: bigint;
  readonly maxFeePerBlobGasWei?: bigint;
}

/** What one unit costs on L1 now. */
export interface L1Prices {
  readonly gasWei: bigint;
  /** Undefined: this L1 has no blobs. */
  readonly blobGasWei: bigint | undefined;
}

/** Nodes replace a transaction for a tenth more; an eighth is safely over it. */
const BUMP_NUMERATOR = 9n;
const BUMP_DENOMINATOR = 8n;
/** Pools of blobs replace one for twice as much of all three fees, and for nothing less (geth's blobpool, EIP-4844). */
const BLOB_BUMP = 2n;

/** The least that replaces a transaction of these fees; undefined when that is beyond the limits. */
export function raiseFees(fees: Fees, limits: FeeLimits): Fees | undefined {
  const { maxFeePerGas, maxPriorityFeePerGas, maxFeePerBlobGas } = fees;
  const isBlob = maxFeePerBlobGas !== undefined;
  const up = (fee: bigint): bigint => (isBlob ? fee * BLOB_BUMP : (fee * BUMP_NUMERATOR) / BUMP_DENOMINATOR + 1n);
  if (up(maxFeePerGas) > limits.maxFeePerGasWei) return undefined;
  if (isBlob && up(maxFeePerBlobGas) > (limits.maxFeePerBlobGasWei ?? 0n)) return undefined;
  return {
    maxFeePerGas: up(maxFeePerGas),
    maxPriorityFeePerGas: up(maxPriorityFeePerGas),
    ...(isBlob && { maxFeePerBlobGas: up(maxFeePerBlobGas) }),
  };
}

const TRANSACTION_GAS = 21_000n;
/** EIP-7623: tokens are the bytes, those that are not zero four times; the floor is ten gas for each. */
const FLOOR_PER_TOKEN = 10n;
const GAS_PER_TOKEN = 4n;
const TOKENS_PER_NONZERO = 4n;
/** SequencerInbox takes a batch for so much, measured on the contract; the same in either form. */
const APPEND_GAS = 75_000n;
const GAS_PER_BLOB = 131_072n;

/** Wei that a batch costs in calldata: what it executes and stores, or EIP-7623's floor, whichever is more. */
export function calldataCost(data: Uint8Array, { gasWei }: L1Prices): bigint {
  let zeros = 0n;
  for (const byte of data) if (byte === 0) zeros += 1n;
  const tokens = zeros + (BigInt(data.length) - zeros) * TOKENS_PER_NONZERO;
  const executed = TRANSACTION_GAS + APPEND_GAS + tokens * GAS_PER_TOKEN;
  const floor = TRANSACTION_GAS + tokens * FLOOR_PER_TOKEN;
  return (executed > floor ? executed : floor) * gasWei;
}

/** Wei that it costs in so many blobs; undefined where there are none. */
export function blobCost(blobs: number, { gasWei, blobGasWei }: L1Prices): bigint | undefined {
  if (blobGasWei === undefined) return undefined;
  return (TRANSACTION_GAS + APPEND_GAS) * gasWei + BigInt(blobs) * GAS_PER_BLOB * blobGasWei;
}
