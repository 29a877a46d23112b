import { hexlify } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { parseTransaction } from '../../../protocol/rollup/transaction.ts';
import { type JsonRpc, RpcRefusal } from '../l1/json-rpc.ts';
import { ALREADY_KNOWN, type ForwardedTransactions } from '../rpc/pending-transactions.ts';

/** Where a transaction goes to be ordered: the own pool on the sequencer, its RPC everywhere else. */
export interface Ordering {
  /** Throws ROLLUP_SEQUENCER_REFUSED, ROLLUP_SEQUENCER_UNREACHABLE, ROLLUP_SEQUENCER_FULL. */
  submit(raw: Uint8Array): Promise<Hex>;
  /** The account's next nonce, its waiting transactions included. */
  pendingNonce(address: Hex): Promise<bigint>;
  /** Why a transaction that was taken will be in no block; undefined when nothing is known of it. */
  whyLost(hash: Hex): Promise<string | undefined>;
}

/** Room for three amounts of wei. */
const MAX_REASON_LENGTH = 320;

/** Hands transactions on to the sequencer's JSON-RPC. */
export function createForwarder(rpc: JsonRpc, signal: AbortSignal): Ordering {
  async function call(method: string, params: readonly unknown[]): Promise<string> {
    let answer: unknown;
    try {
      answer = await rpc.call(method, params, signal);
    } catch (cause) {
      const refusal = cause instanceof NectarError ? cause.cause : undefined;
      if (isNectarError(cause, 'ROLLUP_L1_REFUSED') && refusal instanceof RpcRefusal) {
        throw new NectarError('ROLLUP_SEQUENCER_REFUSED', { reason: printable(refusal.message) }, { cause });
      }
      throw new NectarError('ROLLUP_SEQUENCER_UNREACHABLE', { method }, { cause });
    }
    if (typeof answer === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(answer)) return answer;
    throw new NectarError('ROLLUP_SEQUENCER_UNREACHABLE', { method });
  }

  return {
    submit: async (raw) => (await call('eth_sendRawTransaction', [hexlify(raw)])) as Hex,
    pendingNonce: async (address) => BigInt(await call('eth_getTransactionCount', [address, 'pending'])),
    async whyLost(hash) {
      const answer = await rpc.call('nectar_whyLost', [hash], signal).catch(() => null);
      const { reason } = (answer ?? {}) as { reason?: unknown };
      return typeof reason === 'string' ? printable(reason) : undefined;
    },
  };
}

/**
 * Hands a transaction on and keeps it in the book: what this node forwarded counts for the next nonce and can be found, before its own
 * chain has it. The sequencer's "already known" is an answer lost on the way, unless it is in the book.
 */
export async function forwardKnown(
  raw: Uint8Array,
  {
    ordering,
    book,
    rules,
  }: { readonly ordering: Ordering; readonly book: ForwardedTransactions; readonly rules: Rules },
): Promise<Hex> {
  const signed = parseTransaction(raw, rules);
  try {
    const hash = await ordering.submit(raw);
    if (typeof signed === 'object' && hash === signed.hash) book.add(signed);
    return hash;
  } catch (error) {
    const isKnown = isNectarError(error, 'ROLLUP_SEQUENCER_REFUSED') && error.data.reason === ALREADY_KNOWN;
    if (!isKnown || typeof signed === 'string' || book.find(signed.hash) !== undefined) throw error;
    book.add(signed);
    return signed.hash;
  }
}

/** The reason is another machine's text: nothing in it may steer a terminal or fill a log. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_REASON_LENGTH);
}
