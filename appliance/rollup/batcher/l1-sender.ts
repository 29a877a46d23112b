import { concat, hexlify, Transaction, toQuantity, Wallet } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import type { ProvenBlob } from '../blobs/kzg-thread.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';
import { type FeeLimits, type Fees, type L1Prices, raiseFees } from './fees.ts';

export interface L1SenderOptions extends FeeLimits {
  /** secp256k1, 32 bytes. */
  readonly key: Uint8Array;
  readonly chainId: bigint;
}

export interface L1Call {
  readonly to: Hex;
  readonly data: Hex;
  /** Wei that the call carries. */
  readonly value?: bigint;
  /** Makes it a transaction of type 3. */
  readonly blobs?: readonly ProvenBlob[];
}

/** A transaction on its way: the same call on the same nonce, whatever it is offered. */
export interface Outgoing {
  readonly call: L1Call;
  readonly nonce: bigint;
  readonly gasLimit: bigint;
  fees: Fees;
}

/**
 * Where a sent call stands by the account's nonce, which an L1 reorg may take back: `next` can be mined now; `used` means that
 * this call or another one with its nonce is mined; `detached` waits behind a gap that nothing fills, so it is never mined.
 */
export type Standing = 'next' | 'used' | 'detached';

/** Sends from one L1 account, one call at a time. Only L1 knows what arrived: nothing here is remembered over a restart. */
export interface L1Sender {
  /** Throws ROLLUP_L1_REFUSED when the call would revert. */
  send(call: L1Call, signal: AbortSignal): Promise<Outgoing>;
  /** Offers more for the same nonce, so that at most one of the two is ever mined. False when the limit is reached. */
  bump(outgoing: Outgoing, signal: AbortSignal): Promise<boolean>;
  standing(outgoing: Outgoing, signal: AbortSignal): Promise<Standing>;
}

/** One that also knows what L1 takes now. */
export interface PricedL1Sender extends L1Sender {
  prices(signal: AbortSignal): Promise<L1Prices>;
}

const GAS_MARGIN_PERCENT = 120n;
const MIN_TIP_WEI = 1_000_000_000n;
const MAX_BUMPS_AT_ONCE = 24;

export function createL1Sender(options: L1SenderOptions, rpc: JsonRpc): PricedL1Sender {
  const wallet = new Wallet(hexlify(options.key));

  async function number(method: string, params: readonly unknown[], signal: AbortSignal): Promise<bigint> {
    return BigInt(String(await rpc.call(method, params, signal)));
  }

  async function baseFee(signal: AbortSignal): Promise<bigint> {
    const block = (await rpc.call('eth_getBlockByNumber', ['latest', false], signal)) as { baseFeePerGas?: string };
    return BigInt(block.baseFeePerGas ?? '0x0');
  }

  /** Undefined: this L1 has no blobs, or does not say what they cost. */
  async function blobBaseFee(signal: AbortSignal): Promise<bigint | undefined> {
    try {
      return await number('eth_blobBaseFee', [], signal);
    } catch (error) {
      if (isNectarError(error, 'ROLLUP_L1_REFUSED')) return undefined;
      throw error;
    }
  }

  async function publish({ call, nonce, gasLimit, fees }: Outgoing, signal: AbortSignal): Promise<void> {
    const { blobs, ...plain } = call;
    const common = { chainId: options.chainId, nonce: Number(nonce), ...plain, gasLimit, ...fees };
    const tx = Transaction.from(
      blobs === undefined ? { type: 2, ...common } : { type: 3, ...common, ...sidecar(blobs) },
    );
    tx.signature = wallet.signingKey.sign(tx.unsignedHash);
    await rpc.call('eth_sendRawTransaction', [tx.serialized], signal);
  }

  function raise(outgoing: Outgoing): boolean {
    const raised = raiseFees(outgoing.fees, options);
    outgoing.fees = raised ?? outgoing.fees;
    return raised !== undefined;
  }

  async function firstFees(call: L1Call, signal: AbortSignal): Promise<Fees> {
    const atMost = (fee: bigint, limit: bigint): bigint => (fee < limit ? fee : limit);
    const maxFeePerGas = atMost((await baseFee(signal)) * 2n + MIN_TIP_WEI, options.maxFeePerGasWei);
    const fees = { maxFeePerGas, maxPriorityFeePerGas: atMost(MIN_TIP_WEI, maxFeePerGas) };
    if (call.blobs === undefined) return fees;
    const blobFee = ((await blobBaseFee(signal)) ?? 1n) * 2n;
    return { ...fees, maxFeePerBlobGas: atMost(blobFee, options.maxFeePerBlobGasWei ?? 0n) };
  }

  return {
    async send(call, signal) {
      const from = wallet.address;
      const fees = await firstFees(call, signal);
      const { value = 0n, blobs, ...rest } = call;
      const carried = blobs && {
        blobVersionedHashes: blobs.map(({ versionedHash }) => versionedHash),
        maxFeePerBlobGas: toQuantity(fees.maxFeePerBlobGas ?? 0n),
      };
      const tried = { from, ...rest, value: toQuantity(value), ...carried };
      const gas = await number('eth_estimateGas', [tried], signal);
      const outgoing: Outgoing = {
        call,
        // The latest, not the pending one: what an earlier run left waiting is replaced, not followed.
        nonce: await number('eth_getTransactionCount', [from, 'latest'], signal),
        gasLimit: (gas * GAS_MARGIN_PERCENT) / 100n,
        fees,
      };
      for (let bumps = 0; ; bumps += 1) {
        try {
          await publish(outgoing, signal);
          return outgoing;
        } catch (error) {
          // An earlier run's transaction holds the nonce at a higher price.
          const replaceable = isNectarError(error, 'ROLLUP_L1_REFUSED') && bumps < MAX_BUMPS_AT_ONCE;
          if (!replaceable || !isUnderpriced(error) || !raise(outgoing)) throw error;
        }
      }
    },
    prices: async (signal) => ({ gasWei: await baseFee(signal), blobGasWei: await blobBaseFee(signal) }),
    async bump(outgoing, signal) {
      if (!raise(outgoing)) return false;
      await publish(outgoing, signal);
      return true;
    },
    async standing({ nonce }, signal) {
      const next = await number('eth_getTransactionCount', [wallet.address, 'latest'], signal);
      if (next === nonce) return 'next';
      return next > nonce ? 'used' : 'detached';
    },
  };
}

/** The blobs as a pool takes them: with one proof each, or with one for each cell (EIP-7594). */
function sidecar(blobs: readonly ProvenBlob[]) {
  const hasCells = blobs.some(({ proofs }) => proofs.length > 1);
  return {
    blobs: blobs.map(({ blob, commitment, proofs }) => ({ data: blob, commitment, proof: concat(proofs) })),
    blobVersionedHashes: blobs.map(({ versionedHash }) => versionedHash),
    ...(hasCells && { blobWrapperVersion: 1 }),
  };
}

function isUnderpriced(error: Error): boolean {
  return error.cause instanceof Error && /underpriced|already known|already imported/i.test(error.cause.message);
}
