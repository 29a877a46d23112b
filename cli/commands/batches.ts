import { type Command, Option } from 'commander';
import { type Static, Type } from 'typebox';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import { withNode } from '../node-client.ts';
import { parseBlockNumber, parseCount } from '../option-parsers.ts';
import { formatBytes } from '../render/quantities.ts';
import { renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

const Quantity = Type.String({ pattern: '^0x(0|[1-9a-f][0-9a-f]{0,15})$' });
const Hash = Type.String({ pattern: '^0x[0-9a-f]{64}$' });
const Batch = Type.Object({
  sequenceNumber: Quantity,
  source: Type.Enum(['calldata', 'blobs', 'forced']),
  dataHash: Hash,
  delayedCount: Quantity,
  l1: Type.Object({ number: Quantity, hash: Hash, transaction: Type.Union([Hash, Type.Null()]) }),
  blocks: Type.Union([Type.Object({ first: Quantity, last: Quantity }), Type.Null()]),
  size: Type.Union([Quantity, Type.Null()]),
  archived: Type.Boolean(),
});
const BatchesAnswer = Type.Object({ result: Type.Array(Batch) });

export interface ListedBatch {
  readonly batch: number;
  readonly source: 'calldata' | 'blobs' | 'forced';
  readonly transaction: string | null;
  readonly l1Block: number;
  readonly firstBlock: number | null;
  readonly lastBlock: number | null;
  /** Null once the node has forgotten the data. */
  readonly bytes: number | null;
}

function toListed({ sequenceNumber, source, l1, blocks, size }: Static<typeof Batch>): ListedBatch {
  return {
    batch: Number(sequenceNumber),
    source,
    transaction: l1.transaction,
    l1Block: Number(l1.number),
    firstBlock: blocks && Number(blocks.first),
    lastBlock: blocks && Number(blocks.last),
    bytes: size === null ? null : Number(size),
  };
}

const MAX_LIST = 25;
const DEFAULT_LIST = 10;

/** `chain batches`. */
export function registerBatches(group: Command, terminal: Terminal): void {
  addVerb(group, 'batches', {
    summary: 'list the batches that L1 has of L2, the newest first',
    about:
      'As this node derived them: number, transaction and block on L1, L2 blocks, bytes, and where the bytes are (calldata, blobs, or forced: none). The transaction is what an L1 endpoint says; all else was verified.',
    examples: [
      'chain batches',
      'chain batches --to 40 --last 5',
      'chain batches --json | jq -r ".batches[].transaction"',
    ],
  })
    .addOption(new Option('--last <count>', `how many, at most ${MAX_LIST}; default: ${DEFAULT_LIST}`))
    .addOption(new Option('--to <batch>', 'the newest to list; default: the newest that L1 has'))
    .action(action(terminal, list));
}

async function list(call: Call<{ last?: string; to?: string }>): Promise<void> {
  const { options, output } = call;
  const count = options.last === undefined ? DEFAULT_LIST : parseCount(options.last);
  if (count > MAX_LIST) throw new NectarError('CLI_USAGE', { problem: `--last lists at most ${MAX_LIST}` });
  const newest = options.to === undefined ? [] : [hexOf(parseBlockNumber(options.to))];
  await withNode(call, async (client) => {
    const body = { jsonrpc: '2.0', id: 1, method: 'nectar_listBatches', params: [hexOf(count), ...newest] };
    const { result } = await client.json(BatchesAnswer, 'POST', '/rpc', body);
    const batches = result.map(toListed);
    output.result({ batches }, () => (batches.length === 0 ? 'L1 has no batches yet' : renderBatches(batches)));
  });
}

const hexOf = (number: number): string => `0x${number.toString(16)}`;

export function renderBatches(batches: readonly ListedBatch[]): string {
  const rows = batches.map(({ batch, transaction, l1Block, firstBlock, lastBlock, bytes, source }) => [
    String(batch),
    transaction ?? 'not known',
    String(l1Block),
    rangeOf(firstBlock, lastBlock),
    bytes === null ? 'forgotten' : formatBytes(bytes),
    source,
  ]);
  const titles = ['batch', 'L1 transaction', 'L1 block', 'L2 blocks', 'bytes', 'in'];
  return renderTable(
    titles.map((title) => ({ title })),
    rows,
  );
}

function rangeOf(first: number | null, last: number | null): string {
  if (first === null || last === null) return 'none';
  return first === last ? String(first) : `${first} to ${last}`;
}
