import type { BlockHeader } from '@ethereumjs/block';
import type { LogIndex } from '../logs/log-index.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcContext, RpcMethods } from './json-rpc.ts';
import { findLogs, type LogFilter, parseLogFilter } from './log-filter.ts';
import { capped, parseHash, parseObject, parseSelector } from './params.ts';
import { quantity } from './render.ts';
import { invalidParams, RPC_CODE, RpcError } from './rpc-error.ts';
import { READ_COST_MS, type Work, type WorkMeter } from './work-meter.ts';

/** What one eth_getLogs may look through without the index, and give back. Indexers know these words and halve their range. */
const MAX_RANGE_BLOCKS = 10_000n;
const MAX_RESULTS = 10_000;
/** What it may look through with the index: a filter that names an address or a topic. */
const MAX_INDEXED_BLOCKS = 1_000_000n;

/** Looks for logs in the canonical chain. */
export interface LogSearch {
  /** Of an untrusted filter object with its range. Throws RpcError when it asks for too much. */
  find(filter: Record<string, unknown>, context: RpcContext): Promise<Record<string, unknown>[]>;
}

export interface LogSearchDeps {
  /** Absent: every block is looked at. */
  readonly index?: Pick<LogIndex, 'find' | 'next'> | undefined;
  readonly meter: WorkMeter;
}

interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

export function createLogSearch(view: ChainView, { index, meter }: LogSearchDeps): LogSearch {
  async function logsOf(header: BlockHeader, filter: LogFilter, work: Work): Promise<Record<string, unknown>[]> {
    const receipts = await view.receipts(header);
    await work.spend(READ_COST_MS.receipts + receipts.length * READ_COST_MS.receipt);
    return findLogs(filter, header, { receipts });
  }

  async function rangeOf(raw: Record<string, unknown>, filter: LogFilter): Promise<Range> {
    const from = await view.numberOf(parseSelector(raw.fromBlock));
    const asked = await view.numberOf(parseSelector(raw.toBlock));
    if (from > asked) throw invalidParams('invalid block range: fromBlock is after toBlock');
    const to = capped(asked, view.latest());
    // Blocks that are not indexed yet are looked through one by one.
    const indexed = filter.wanted.length > 0 ? (index?.next() ?? 0n) : 0n;
    const isIndexed = to - (indexed > from ? indexed : from) < MAX_RANGE_BLOCKS;
    const limit = isIndexed && indexed > from ? MAX_INDEXED_BLOCKS : MAX_RANGE_BLOCKS;
    if (to - from >= limit)
      throw invalidParams(`exceed maximum block range: ${limit} (asked for ${to - from + 1n} blocks)`);
    return { from, to };
  }

  /** The blocks that may hold such logs, rising: by the index as far as it goes, then all. */
  async function* places(filter: LogFilter, { from, to }: Range, work: Work): AsyncGenerator<bigint> {
    let next = from;
    if (index !== undefined && filter.wanted.length > 0) {
      const { through, blocks } = await index.find(filter.wanted, { from, to }, () => work.spend(READ_COST_MS.record));
      yield* blocks;
      if (through >= from) next = through + 1n;
    }
    for (; next <= to; next += 1n) yield next;
  }

  async function inRange(filter: LogFilter, range: Range, work: Work): Promise<Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    for await (const number of places(filter, range, work)) {
      await work.spend(READ_COST_MS.record);
      const header = await view.findHeader(number);
      if (header !== undefined && filter.mayBeIn(header)) found.push(...(await logsOf(header, filter, work)));
      if (found.length > MAX_RESULTS) {
        const fits = number > range.from ? number - 1n : range.from;
        throw new RpcError(
          RPC_CODE.limitExceeded,
          `query returned more than ${MAX_RESULTS} results. Try with this block range [${quantity(range.from)}, ${quantity(fits)}].`,
        );
      }
    }
    return found;
  }

  return {
    async find(raw, context) {
      const filter = parseLogFilter(raw);
      const work = meter.begin(context);
      if (raw.blockHash === undefined || raw.blockHash === null)
        return inRange(filter, await rangeOf(raw, filter), work);
      const known = (name: string): boolean => raw[name] !== undefined && raw[name] !== null;
      if (known('fromBlock') || known('toBlock'))
        throw invalidParams('cannot specify both blockHash and fromBlock/toBlock');
      const block = await view.findBlock({ hash: parseHash(raw.blockHash, 'blockHash') });
      if (block === undefined) throw new RpcError(RPC_CODE.server, 'unknown block');
      return filter.mayBeIn(block.header) ? logsOf(block.header, filter, work) : [];
    },
  };
}

/** Event logs. */
export function createLogMethods(search: LogSearch): RpcMethods {
  return { eth_getLogs: ([filter], context) => search.find(parseObject(filter, 'filter'), context) };
}
