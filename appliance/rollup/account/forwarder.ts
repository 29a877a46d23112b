import { hexlify } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { type JsonRpc, RpcRefusal } from '../l1/json-rpc.ts';

/** Where a transaction goes to be ordered: the own pool on the sequencer, its RPC everywhere else. */
export interface Ordering {
  /** Throws ROLLUP_SEQUENCER_REFUSED, ROLLUP_SEQUENCER_UNREACHABLE, ROLLUP_SEQUENCER_FULL. */
  submit(raw: Uint8Array): Promise<Hex>;
  /** The account's next nonce, its waiting transactions included. */
  pendingNonce(address: Hex): Promise<bigint>;
}

const MAX_REASON_LENGTH = 160;

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
  };
}

/** The reason is another machine's text: nothing in it may steer a terminal or fill a log. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_REASON_LENGTH);
}
