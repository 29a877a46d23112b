import { toBeHex, zeroPadValue } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { BATCH_TOPIC } from './inbox-event.ts';
import type { JsonRpc } from './json-rpc.ts';

/** Answers that are remembered: an L1 block says the same for ever. */
const MAX_KNOWN = 256;

/** Which transaction brought a batch: an endpoint's word, for people to look it up. Undefined when none says. */
export type BatchTransactions = (batch: {
  readonly sequenceNumber: bigint;
  readonly l1: { readonly hash: Hex };
}) => Promise<Hex | undefined>;

export function createBatchTransactions(sequencerInbox: Hex, rpc: Pick<JsonRpc, 'call'>): BatchTransactions {
  const { signal } = new AbortController();
  const known = new Map<string, Hex>();
  return async ({ sequenceNumber, l1 }) => {
    const key = `${sequenceNumber} ${l1.hash}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const topics = [BATCH_TOPIC, zeroPadValue(toBeHex(sequenceNumber), 32)];
    const filter = { blockHash: l1.hash, address: sequencerInbox, topics };
    const logs = await rpc.call('eth_getLogs', [filter], signal).catch(() => undefined);
    const hash: unknown = Array.isArray(logs) ? logs[0]?.transactionHash : undefined;
    if (typeof hash !== 'string' || !/^0x[0-9a-f]{64}$/.test(hash)) return undefined;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(key, hash as Hex);
    return hash as Hex;
  };
}
