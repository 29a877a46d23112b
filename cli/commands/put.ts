import { Readable } from 'node:stream';
import { type Command, Option } from 'commander';
import type { RecordReceipt } from '../../appliance/gateway/record-schemas.ts';
import { NectarError } from '../../protocol/errors.ts';
import { action, addVerb, type Call } from '../call.ts';
import type { Client, SendOptions } from '../client.ts';
import { inOrder } from '../in-order.ts';
import { withNode } from '../node-client.ts';
import { collect } from '../option-parsers.ts';
import { batchesOf, type PutOutcome, putBatch } from '../put-batches.ts';
import { type PutSource, putSources } from '../put-sources.ts';
import { parseRecordId } from '../record-id.ts';
import { type ByteProgress, countBytes, showByteProgress } from '../render/progress.ts';
import { formatBytes } from '../render/quantities.ts';
import { printable } from '../render/table.ts';
import { putResumable, RESUMABLE_BYTES } from '../resumable-put.ts';
import type { Terminal } from '../terminal.ts';

/** Requests on their way at once: enough small files to share the node's flushes to the disk. */
const AT_A_TIME = 6;

/** As it goes into a header. */
const MEDIA_TYPE = /^[\x21-\x7e]+\/[\x20-\x7e]+$/;

interface PutOptions {
  readonly label: readonly string[];
  readonly contentType?: string;
  readonly name?: string;
  readonly record?: string;
  readonly resumable?: boolean;
}

export function registerPut(program: Command, terminal: Terminal): void {
  addVerb(program, 'put <files...>', {
    summary: 'store files, folders, or stdin (-) as sealed records',
    about:
      'Every file becomes one record, encrypted before it touches the disk and logged in the audit log. A file that was reported as stored survives a crash; one that was not left nothing behind. Small files go together; the results keep the order of the files. Files from 2 GiB on go in parts: when the connection breaks or the node restarts, they go on where they were, until ten minutes have passed without a byte more; and when this command itself is ended, the same command, run again within a day, goes on there too.',
    examples: [
      'put report.pdf scan.dcm',
      'put --label cardiology --label 2026 ./incoming',
      'pg_dump clinic | nectar-byon put - --name clinic.sql',
      'put --json test/data/* | jq -r .recordId',
    ],
  })
    .addOption(
      new Option('-l, --label <label>', 'label to find the records by; repeat for more')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(new Option('--content-type <type>', 'media type (default: guessed from name and first bytes)'))
    .addOption(new Option('--name <name>', 'name of the record (default: the name of the file)'))
    .addOption(new Option('--record <id>', 'store as a new version of this record'))
    .addOption(new Option('--resumable', 'send smaller files in parts too, as over a connection that breaks'))
    .action(action(terminal, put));
}

async function put(call: Call<PutOptions>): Promise<void> {
  const { options, operands, terminal, output } = call;
  if (operands.length > 1 && (options.name !== undefined || options.record !== undefined)) {
    throw new NectarError('CLI_USAGE', { problem: '--name and --record go with one file only' });
  }
  if (operands.filter((operand) => operand === '-').length > 1) {
    throw new NectarError('CLI_USAGE', { problem: 'stdin (-) can be put only once' });
  }
  if (options.contentType !== undefined && !MEDIA_TYPE.test(options.contentType))
    throw new NectarError('CLI_USAGE', { problem: '--content-type is no media type, such as application/pdf' });
  if (options.record !== undefined) parseRecordId(options.record);
  await withNode(call, async (client) => {
    let files = 0;
    let bytes = 0;
    const stored = inOrder(batchesOf(oneIfNamed(putSources(operands, terminal), options), options.resumable !== true), {
      limit: AT_A_TIME,
      alone: ([first]) => first?.content === undefined,
      work: (batch) => putTogether(call, client, batch),
      failureOf: (outcomes) => outcomes.find((outcome) => 'error' in outcome),
    });
    for await (const outcomes of stored) {
      for (const outcome of outcomes) {
        if ('error' in outcome) continue;
        tellStored(outcome, output);
        files += 1;
        bytes += outcome.receipt.bytes;
      }
    }
    if (files === 0) throw new NectarError('CLI_USAGE', { problem: 'the folder holds no files' });
    if (files > 1) output.note(`${files} records stored, ${formatBytes(bytes)}`);
  });
}

/** What was stored is said also where another file of the same request was refused. */
function tellStored(
  { source, receipt }: { source: PutSource; receipt: RecordReceipt },
  output: Call<PutOptions>['output'],
): void {
  const { recordId, version, cid, auditLeaf } = receipt;
  output.result(
    { file: source.file, recordId, version, cid, auditLeaf },
    () => `${recordId}  ${formatBytes(receipt.bytes).padStart(9)}  leaf ${auditLeaf}  ${printable(source.file)}`,
  );
}

async function putTogether(
  call: Call<PutOptions>,
  client: Client,
  batch: readonly PutSource[],
): Promise<readonly PutOutcome[]> {
  const { label: labels, contentType } = call.options;
  const [first] = batch;
  if (first !== undefined && batch.length === 1) return [{ source: first, receipt: await putOne(call, client, first) }];
  return putBatch(client, batch, { contentType, labels });
}

async function* oneIfNamed(sources: AsyncIterable<PutSource>, { name, record }: PutOptions): AsyncGenerator<PutSource> {
  let count = 0;
  for await (const source of sources) {
    if (count++ > 0 && (name !== undefined || record !== undefined)) {
      throw new NectarError('CLI_USAGE', { problem: '--name and --record go with one file only' });
    }
    yield source;
  }
}

async function putOne(call: Call<PutOptions>, client: Client, source: PutSource) {
  const { options, terminal, output } = call;
  const name = options.name ?? source.name;
  const progress = showByteProgress(terminal, printable(source.file), source.bytes, output.json);
  try {
    const large = source.bytes !== undefined && source.bytes >= RESUMABLE_BYTES;
    if (source.bytes !== undefined && (large || options.resumable === true))
      return await putParts(call, client, { source, name, progress });
    return await client.send(
      async () => (await import('../../appliance/gateway/record-schemas.ts')).RecordReceipt,
      options.record === undefined ? 'POST' : 'PUT',
      options.record === undefined ? '/v1/records' : `/v1/records/${options.record}`,
      {
        ...bodyOf(source, progress),
        headers: {
          'content-type': options.contentType ?? source.contentType,
          ...(source.bytes !== undefined && { 'content-length': String(source.bytes) }),
          ...(options.label.length > 0 && { 'x-nectar-labels': options.label.map(encodeURIComponent).join(',') }),
          ...(name !== undefined && { 'x-nectar-name': encodeURIComponent(name) }),
        },
      },
    );
  } finally {
    progress.done();
  }
}

/** Small files share kept connections, large ones have one each; of stdin nobody knows the length. */
function bodyOf(source: PutSource, progress: ByteProgress): Pick<SendOptions, 'body' | 'bulk'> {
  if (source.content !== undefined) return { body: source.content };
  const counted = countBytes(source.open(), progress);
  return source.bytes === undefined ? { body: Readable.from(counted, { objectMode: false }) } : { bulk: counted };
}

async function putParts(
  { options, home, terminal, output }: Call<PutOptions>,
  client: Client,
  { source, name, progress }: { source: PutSource; name: string | undefined; progress: ByteProgress },
): Promise<RecordReceipt> {
  const metadata = {
    filetype: options.contentType ?? source.contentType,
    ...(name !== undefined && { filename: name }),
    ...(options.label.length > 0 && { labels: options.label.map(encodeURIComponent).join(',') }),
    ...(options.record !== undefined && { record: options.record }),
  };
  const { openUnfinished } = await import('../unfinished-uploads.ts');
  const unfinished = await openUnfinished(home, [source.identity, metadata], terminal.now());
  const tell = (text: string): void => output.note(`${printable(source.file)}: ${text}`);
  try {
    return await putResumable(client, {
      source,
      metadata,
      progress,
      unfinished,
      signal: terminal.signal,
      onResumed: (offset) => tell(`an earlier run had sent ${formatBytes(offset)}; going on there`),
      onBroken: (reason, offset) => tell(`${reason} after ${formatBytes(offset)}; going on where it was`),
    });
  } finally {
    await unfinished?.release();
  }
}
