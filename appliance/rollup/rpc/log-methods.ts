import { setImmediate as turn } from 'node:timers/promises';
import type { Block } from '@ethereumjs/block';
import type { ChainView } from './chain-view.ts';
import type { RpcContext, RpcMethods } from './json-rpc.ts';
import { findLogs, type LogFilter, parseLogFilter } from './log-filter.ts';
import { capped, parseHash, parseObject, parseSelector } from './params.ts';
import { quantity } from './render.ts';
import { invalidParams, RPC_CODE, RpcError } from './rpc-error.ts';

/** What one eth_getLogs may look through and give back. Indexers know these words and halve their range. */
const MAX_RANGE_BLOCKS = 10_000n;
const MAX_RESULTS = 10_000;
/** Blocks looked at before other work of the node has its turn. */
const BLOCKS_PER_TURN = 64n;

/** Looks for logs in the canonical chain. */
export interface LogSearch {
  /** Of an untrusted filter object with its range. Throws RpcError when it asks for too much. */
  find(filter: Record<string, unknown>, context: Pick<RpcContext, 'signal'>): Promise<Record<string, unknown>[]>;
}

export function createLogSearch(view: ChainView): LogSearch {
  const logsOf = async (block: Block, filter: LogFilter): Promise<Record<string, unknown>[]> =>
    findLogs(filter, block, { receipts: await view.receipts(block) });

  async function range(filter: Record<string, unknown>): Promise<{ from: bigint; to: bigint }> {
    const from = await view.numberOf(parseSelector(filter.fromBlock));
    const asked = await view.numberOf(parseSelector(filter.toBlock));
    if (from > asked) throw invalidParams('invalid block range: fromBlock is after toBlock');
    const to = capped(asked, view.latest());
    if (to - from >= MAX_RANGE_BLOCKS)
      throw invalidParams(`exceed maximum block range: ${MAX_RANGE_BLOCKS} (asked for ${to - from + 1n} blocks)`);
    return { from, to };
  }

  async function inRange(filter: LogFilter, { from, to }: { from: bigint; to: bigint }, signal?: AbortSignal) {
    const found: Record<string, unknown>[] = [];
    for (let number = from; number <= to; number += 1n) {
      if ((number - from) % BLOCKS_PER_TURN === BLOCKS_PER_TURN - 1n) {
        await turn();
        signal?.throwIfAborted();
      }
      const header = await view.findHeader(number);
      const block = header && filter.mayBeIn(header) ? await view.findBlock({ number }) : undefined;
      if (block !== undefined) found.push(...(await logsOf(block, filter)));
      if (found.length > MAX_RESULTS) {
        const fits = number > from ? number - 1n : from;
        throw new RpcError(
          RPC_CODE.limitExceeded,
          `query returned more than ${MAX_RESULTS} results. Try with this block range [${quantity(from)}, ${quantity(fits)}].`,
        );
      }
    }
    return found;
  }

  return {
    async find(raw, { signal }) {
      const filter = parseLogFilter(raw);
      if (raw.blockHash === undefined || raw.blockHash === null) return inRange(filter, await range(raw), signal);
      const known = (name: string): boolean => raw[name] !== undefined && raw[name] !== null;
      if (known('fromBlock') || known('toBlock'))
        throw invalidParams('cannot specify both blockHash and fromBlock/toBlock');
      const block = await view.findBlock({ hash: parseHash(raw.blockHash, 'blockHash') });
      if (block === undefined) throw new RpcError(RPC_CODE.server, 'unknown block');
      return filter.mayBeIn(block.header) ? logsOf(block, filter) : [];
    },
  };
}

/** Event logs. */
export function createLogMethods(search: LogSearch): RpcMethods {
  return { eth_getLogs: ([filter], context) => search.find(parseObject(filter, 'filter'), context) };
}
