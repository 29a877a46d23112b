import type { Block } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { Heads } from '../execute/heads.ts';
import { type ChainCursor, type ChainStep, createChainCursor } from './chain-cursor.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcContext, RpcMethods } from './json-rpc.ts';
import { findLogs, type LogFilter, parseLogFilter } from './log-filter.ts';
import type { LogSearch } from './log-methods.ts';
import { parseObject, parseQuantity, parseSelector } from './params.ts';
import type { PendingTransactions } from './pending-transactions.ts';
import { quantity } from './render.ts';
import { RPC_CODE, RpcError } from './rpc-error.ts';

const MAX_FILTERS_PER_CALLER = 64;
const MAX_FILTERS = 1_024;
/** A filter that nobody asks for this long is removed, as geth does. */
const IDLE_MS = 5 * 60_000;
/** Blocks that one poll goes through; a client that was away for longer polls again. */
const MAX_BLOCKS_PER_POLL = 1_000;
const FILTER_ID_BYTES = 16;

interface Filter {
  readonly caller: string;
  usedAt: number;
  /** One poll at a time: two at once would get the same changes, or none. */
  busy: boolean;
  changes(): Promise<unknown[]>;
  /** Only of a filter of logs. */
  readonly range?: Record<string, unknown>;
}

export interface FilterDeps {
  readonly view: ChainView;
  readonly database: Pick<ChainDatabase, 'block' | 'canonicalHash'>;
  readonly heads: () => Heads;
  readonly pending: Pick<PendingTransactions, 'arrivals'>;
  readonly search: LogSearch;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

function notFound(): RpcError {
  return new RpcError(RPC_CODE.server, 'filter not found');
}

/** The logs that a step of the chain takes back and brings. */
export async function logChanges(
  { removed, added }: ChainStep,
  filter: LogFilter,
  view: Pick<ChainView, 'receipts'>,
): Promise<Record<string, unknown>[]> {
  const of = async (block: Block, isRemoved: boolean): Promise<Record<string, unknown>[]> =>
    filter.mayBeIn(block.header)
      ? findLogs(filter, block.header, { receipts: await view.receipts(block.header), removed: isRemoved })
      : [];
  const found: Record<string, unknown>[] = [];
  for (const block of removed) found.push(...(await of(block, true)));
  for (const block of added) found.push(...(await of(block, false)));
  return found;
}

/** Polled filters (eth_newFilter and its kin): each belongs to who made it, and ends when nobody polls it. */
export function createFilterMethods(deps: FilterDeps): RpcMethods {
  const { view, now } = deps;
  const filters = new Map<string, Filter>();

  function expire(): void {
    for (const [id, { usedAt, busy }] of filters) if (!busy && now() - usedAt > IDLE_MS) filters.delete(id);
  }

  function install(caller: string, filter: Pick<Filter, 'changes' | 'range'>): Hex {
    expire();
    const own = Array.from(filters.values()).filter((made) => made.caller === caller).length;
    if (own >= MAX_FILTERS_PER_CALLER || filters.size >= MAX_FILTERS)
      throw new RpcError(RPC_CODE.limitExceeded, `too many filters: ${MAX_FILTERS_PER_CALLER} at a time`);
    const id = quantity(BigInt(bytesToHex(deps.randomBytes(FILTER_ID_BYTES))));
    filters.set(id, { ...filter, caller, usedAt: now(), busy: false });
    return id;
  }

  function find(id: unknown, { caller }: RpcContext): { id: string; filter: Filter } {
    expire();
    const name = quantity(parseQuantity(id, 'filter id'));
    const filter = filters.get(name);
    if (filter?.caller !== caller) throw notFound();
    return { id: name, filter };
  }

  function follow(read: (step: ChainStep) => Promise<unknown[]> | unknown[]): () => Promise<unknown[]> {
    const cursor: ChainCursor = createChainCursor(deps.heads().unsafe, deps);
    return async () => {
      const step = await cursor.advance(MAX_BLOCKS_PER_POLL);
      if (step === undefined) throw notFound();
      return read(step);
    };
  }

  async function poll(id: unknown, context: RpcContext): Promise<unknown[]> {
    const found = find(id, context);
    if (found.filter.busy) return [];
    found.filter.busy = true;
    try {
      return await found.filter.changes();
    } catch (error) {
      filters.delete(found.id);
      throw error;
    } finally {
      found.filter.busy = false;
      found.filter.usedAt = now();
    }
  }

  return {
    eth_newFilter([value], { caller }) {
      const range = parseObject(value, 'filter');
      // What is wrong with it is said now, not at the first poll.
      parseSelector(range.fromBlock);
      parseSelector(range.toBlock);
      const filter = parseLogFilter(range);
      return install(caller, { range, changes: follow((step) => logChanges(step, filter, view)) });
    },
    eth_newBlockFilter: (_, { caller }) =>
      install(caller, { changes: follow(({ added }) => added.map((block) => bytesToHex(block.hash()))) }),
    eth_newPendingTransactionFilter(_, { caller }) {
      let { place } = deps.pending.arrivals(Number.MAX_SAFE_INTEGER);
      return install(caller, {
        async changes() {
          const { hashes, place: next } = deps.pending.arrivals(place);
          place = next;
          return [...hashes];
        },
      });
    },
    eth_getFilterChanges: ([id], context) => poll(id, context),
    eth_getFilterLogs([id], context) {
      const { filter } = find(id, context);
      if (filter.range === undefined) throw notFound();
      filter.usedAt = now();
      return deps.search.find(filter.range, context);
    },
    eth_uninstallFilter([id], { caller }) {
      const name = quantity(parseQuantity(id, 'filter id'));
      return filters.get(name)?.caller === caller && filters.delete(name);
    },
  };
}
