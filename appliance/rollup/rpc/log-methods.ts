import type { Block, BlockHeader } from '@ethereumjs/block';
import { Bloom } from '@ethereumjs/vm';
import type { Hex } from '../../../protocol/brand.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { ReceiptLog } from '../../../protocol/rollup/receipt.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcMethods } from './json-rpc.ts';
import { type BlockSelector, capped, parseAddress, parseHash, parseObject, parseSelector } from './params.ts';
import { renderLogs } from './render.ts';
import { invalidParams, RPC_CODE, RpcError } from './rpc-error.ts';

/** What one eth_getLogs may look through and give back. */
const MAX_RANGE_BLOCKS = 10_000n;
const MAX_RESULTS = 10_000;
const MAX_ALTERNATIVES = 1_000;
const MAX_TOPICS = 4;

interface LogFilter {
  /** Empty: any address. */
  readonly addresses: readonly Hex[];
  /** By position; empty: any topic. */
  readonly topics: readonly (readonly Hex[])[];
}

function parseAlternatives(value: unknown, parse: (item: unknown) => Hex): Hex[] {
  if (value === undefined || value === null) return [];
  const items = Array.isArray(value) ? value : [value];
  if (items.length > MAX_ALTERNATIVES) throw invalidParams('too many alternatives in the filter');
  return items.map(parse);
}

function parseFilter({ address, topics = [] }: Record<string, unknown>): LogFilter {
  if (topics !== null && (!Array.isArray(topics) || topics.length > MAX_TOPICS))
    throw invalidParams('topics are not a list of 4');
  return {
    addresses: parseAlternatives(address, (item) => parseAddress(item)),
    topics: ((topics ?? []) as unknown[]).map((topic) => parseAlternatives(topic, (item) => parseHash(item, 'topic'))),
  };
}

function mayContain(header: BlockHeader, { addresses, topics }: LogFilter): boolean {
  const bloom = new Bloom(header.logsBloom, header.common);
  const some = (items: readonly Hex[]): boolean =>
    items.length === 0 || items.some((item) => bloom.check(hexToBytes(item)));
  return some(addresses) && topics.every(some);
}

function matches(log: ReceiptLog, { addresses, topics }: LogFilter): boolean {
  if (addresses.length > 0 && !addresses.includes(log.address)) return false;
  return topics.every((wanted, i) => {
    const topic = log.topics[i];
    return topic !== undefined && (wanted.length === 0 || wanted.includes(topic));
  });
}

/** Event logs. */
export function createLogMethods(view: ChainView): RpcMethods {
  async function range(filter: Record<string, unknown>): Promise<BlockSelector[]> {
    if (filter.blockHash !== undefined) {
      const hash = parseHash(filter.blockHash, 'blockHash');
      await view.getHeader({ hash });
      return [{ hash }];
    }
    const from = await view.numberOf(parseSelector(filter.fromBlock));
    const to = capped(await view.numberOf(parseSelector(filter.toBlock)), view.latest());
    if (to - from >= MAX_RANGE_BLOCKS) {
      throw new RpcError(RPC_CODE.limitExceeded, `the range holds more than ${MAX_RANGE_BLOCKS} blocks`);
    }
    return Array.from({ length: Math.max(0, Number(to - from) + 1) }, (_, i) => ({ number: from + BigInt(i) }));
  }

  async function logsOf(block: Block, filter: LogFilter): Promise<Record<string, unknown>[]> {
    let index = 0;
    return (await view.receipts(block)).flatMap((receipt, at) => {
      const rendered = renderLogs(receipt, { block, index: at }, index);
      index += rendered.length;
      return rendered.filter((_, i) => {
        const log = receipt.logs[i];
        return log !== undefined && matches(log, filter);
      });
    });
  }

  return {
    async eth_getLogs([value]) {
      const raw = parseObject(value, 'filter');
      const filter = parseFilter(raw);
      const found: Record<string, unknown>[] = [];
      for (const selector of await range(raw)) {
        const header = 'number' in selector ? await view.findHeader(selector.number) : await view.getHeader(selector);
        const block = header && mayContain(header, filter) ? await view.findBlock(selector) : undefined;
        if (block !== undefined) found.push(...(await logsOf(block, filter)));
        if (found.length > MAX_RESULTS)
          throw new RpcError(RPC_CODE.limitExceeded, `more than ${MAX_RESULTS} logs match`);
      }
      return found;
    },
  };
}
