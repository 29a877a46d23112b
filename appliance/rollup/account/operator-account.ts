import { getBytes, hexlify, keccak256, toQuantity, Wallet } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { RpcRefusal } from '../l1/json-rpc.ts';
import type { Ordering } from './forwarder.ts';
import type { OwnTransaction } from './tracked-list.ts';

/** What the account consumes of the node: JSON-RPC on its own chain; rejects with RpcRefusal. */
export type OwnRpc = (method: string, params: readonly unknown[]) => Promise<unknown>;

/** The node's own account on L2: it applies, anchors and keeps its addresses current. */
export interface OperatorAccount {
  address(): Hex;
  balance(): Promise<bigint>;
  /** Resolves with the hash once the sequencer has taken it. Throws ROLLUP_ACCOUNT_CALL_REVERTED, ROLLUP_ACCOUNT_FUNDS. */
  send(tx: { readonly to: Hex; readonly data: Hex; readonly valueWei?: bigint }): Promise<Hex>;
  /** From the own chain; undefined while it is in no block of it. */
  receipt(hash: Hex): Promise<{ readonly blockNumber: bigint; readonly status: 0 | 1 } | undefined>;
}

/** The state may change between the estimate and the block. */
const GAS_MARGIN_PERCENT = 130n;

export interface OperatorAccountDeps {
  readonly rpc: OwnRpc;
  readonly ordering: Ordering;
  /** Called with each transaction, which leaves once this has resolved, whatever the sequencer makes of it. */
  readonly onSigned?: (transaction: OwnTransaction) => Promise<void>;
  /** The first nonce from this one on that the node has given to no transaction. Undefined: the sequencer is this node itself. */
  readonly nextFree?: (nonce: bigint) => Promise<bigint | undefined>;
}

export function createOperatorAccount(
  options: { readonly key: Uint8Array; readonly chainId: bigint },
  deps: OperatorAccountDeps,
): OperatorAccount {
  const { rpc, ordering } = deps;
  const wallet = new Wallet(hexlify(options.key));
  const address = wallet.address.toLowerCase() as Hex;
  let last: Promise<unknown> = Promise.resolve();

  async function estimate(to: Hex, data: Hex, valueWei: bigint): Promise<bigint> {
    try {
      const call = { from: address, to, data, value: toQuantity(valueWei) };
      return (BigInt((await rpc('eth_estimateGas', [call])) as string) * GAS_MARGIN_PERCENT) / 100n;
    } catch (cause) {
      if (!(cause instanceof RpcRefusal)) throw cause;
      if (/funds|balance/i.test(cause.message)) throw new NectarError('ROLLUP_ACCOUNT_FUNDS', { address }, { cause });
      throw new NectarError('ROLLUP_ACCOUNT_CALL_REVERTED', { to }, { cause });
    }
  }

  async function baseFeeAt(tag: 'latest' | 'safe'): Promise<bigint> {
    const head = (await rpc('eth_getBlockByNumber', [tag, false])) as { baseFeePerGas: string };
    return BigInt(head.baseFeePerGas);
  }

  /** L1 may give up the unsafe blocks, in which the base fee has fallen: then the next block follows the safe head. */
  async function maxFee(): Promise<bigint> {
    const latest = await baseFeeAt('latest');
    const safe = await baseFeeAt('safe');
    if (safe > latest) return 2n * safe;
    return 2n * latest;
  }

  async function balance(): Promise<bigint> {
    return BigInt((await rpc('eth_getBalance', [address, 'latest'])) as string);
  }

  /**
   * The sequencer knows what waits in its pool, and must not keep the account from signing: where it is silent or refuses, the own
   * chain's nonce is the next. Adversary: one whose answer is a nonce that is used already, or one behind a gap, which L2 never takes.
   */
  async function nextNonce(): Promise<bigint> {
    const own = BigInt((await rpc('eth_getTransactionCount', [address, 'latest'])) as string);
    let asked: bigint;
    try {
      asked = await ordering.pendingNonce(address);
    } catch (error) {
      if (!isNectarError(error, 'ROLLUP_SEQUENCER_UNREACHABLE') && !isNectarError(error, 'ROLLUP_SEQUENCER_REFUSED'))
        throw error;
      return own;
    }
    const highest = (await deps.nextFree?.(own)) ?? asked;
    if (asked < own) return own;
    return asked > highest ? highest : asked;
  }

  async function sendNext(to: Hex, data: Hex, value: bigint): Promise<Hex> {
    const gasLimit = await estimate(to, data, value);
    const maxFeePerGas = await maxFee();
    if ((await balance()) < gasLimit * maxFeePerGas + value) throw new NectarError('ROLLUP_ACCOUNT_FUNDS', { address });
    const nonce = await nextNonce();
    const signed = await wallet.signTransaction({
      type: 2,
      chainId: options.chainId,
      nonce: Number(nonce),
      to,
      data,
      value,
      gasLimit,
      maxFeePerGas,
      maxPriorityFeePerGas: 0n,
    });
    const raw = getBytes(signed);
    await deps.onSigned?.({ raw, hash: keccak256(raw) as Hex, nonce, maxFeePerGasWei: maxFeePerGas });
    return ordering.submit(raw);
  }

  return {
    address: () => address,
    balance,
    send({ to, data, valueWei }) {
      // One at a time: two at once would be given the same nonce.
      const sent = last.then(() => sendNext(to, data, valueWei ?? 0n));
      last = sent.catch(() => {});
      return sent;
    },
    async receipt(hash) {
      const found = (await rpc('eth_getTransactionReceipt', [hash])) as { blockNumber: string; status: string } | null;
      if (found === null) return undefined;
      return { blockNumber: BigInt(found.blockNumber), status: BigInt(found.status) === 1n ? 1 : 0 };
    },
  };
}
