import type { RecordReceipt } from '../appliance/gateway/record-schemas.ts';
import { NectarError } from '../protocol/errors.ts';
import { type Client, problemOf } from './client.ts';
import type { PutSource } from './put-sources.ts';

/** Half of what the node takes: while one batch is on its way, the next one is read. */
const BATCH_RECORDS = 64;
/** Of content; base64, names and labels stay within what the node takes. */
const BATCH_BYTES = 256 * 1024;

/** What became of one small file. */
export type PutOutcome =
  | { readonly source: PutSource; readonly receipt: RecordReceipt }
  | { readonly source: PutSource; readonly error: unknown };

/** Puts small files that follow each other together, if they may go so; anything else comes alone. */
export async function* batchesOf(
  sources: AsyncIterable<PutSource>,
  together = true,
): AsyncGenerator<readonly PutSource[]> {
  let batch: PutSource[] = [];
  let bytes = 0;
  for await (const source of sources) {
    const size = (together ? source.content?.length : undefined) ?? Number.POSITIVE_INFINITY;
    if (batch.length > 0 && (batch.length >= BATCH_RECORDS || bytes + size > BATCH_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(source);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

const batchResults = async () => (await import('../appliance/gateway/record-batch.ts')).BatchResults;

/** Stores small files in one request; each has an outcome of its own. */
export async function putBatch(
  client: Client,
  batch: readonly PutSource[],
  described: { readonly contentType: string | undefined; readonly labels: readonly string[] },
): Promise<PutOutcome[]> {
  const records = batch.map(({ name, content = new Uint8Array(0), contentType }) => ({
    content: Buffer.from(content.buffer, content.byteOffset, content.length).toString('base64'),
    contentType: described.contentType ?? contentType,
    ...(described.labels.length > 0 && { labels: described.labels }),
    ...(name !== undefined && { name }),
  }));
  const { results } = await client.json(batchResults, 'POST', '/v1/records/batch', { records });
  if (results.length !== batch.length)
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'another number of records than were sent' });
  return batch.map((source, i) => {
    const { receipt, problem } = results[i] ?? {};
    if (receipt !== undefined) return { source, receipt };
    if (problem !== undefined) return { source, error: problemOf(problem.status, JSON.stringify(problem)) };
    throw new NectarError('CLI_GATEWAY_ANSWER_INVALID', { problem: 'neither a receipt nor a problem' });
  });
}
