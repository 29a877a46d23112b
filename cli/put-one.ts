import { Readable } from 'node:stream';
import type { RecordReceipt } from '../appliance/gateway/record-schemas.ts';
import type { Call } from './call.ts';
import type { Client, SendOptions } from './client.ts';
import { notEmpty } from './command-source.ts';
import type { SmallPut } from './put-batches.ts';
import type { PutSource } from './put-sources.ts';
import { type ByteProgress, countBytes, showByteProgress } from './render/progress.ts';
import { formatBytes } from './render/quantities.ts';
import { printable } from './render/table.ts';
import { putResumable, RESUMABLE_BYTES } from './resumable-put.ts';

export interface PutOptions {
  readonly label: readonly string[];
  readonly labelFromPath?: boolean;
  readonly contentType?: string;
  readonly name?: string;
  readonly record?: string;
  readonly resumable?: boolean;
  readonly again?: boolean;
  readonly allowEmpty?: boolean;
  readonly dryRun?: boolean;
}

export interface OnePut extends Omit<SmallPut, 'idempotencyKey'> {
  /** Sent with small files only: of a large one the node would have to hash every byte. */
  readonly idempotencyKey: string | undefined;
}

/** A receipt, and whether it is that of an earlier put. */
export interface OneReceipt {
  readonly receipt: RecordReceipt;
  readonly isReplayed: boolean;
}

/** Stores one file, stdin, or what a command prints, in a request of its own. */
export async function putOne(call: Call<PutOptions>, client: Client, put: OnePut): Promise<OneReceipt> {
  const { options, terminal, output } = call;
  const { source, name, contentType, labels, idempotencyKey: key } = put;
  const progress = await showByteProgress(terminal, printable(source.file), source.bytes, output.json);
  let isReplayed = false;
  try {
    const large = source.bytes !== undefined && source.bytes >= RESUMABLE_BYTES;
    if (source.bytes !== undefined && (large || options.resumable === true))
      return { receipt: await putParts(call, client, { put, progress }), isReplayed };
    const receipt = await client.send(
      async () => (await import('../appliance/gateway/record-schemas.ts')).RecordReceipt,
      options.record === undefined ? 'POST' : 'PUT',
      options.record === undefined ? '/v1/records' : `/v1/records/${options.record}`,
      {
        ...bodyOf(source, progress, options.allowEmpty === true),
        onHeaders: (headers) => {
          isReplayed = headers['idempotency-replayed'] === 'true';
        },
        headers: {
          'content-type': contentType,
          ...(source.bytes !== undefined && { 'content-length': String(source.bytes) }),
          ...(labels.length > 0 && { 'x-nectar-labels': labels.map(encodeURIComponent).join(',') }),
          ...(name !== undefined && { 'x-nectar-name': encodeURIComponent(name) }),
          ...(key !== undefined &&
            source.content !== undefined &&
            options.record === undefined && { 'idempotency-key': key }),
        },
      },
    );
    return { receipt, isReplayed };
  } finally {
    progress.done();
  }
}

/** Small files share kept connections, large ones have one each; of stdin and of commands nobody knows the length. */
function bodyOf(source: PutSource, progress: ByteProgress, mayBeEmpty: boolean): Pick<SendOptions, 'body' | 'bulk'> {
  if (source.content !== undefined) return { body: source.content };
  const counted = countBytes(source.open(), progress);
  if (source.bytes !== undefined) return { bulk: counted };
  return { body: Readable.from(mayBeEmpty ? counted : notEmpty(counted, source.file), { objectMode: false }) };
}

async function putParts(
  { options, home, terminal, output }: Call<PutOptions>,
  client: Client,
  { put: { source, name, contentType, labels }, progress }: { put: OnePut; progress: ByteProgress },
): Promise<RecordReceipt> {
  const metadata = {
    filetype: contentType,
    ...(name !== undefined && { filename: name }),
    ...(labels.length > 0 && { labels: labels.map(encodeURIComponent).join(',') }),
    ...(options.record !== undefined && { record: options.record }),
  };
  const { openUnfinished } = await import('./unfinished-uploads.ts');
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
