import { randomInt } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { NodeStatus } from '../../appliance/gateway/node-schemas.ts';
import { RecordPage } from '../../appliance/gateway/record-schemas.ts';
import { RecordShards, ShardDrill, ShardStanding } from '../../appliance/gateway/storage-schemas.ts';
import { NODE_SEGMENT_BYTES, segmentsOf } from '../../protocol/coding/segment.ts';
import { durableAt, STORAGE_CLASSES, type StorageClassName } from '../../protocol/coding/storage-class.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { Client } from '../client.ts';
import { withNode } from '../node-client.ts';
import { parseCount } from '../option-parsers.ts';
import { findRecord } from '../record-id.ts';
import { showByteProgress } from '../render/progress.ts';
import { formatBytes } from '../render/quantities.ts';
import { describeShards } from '../render/shards.ts';
import { renderFacts } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

const PAGE_RECORDS = 1_000;
const DEFAULT_PERCENT = 1;

export function registerShardVerbs(group: Command, terminal: Terminal): void {
  addVerb(group, 'plan <file>', {
    summary: 'say how a file would be kept at other members',
    about: 'Nothing is sent. Sizes are of the file; what is sealed is some hundredths of a percent larger.',
    examples: ['storage plan scan.dcm'],
  }).action(action(terminal, plan));
  addVerb(group, 'health [record]', {
    summary: 'show how records are kept at other members: all, or the segments of one',
    about:
      'A record is cut into segments, each segment into shards, and each shard lies at another member. The margin is the number of shards that may still go.',
    examples: ['storage health', 'storage health 3f2a --json'],
  }).action(action(terminal, health));
  addVerb(group, 'repair', {
    summary: 'look through all segments now, and make lost shards anew',
    about: 'The node does this by itself each hour, and after each false answer of a holder.',
    examples: ['storage repair'],
  }).action(action(terminal, repair));
  addVerb(group, 'move', {
    summary: 'move shards away from a holder',
    about: 'Its shards are made anew at others, it is told to delete what it has, and it is given no more.',
    examples: ['storage move --away-from 12D3KooWNwat7QPSS3fvWDtnvKqUf8vjo7QAY7ZQP6V8FhG6NSaj'],
  })
    .addOption(new Option('--away-from <peer>', 'the peer id of the holder').makeOptionMandatory())
    .action(action(terminal, repair));
  addVerb(group, 'drill [record...]', {
    summary: 'read records back from other members alone, and compare every byte',
    about:
      'What is here is not used, and not replaced. Without RECORD a random part of all records is drawn. Records that are not coded are counted apart.',
    examples: ['storage drill', 'storage drill --percent 100', 'storage drill 3f2a'],
  })
    .addOption(
      new Option('--percent <n>', 'how much of all records; one at least')
        .argParser(parseCount)
        .default(DEFAULT_PERCENT),
    )
    .action(action(terminal, drill));
}

async function standing(client: Client): Promise<ShardStanding> {
  const { storage } = await client.json(NodeStatus, 'GET', '/v1/node');
  if (storage?.shards === undefined || storage.shards === null)
    throw new NectarError('NODE_NOT_READY', { service: 'store', reason: 'its state is not known yet' });
  return storage.shards;
}

async function plan(call: Call<object>): Promise<void> {
  const [file = ''] = call.operands;
  const size = await sizeOf(file);
  await withNode(call, async (client) => {
    const { holders, storageClass: name } = await standing(client);
    const storageClass = name === undefined ? undefined : STORAGE_CLASSES[name as StorageClassName];
    if (storageClass === undefined)
      return call.output.result({ file, bytes: size, holders, segments: 0 }, () =>
        renderFacts([
          ['file', `${formatBytes(size)}: replicated, since ${holders} members offer room and coding takes five`],
        ]),
      );
    const segments = size === 0 ? [] : parts(size).flatMap((bytes) => segmentsOf(bytes, storageClass));
    const stored = segments.reduce((sum, { shardBytes }) => sum + shardBytes * storageClass.shards, 0);
    const planned = { file, bytes: size, holders, storageClass: storageClass.name, segments: segments.length, stored };
    call.output.result(planned, () =>
      renderFacts([
        ['file', formatBytes(size)],
        ['code', `${storageClass.data} of ${storageClass.shards} shards give a segment (${storageClass.name})`],
        ['segments', String(segments.length)],
        ['at holders', `${formatBytes(stored)} at ${storageClass.shards} of ${holders} members`],
        ['durable', `when ${durableAt(storageClass)} shards of each segment have passed an audit`],
      ]),
    );
  });
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: cause.code ?? cause.message }, { cause });
  });
  if (!found.isFile()) throw new NectarError('CLI_FILE_UNREADABLE', { path, reason: 'not a file' });
  return found.size;
}

/** Segments of a blob of so many bytes. */
function parts(size: number): number[] {
  const whole = Math.floor(size / NODE_SEGMENT_BYTES);
  const rest = size % NODE_SEGMENT_BYTES;
  return [...Array.from({ length: whole }, () => NODE_SEGMENT_BYTES), ...(rest > 0 ? [rest] : [])];
}

async function health(call: Call<object>): Promise<void> {
  const [record] = call.operands;
  await withNode(call, async (client) => {
    if (record === undefined) {
      const shards = await standing(client);
      return call.output.result(shards, () =>
        renderFacts([
          ['shards', describeShards(shards)],
          ...Object.entries(shards.margins).map(([margin, count]): [string, string] => [
            `margin ${margin}`,
            `${count} segments`,
          ]),
          ...shards.standings.map(({ holder, score, passed, isSuspended, provedAt }): [string, string] => [
            holder,
            `score ${score}, ${passed} audits passed${provedAt === undefined ? '' : `, the last ${provedAt}`}${isSuspended ? '; given nothing new' : ''}`,
          ]),
        ]),
      );
    }
    const shards = await shardsOf(client, await findRecord(client, record));
    call.output.result(shards, () => renderFacts(segmentLines(shards)));
  });
}

function segmentLines({ segments }: RecordShards): [string, string][] {
  if (segments.length === 0) return [['shards', 'none: the record is replicated, or not coded yet']];
  return segments.map(({ number, storageClass, bytes, shards, placed, margin }) => [
    `segment ${number}`,
    `${formatBytes(bytes)}, ${storageClass}: ${placed} of ${shards} shards proved, ${Math.max(0, margin)} may still go`,
  ]);
}

const shardsOf = (client: Client, id: string): Promise<RecordShards> =>
  client.json(RecordShards, 'GET', `/v1/storage/records/${id}`);

async function repair(call: Call<{ readonly awayFrom?: string }>): Promise<void> {
  const { awayFrom } = call.options;
  await withNode(call, async (client) => {
    const shards = await client.json(
      ShardStanding,
      'POST',
      '/v1/storage/repair',
      awayFrom === undefined ? {} : { awayFrom },
    );
    call.output.result(shards, () => renderFacts([['shards', describeShards(shards)]]));
  });
}

async function drill(call: Call<{ readonly percent: number }>): Promise<void> {
  const { terminal, output, operands, options } = call;
  await withNode(call, async (client) => {
    const ids = operands.length > 0 ? await named(client, operands) : await drawn(client, options.percent);
    const records: RecordShards[] = [];
    for (const id of ids) records.push(await shardsOf(client, id));
    const coded = records.filter(({ segments }) => segments.length > 0);
    const total = coded.flatMap(({ segments }) => segments).reduce((sum, { bytes }) => sum + bytes, 0);
    const progress = await showByteProgress(terminal, 'from shards', total, output.json);
    let bytes = 0;
    let segments = 0;
    try {
      for (const { recordId, segments: all } of coded) {
        for (const { number: segment } of all) {
          const read = await client.json(ShardDrill, 'POST', '/v1/storage/drill', { recordId, segment });
          progress.advance(read.bytes);
          bytes += read.bytes;
          segments += 1;
        }
      }
    } finally {
      progress.done();
    }
    const replicated = records.length - coded.length;
    output.result({ records: coded.length, segments, bytes, identical: true, notCoded: replicated }, () => {
      const rest = replicated === 0 ? '' : `; ${replicated} records are not coded`;
      if (coded.length === 0) return `nothing was read${rest}`;
      return `${coded.length} records, ${segments} segments, ${formatBytes(bytes)} read from shards alone: byte-identical${rest}`;
    });
  });
}

async function named(client: Client, records: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const record of records) ids.push(await findRecord(client, record));
  return ids;
}

/** A random part of all records, one at least. */
async function drawn(client: Client, percent: number): Promise<string[]> {
  const all: string[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: String(PAGE_RECORDS), ...(cursor !== undefined && { cursor }) });
    const page = await client.json(RecordPage, 'GET', `/v1/records?${query}`);
    all.push(...page.records.map(({ recordId }) => recordId));
    cursor = page.cursor;
  } while (cursor !== undefined);
  const count = Math.min(all.length, Math.max(1, Math.ceil((all.length * percent) / 100)));
  for (let at = 0; at < count; at += 1) {
    const other = randomInt(at, all.length);
    [all[at], all[other]] = [all[other] as string, all[at] as string];
  }
  return all.slice(0, count);
}
