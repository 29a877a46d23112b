import type { FastifyRequest } from 'fastify';
import { WholeBody } from '../../whole-body.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { nectarErrorOf } from '../problem.ts';
import { putIdentity } from '../put-identity.ts';
import {
  type BatchResults,
  batchProblem,
  MAX_BATCH_BYTES,
  type ParsedRecord,
  parseRecordBatch,
  RecordBatch,
  BatchResults as Results,
} from '../record-batch.ts';

/** Records of one batch that are stored at a time: they share flushes to the disk, and leave room for other callers. */
const AT_A_TIME = 16;

const create = describeOperation({
  id: 'createRecords',
  tag: 'records',
  summary: 'Store small records, several in one request',
  description:
    'Each becomes a record of its own, with an audit leaf, a receipt and, if it has one, an idempotency key of its own; one that is refused does not keep the others from being stored. The answer comes when all of them are durable. A request that is malformed stores nothing.',
  guard: { scope: 'records:write' },
  body: RecordBatch,
  response: { 200: Results },
});

type Result = BatchResults['results'][number];

export function addRecordBatchRoutes(server: GatewayServer, context: RouteContext): void {
  server.post('/v1/records/batch', { ...create, bodyLimit: MAX_BATCH_BYTES }, async (request) => {
    const records = parseRecordBatch(request.body);
    const release = await context.uploads.take(String(request.access.actor.tokenId), request.gone);
    try {
      return { results: await storeAll(records, request, context) };
    } finally {
      release();
    }
  });
}

/** In their order; a client that leaves ends it, with what has begun. */
async function storeAll(
  records: readonly ParsedRecord[],
  request: FastifyRequest,
  context: RouteContext,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = records.entries();
  const storeNext = async (): Promise<void> => {
    for (const [index, record] of waiting) {
      request.gone.throwIfAborted();
      results[index] = await store(record, request, context);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, records.length) }, storeNext));
  return results;
}

async function store(record: ParsedRecord, request: FastifyRequest, context: RouteContext): Promise<Result> {
  const { config, deps, metrics } = context;
  const { access, gone } = request;
  const { described, content, idempotencyKey } = record;
  metrics.received.inc(content.length);
  try {
    const idempotency =
      idempotencyKey === undefined ? undefined : putIdentity(idempotencyKey, described, { access, config });
    const input = { ...described, ...(idempotency !== undefined && { idempotency }) };
    const { replayed, ...receipt } = await deps.store.put(input, new WholeBody([content]), access, gone);
    return { receipt, ...(replayed === true && { replayed }) };
  } catch (error) {
    const { requestId } = access;
    const problem = nectarErrorOf(error, requestId, { bodyBytes: MAX_BATCH_BYTES });
    if (problem.code === 'NODE_INTERNAL') deps.log.error({ err: error, requestId }, 'request met a bug');
    return { problem: batchProblem(problem, requestId) };
  }
}
