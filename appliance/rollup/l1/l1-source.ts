import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { BatchReader } from './batch-reader.ts';
import { isInBloom } from './bloom.ts';
import { invalid, quantity } from './field.ts';
import { type L1Header, parseHeader } from './header.ts';
import {
  BATCH_TOPIC,
  findBatch,
  findMessage,
  type InboxAddresses,
  type InboxEvent,
  MESSAGE_TOPIC,
} from './inbox-event.ts';
import type { JsonRpc } from './json-rpc.ts';
import { type L1Log, verifyReceipts } from './receipts.ts';

/** L1 as derivation sees it: every content checked against a header hash; only *which* header is the endpoint's word. */
export interface L1Source {
  /** Throws ROLLUP_L1_CHAIN_MISMATCH when the endpoint serves another chain. */
  verifyChain(signal: AbortSignal): Promise<void>;
  headerByTag(tag: 'latest' | 'finalized', signal: AbortSignal): Promise<L1Header | undefined>;
  headerByNumber(number: bigint, signal: AbortSignal): Promise<L1Header | undefined>;
  /** Inbox and SequencerInbox events of the block, in log order. */
  inboxEvents(header: L1Header, signal: AbortSignal): Promise<readonly InboxEvent[]>;
}

export interface L1SourceOptions {
  readonly chainId: bigint;
  readonly addresses: InboxAddresses;
  /** Age of its newest block at which an endpoint stands still, and another one is asked; 0: never. */
  readonly staleMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function createL1Source(options: L1SourceOptions, rpc: JsonRpc, batches: BatchReader): L1Source {
  const { staleMs, now } = options;

  /** Whoever lies once is asked last from then on. */
  async function checked<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (isNectarError(error, 'ROLLUP_L1_RESPONSE_INVALID')) rpc.distrust();
      throw error;
    }
  }

  function header(tag: string, signal: AbortSignal): Promise<L1Header | undefined> {
    return checked(async () => {
      const answer = await rpc.call('eth_getBlockByNumber', [tag, false], signal);
      if (answer === null) return undefined;
      const found = parseHeader(answer);
      // It answers, and says the same for ever: the next look asks another one.
      if (tag === 'latest' && staleMs > 0 && now() - Number(found.timestamp) * 1000 > staleMs) rpc.distrust();
      return found;
    });
  }

  async function readEvent(header: L1Header, log: L1Log, signal: AbortSignal): Promise<InboxEvent | undefined> {
    const found = findBatch(log, options.addresses);
    if (found === undefined) return findMessage(log, options.addresses);
    // Nothing but the obligation to read messages.
    if (found.source === 'forced') return found;
    const content = await batches.read(found, { header, transactionHash: log.transactionHash }, signal);
    return { ...found, content };
  }

  return {
    async verifyChain(signal) {
      const actual = quantity({ chainId: await rpc.call('eth_chainId', [], signal) }, 'chainId');
      if (actual === options.chainId) return;
      const data = { what: 'chain id', expected: String(options.chainId), actual: String(actual) };
      throw new NectarError('ROLLUP_L1_CHAIN_MISMATCH', data);
    },
    headerByTag: header,
    async headerByNumber(number, signal) {
      const found = await header(`0x${number.toString(16)}`, signal);
      if (found !== undefined && found.number !== number) throw invalid('block number');
      return found;
    },
    async inboxEvents(block, signal) {
      if (!mayConcern(block, options.addresses)) return [];
      return checked(async () => {
        const logs = await verifyReceipts(block, await rpc.call('eth_getBlockReceipts', [block.hash], signal));
        const events: InboxEvent[] = [];
        for (const log of logs) {
          const event = await readEvent(block, log, signal);
          if (event !== undefined) events.push(event);
        }
        return events;
      });
    },
  };
}

function mayConcern(block: L1Header, addresses: InboxAddresses): boolean {
  const holds = (item: `0x${string}`): boolean => isInBloom(block.logsBloom, item);
  return (holds(addresses.sequencerInbox) && holds(BATCH_TOPIC)) || (holds(addresses.inbox) && holds(MESSAGE_TOPIC));
}
