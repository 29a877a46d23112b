import type { RecordReceipt } from '../appliance/gateway/record-schemas.ts';
import { NectarError } from '../protocol/errors.ts';
import { type Client, problemOf } from './client.ts';
import type { Found, PutSource } from './put-sources.ts';

/** Half of what the node takes: while one batch is on its way, the next one is read. */
const BATCH_RECORDS = 64;
/** Of content; base64, names and labels stay within what the node takes. */
const BATCH_BYTES = 256 * 1024;

/** A small file, and what its record is to be. */
export interface SmallPut {
  readonly source: PutSource;
  readonly name: string | undefined;
  readonly contentType: string;
  readonly labels: readonly string[];
  /** Sent again, it makes no second record. */
  readonly idempotencyKey: string;
}

/** What became of one small file. */
export type SmallOutcome =
  | { readonly receipt: RecordReceipt; readonly isReplayed: boolean }
  | { readonly error: NectarError };

/** What is found together with what follows it, as far as it may go together: small files, and what is none. */
export async function* batchesOf(found: AsyncIterable<Found>, together = true): AsyncGenerator<readonly Found[]> {
  let batch: Found[] = [];
  let bytes = 0;
  for await (const item of found) {
    const size = bytesOf(item, together);
    if (batch.length > 0 && (batch.length >= BATCH_RECORDS || bytes + size > BATCH_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(item);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

function bytesOf(item: Found, together: boolean): number {
  if (!('source' in item)) return 0;
  return (together ? item.source.content?.length : undefined) ?? Number.POSITIVE_INFINITY;
}

const batchResults = async () => (await import('../appliance/gateway/record-batch.ts')).BatchResults;

/** Stores small files in one request; each has an outcome of its own. */
export async function putBatch(client: Client, puts: readonly SmallPut[]): Promise<SmallOutcome[]> {
  const records = puts.map(
    ({ source: { content = new Uint8Array(0) }, contentType, labels, name, idempotencyKey }) => ({
      content: Buffer.from(content.buffer, content.byteOffset, content.length).toString('base64'),
      contentType,
      ...(labels.length > 0 && { labels }),
      ...(name !== undefined && { name }),
      idempotencyKey,
    }),
  );
  const { results } = await client.json(batchResults, 'POST', '/v1/records/batch', { records });
  if (results.length !== puts.length)
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'another number of records than were sent' });
  return results.map(({ receipt, problem, replayed }) => {
    if (receipt !== undefined) return { receipt, isReplayed: replayed === true };
    if (problem !== undefined) return { error: problemOf(problem.status, JSON.stringify(problem)) };
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'neither a receipt nor a problem' });
  });
}
