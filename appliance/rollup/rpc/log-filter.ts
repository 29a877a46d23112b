import type { BlockHeader } from '@ethereumjs/block';
import { keccak256 } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { Receipt, ReceiptLog } from '../../../protocol/rollup/receipt.ts';
import type { WantedItems } from '../logs/log-items.ts';
import { parseAddress, parseHash } from './params.ts';
import { renderLogs } from './render.ts';
import { invalidParams } from './rpc-error.ts';

const MAX_ALTERNATIVES = 1_000;
const MAX_TOPICS = 4;
const BLOOM_BYTES = 256;
/** 2048 bits, three of them for each item (Yellow Paper, 4.3.1). */
const BLOOM_MASK = 2047;
const BITS_PER_ITEM = 3;

/** Which logs are wanted: parsed and hashed once, then held against any number of blocks. */
export interface LogFilter {
  /** False when the block holds no such log for sure. */
  mayBeIn(header: BlockHeader): boolean;
  matches(log: ReceiptLog): boolean;
  /** What each log has: for the index. Empty when any log is wanted. */
  readonly wanted: readonly WantedItems[];
}

/** One item's places in a bloom filter: byte and bit of each. */
type BloomPlaces = readonly { readonly byte: number; readonly bit: number }[];

interface Alternatives {
  readonly values: ReadonlySet<Hex>;
  readonly places: readonly BloomPlaces[];
}

function bloomPlaces(item: Hex): BloomPlaces {
  const digest = hexToBytes(keccak256(item) as Hex);
  return Array.from({ length: BITS_PER_ITEM }, (_, i) => {
    const index = (((digest[2 * i] ?? 0) << 8) | (digest[2 * i + 1] ?? 0)) & BLOOM_MASK;
    return { byte: BLOOM_BYTES - 1 - (index >> 3), bit: 1 << (index & 7) };
  });
}

function parseAlternatives(value: unknown, parse: (item: unknown) => Hex): ReadonlySet<Hex> {
  if (value === undefined || value === null) return new Set();
  const items = Array.isArray(value) ? value : [value];
  if (items.length > MAX_ALTERNATIVES) throw invalidParams(`a filter may name ${MAX_ALTERNATIVES} alternatives`);
  return new Set(items.map(parse));
}

/** Parses the address and topics of an untrusted filter object; a position without alternatives takes any value. */
export function parseLogFilter({ address, topics = [] }: Record<string, unknown>): LogFilter {
  if (topics !== null && (!Array.isArray(topics) || topics.length > MAX_TOPICS))
    throw invalidParams('topics are not a list of 4');
  const hashed = (values: ReadonlySet<Hex>): Alternatives => ({ values, places: Array.from(values, bloomPlaces) });
  const addresses = hashed(parseAlternatives(address, (item) => parseAddress(item)));
  const wanted = ((topics ?? []) as unknown[]).map((topic) =>
    hashed(parseAlternatives(topic, (item) => parseHash(item, 'topic'))),
  );
  const all = [addresses, ...wanted].map((alternatives, place) => ({ ...alternatives, place }));
  const positions = all.filter(({ values }) => values.size > 0);
  return {
    wanted: positions,
    mayBeIn({ logsBloom, gasUsed }) {
      if (gasUsed === 0n) return false;
      const holds = (places: BloomPlaces): boolean =>
        places.every(({ byte, bit }) => ((logsBloom[byte] ?? 0) & bit) !== 0);
      return positions.every(({ places }) => places.some(holds));
    },
    matches(log) {
      if (addresses.values.size > 0 && !addresses.values.has(log.address)) return false;
      return wanted.every(({ values }, i) => {
        const topic = log.topics[i];
        return topic !== undefined && (values.size === 0 || values.has(topic));
      });
    },
  };
}

/** The logs of a block that a filter wants, as eth_getLogs gives them; `removed` says that the block is canonical no more. */
export function findLogs(
  filter: LogFilter,
  header: BlockHeader,
  of: { readonly receipts: readonly Receipt[]; readonly removed?: boolean },
): Record<string, unknown>[] {
  let index = 0;
  return of.receipts.flatMap((receipt, at) => {
    const first = index;
    index += receipt.logs.length;
    if (!receipt.logs.some(filter.matches)) return [];
    return renderLogs(receipt, { header, index: at }, { firstIndex: first, removed: of.removed === true }).filter(
      (_, i) => {
        const log = receipt.logs[i];
        return log !== undefined && filter.matches(log);
      },
    );
  });
}
