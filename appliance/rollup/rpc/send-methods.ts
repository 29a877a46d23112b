import type { Hex } from '../../../protocol/brand.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { MAX_TRANSACTION_BYTES } from '../../../protocol/rollup/transaction.ts';
import { createSignal } from '../signal.ts';
import type { RpcMethod, RpcMethods } from './json-rpc.ts';
import { parseBytes, parseQuantity } from './params.ts';
import type { RpcDeps } from './rpc-deps.ts';
import { invalidParams, RPC_CODE, RpcError } from './rpc-error.ts';

/** EIP-7966: how long eth_sendRawTransactionSync waits for a block, unless told, and at most. */
const SYNC_WAIT_MS = 2_000;
const MAX_SYNC_WAIT_MS = 30_000n;
/** Of all callers together: each holds a request of the gateway. */
const MAX_SYNC_WAITS = 64;

type SendDeps = Pick<RpcDeps, 'submit' | 'onHeads'>;

function parseRaw(raw: unknown): Uint8Array {
  const bytes = hexToBytes(parseBytes(raw, 'transaction'));
  if (bytes.length > MAX_TRANSACTION_BYTES)
    throw invalidParams(`a transaction may have ${MAX_TRANSACTION_BYTES} bytes`);
  return bytes;
}

function parseWait(value: unknown): number {
  if (value === undefined || value === null) return SYNC_WAIT_MS;
  const wait = parseQuantity(value, 'timeout');
  if (wait === 0n) throw invalidParams('timeout is 0');
  return Number(wait > MAX_SYNC_WAIT_MS ? MAX_SYNC_WAIT_MS : wait);
}

/** Takes signed transactions to the sequencer. `receiptOf`: undefined while the transaction is in no block. */
export function createSendMethods(
  { submit, onHeads }: SendDeps,
  receiptOf: (hash: Hex) => Promise<unknown>,
): RpcMethods {
  let waits = 0;

  /** Resolves with the receipt as soon as a head brings it; undefined when the time is over or the caller left. */
  async function included(hash: Hex, signal: AbortSignal): Promise<unknown> {
    const heads = createSignal();
    const stop = onHeads(heads.raise);
    signal.addEventListener('abort', heads.raise, { once: true });
    try {
      while (!signal.aborted) {
        const receipt = await receiptOf(hash);
        if (receipt !== undefined) return receipt;
        await heads.raised();
      }
      return undefined;
    } finally {
      signal.removeEventListener('abort', heads.raise);
      stop();
    }
  }

  const sendSync: RpcMethod = async ([raw, timeout], { signal }) => {
    const bytes = parseRaw(raw);
    const waitMs = parseWait(timeout);
    if (waits >= MAX_SYNC_WAITS) throw new RpcError(RPC_CODE.limitExceeded, 'too many transactions are waited for');
    waits += 1;
    try {
      const hash = await submit(bytes);
      const over = AbortSignal.timeout(waitMs);
      const receipt = await included(hash, signal === undefined ? over : AbortSignal.any([over, signal]));
      if (receipt !== undefined) return receipt;
      const message = `the transaction was added to the mempool but was not processed in ${waitMs} ms`;
      throw new RpcError(RPC_CODE.syncTimeout, message, hash);
    } finally {
      waits -= 1;
    }
  };

  return {
    eth_sendRawTransaction: ([raw]) => submit(parseRaw(raw)),
    eth_sendRawTransactionSync: sendSync,
  };
}
