import Type, { type Static } from 'typebox';
import { NectarError } from '../../protocol/errors.ts';
import { problemOf } from './problem.ts';
import { type DescribedRecord, isMediaType, MAX_LABELS, problemOfLabel, problemOfName } from './record-headers.ts';
import { RecordReceipt } from './record-schemas.ts';
import { strict } from './schema-parts.ts';

/** Records in one request: each is in memory while it is stored. */
const MAX_BATCH_RECORDS = 128;
/** Of the request's JSON. */
export const MAX_BATCH_BYTES = 1024 * 1024;

const DEFAULT_TYPE = 'application/octet-stream';

const BatchedRecord = Type.Object(
  {
    content: Type.String({
      description: 'The record, base64 (RFC 4648, 4).',
      pattern: '^[A-Za-z0-9+/]*={0,2}$',
      examples: ['eyJyZXNvdXJjZVR5cGUiOiJQYXRpZW50In0='],
    }),
    contentType: Type.Optional(Type.String({ examples: ['application/fhir+json'] })),
    name: Type.Optional(Type.String({ examples: ['bundle.json'] })),
    labels: Type.Optional(Type.Array(Type.String(), { maxItems: MAX_LABELS, examples: [['imaging']] })),
    idempotencyKey: Type.Optional(
      Type.String({
        description: 'As the Idempotency-Key of a record that comes alone; the two are one and the same.',
        pattern: '^[\\x21-\\x7e]{1,255}$',
      }),
    ),
  },
  strict,
);

export const RecordBatch = Type.Object(
  { records: Type.Array(BatchedRecord, { minItems: 1, maxItems: MAX_BATCH_RECORDS }) },
  { description: 'Small records, sent together.', ...strict },
);
export type RecordBatch = Static<typeof RecordBatch>;

const BatchProblem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'One of docs/reference/errors.md.' }),
    requestId: Type.String(),
    data: Type.Unknown({ description: 'The facts of the code.' }),
  },
  { description: 'Problem (RFC 9457) of this record: it was not stored.', ...strict },
);

export const BatchResults = Type.Object(
  {
    results: Type.Array(
      Type.Object(
        {
          receipt: Type.Optional(RecordReceipt),
          replayed: Type.Optional(Type.Boolean({ description: 'The receipt is an earlier one; nothing was stored.' })),
          problem: Type.Optional(BatchProblem),
        },
        { description: 'A receipt or a problem.', ...strict },
      ),
    ),
  },
  { description: 'One answer for each record, in their order.', ...strict },
);
export type BatchResults = Static<typeof BatchResults>;

export interface ParsedRecord {
  readonly described: DescribedRecord;
  readonly content: Uint8Array;
  readonly idempotencyKey?: string;
}

/**
 * The records of a batch, all of them or none.
 *
 * @throws NectarError GATEWAY_REQUEST_INVALID, GATEWAY_MEDIA_TYPE_UNSUPPORTED
 */
export function parseRecordBatch({ records }: RecordBatch): ParsedRecord[] {
  return records.map((record, index) => {
    const { contentType = DEFAULT_TYPE, labels = [], name, idempotencyKey } = record;
    if (!isMediaType(contentType)) throw new NectarError('GATEWAY_MEDIA_TYPE_UNSUPPORTED', {});
    const refuse = (field: string, reason: string | undefined): void => {
      if (reason === undefined) return;
      throw new NectarError('GATEWAY_REQUEST_INVALID', { part: 'body', path: `/records/${index}/${field}`, reason });
    };
    for (const label of labels) refuse('labels', problemOfLabel(label));
    if (name !== undefined) refuse('name', problemOfName(name));
    const content = Buffer.from(record.content, 'base64');
    // Node leaves out what is no base64.
    if (record.content.length % 4 !== 0 || content.length !== Buffer.byteLength(record.content, 'base64'))
      refuse('content', 'is not base64');
    const described = { contentType, labels: [...new Set(labels)], ...(name !== undefined && { name }) };
    return { described, content, ...(idempotencyKey !== undefined && { idempotencyKey }) };
  });
}

/** The problem of one record as it stands in an answer; chain amounts, which are bigint, as text. */
export function batchProblem(error: NectarError, requestId: string): Static<typeof BatchProblem> {
  const { data, ...problem } = problemOf(error, requestId);
  const facts = JSON.stringify(data, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return { ...problem, data: JSON.parse(facts) };
}
