import { hexlify, toQuantity, Wallet } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';

export interface L1SenderOptions {
  /** secp256k1, 32 bytes. */
  readonly key: Uint8Array;
  readonly chainId: bigint;
  /** The most that is ever offered for one unit of gas. */
  readonly maxFeePerGasWei: bigint;
}

export interface L1Call {
  readonly to: Hex;
  readonly data: Hex;
  /** Wei that the call carries. */
  readonly value?: bigint;
}

/** A transaction on its way: the same call on the same nonce, whatever it is offered. */
export interface Outgoing {
  readonly call: L1Call;
  readonly nonce: bigint;
  readonly gasLimit: bigint;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
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

/** Nodes replace a transaction for a tenth more; an eighth is safely over it. */
const BUMP_NUMERATOR = 9n;
const BUMP_DENOMINATOR = 8n;
const GAS_MARGIN_PERCENT = 120n;
const MIN_TIP_WEI = 1_000_000_000n;
const MAX_BUMPS_AT_ONCE = 24;

export function createL1Sender(options: L1SenderOptions, rpc: JsonRpc): L1Sender {
  const wallet = new Wallet(hexlify(options.key));

  async function number(method: string, params: readonly unknown[], signal: AbortSignal): Promise<bigint> {
    return BigInt(String(await rpc.call(method, params, signal)));
  }

  async function baseFee(signal: AbortSignal): Promise<bigint> {
    const block = (await rpc.call('eth_getBlockByNumber', ['latest', false], signal)) as { baseFeePerGas?: string };
    return BigInt(block.baseFeePerGas ?? '0x0');
  }

  async function publish(outgoing: Outgoing, signal: AbortSignal): Promise<void> {
    const { call, nonce, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = outgoing;
    const { chainId } = options;
    const fees = { gasLimit, maxFeePerGas, maxPriorityFeePerGas };
    const signed = await wallet.signTransaction({ type: 2, chainId, nonce: Number(nonce), ...call, ...fees });
    await rpc.call('eth_sendRawTransaction', [signed], signal);
  }

  function raise(outgoing: Outgoing): boolean {
    const up = (fee: bigint): bigint => (fee * BUMP_NUMERATOR) / BUMP_DENOMINATOR + 1n;
    if (up(outgoing.maxFeePerGas) > options.maxFeePerGasWei) return false;
    outgoing.maxFeePerGas = up(outgoing.maxFeePerGas);
    outgoing.maxPriorityFeePerGas = up(outgoing.maxPriorityFeePerGas);
    return true;
  }

  return {
    async send(call, signal) {
      const from = wallet.address;
      const { value = 0n, ...rest } = call;
      const gas = await number('eth_estimateGas', [{ from, ...rest, value: toQuantity(value) }], signal);
      const fee = (await baseFee(signal)) * 2n + MIN_TIP_WEI;
      const outgoing: Outgoing = {
        call,
        // The latest, not the pending one: what an earlier run left waiting is replaced, not followed.
        nonce: await number('eth_getTransactionCount', [from, 'latest'], signal),
        gasLimit: (gas * GAS_MARGIN_PERCENT) / 100n,
        maxFeePerGas: fee < options.maxFeePerGasWei ? fee : options.maxFeePerGasWei,
        maxPriorityFeePerGas: MIN_TIP_WEI,
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

function isUnderpriced(error: Error): boolean {
  return error.cause instanceof Error && /underpriced|already known|already imported/i.test(error.cause.message);
}
