import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { RecordId } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { orAbsent } from '../absent-records.ts';
import { checkDigests, parseDigests } from '../content-digest.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { parseExpected } from '../preconditions.ts';
import { putIdentity } from '../put-identity.ts';
import { parseRecordHeaders } from '../record-headers.ts';
import { RecordReceipt } from '../record-schemas.ts';
import { RecordIdText } from '../schema-parts.ts';
import type { PutInput, PutReceipt } from '../store-needs.ts';
import { checkAnnouncedSize, readUpload, readWhole } from '../upload-body.ts';

/** A body that announces no more is sealed in one piece: it waits for no other upload. */
const SMALL_BYTES = 64 * 1024;

const DigestHeader = Type.Optional(
  Type.String({
    description: 'RFC 9530, sha-256 or sha-512: another body is refused, and the digest is kept with the version.',
    examples: ['sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:'],
  }),
);
const UploadHeaders = Type.Object({
  'x-nectar-labels': Type.Optional(
    Type.String({ description: 'Comma-separated, each percent-encoded.', examples: ['imaging,ward-3'] }),
  ),
  'x-nectar-name': Type.Optional(Type.String({ description: 'Percent-encoded.', examples: ['chest%20scan.dcm'] })),
  'content-digest': DigestHeader,
  'repr-digest': DigestHeader,
});
const CreateHeaders = Type.Object({
  ...UploadHeaders.properties,
  'idempotency-key': Type.Optional(
    Type.String({
      description:
        'A repetition with the same key and content gets the first receipt, after a restart of the node too.',
      pattern: '^[\\x21-\\x7e]{1,255}$',
      examples: ['0b1f6c1e-5c1e-4bb1-9d0a-0f6f3c0a7e55'],
    }),
  ),
});
const UpdateHeaders = Type.Object({
  ...UploadHeaders.properties,
  'if-match': Type.Optional(
    Type.String({ description: 'ETags, one of which the current version must have, or `*`; 412 otherwise.' }),
  ),
  'if-none-match': Type.Optional(
    Type.String({ description: 'ETags, none of which the current version may have, or `*`; 412 otherwise.' }),
  ),
});
/** For OpenAPI only: the body is never parsed, so there is nothing to validate. */
const AnyBody = Type.Unsafe<unknown>({ content: { '*/*': { schema: Type.String({ format: 'binary' }) } } });

const create = describeOperation({
  id: 'createRecord',
  tag: 'records',
  summary: 'Store a record',
  description:
    'The body is the record, of any type and size, streamed. The answer comes when it is durable. Content-Encoding is refused: compressed bytes are a media type of their own.',
  guard: { scope: 'records:write', streamed: true },
  headers: CreateHeaders,
  body: AnyBody,
  response: { 201: RecordReceipt },
});
const update = describeOperation({
  id: 'updateRecord',
  tag: 'records',
  summary: 'Store a new version of a record',
  description: 'With If-Match or If-None-Match it is compared and stored in one step: 412 when the record is another.',
  guard: { scope: 'records:write', streamed: true },
  params: Type.Object({ id: RecordIdText }),
  headers: UpdateHeaders,
  body: AnyBody,
  response: { 200: RecordReceipt },
});

/** Bodies here are records: no parser touches them, whatever their type. */
export function addUploadRoutes(server: GatewayServer, context: RouteContext): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', async () => undefined);

  server.post('/v1/records', create, async (request, reply) => {
    const key = request.headers['idempotency-key'];
    const { replayed, ...receipt } = await upload(request, context, { ...(key !== undefined && { key }) });
    if (replayed === true) reply.header('idempotency-replayed', 'true');
    return reply.code(201).header('location', `/v1/records/${receipt.recordId}`).send(receipt);
  });

  server.put('/v1/records/:id', update, (request) => {
    const recordId = request.params.id as RecordId;
    return orAbsent(context, request, { type: 'record.update', recordId }, () =>
      upload(request, context, { recordId }),
    );
  });
}

async function upload(
  request: FastifyRequest,
  context: RouteContext,
  target: { recordId?: RecordId; key?: string },
): Promise<PutReceipt> {
  const { config, deps, metrics } = context;
  checkAnnouncedSize(request.raw, config.maxRecordBytes);
  const input = describeUpload(request, target, config);
  const release = await enter(request, context);
  try {
    const limits = { maxBytes: config.maxRecordBytes, idleMs: config.bodyIdleTimeoutMs };
    const bounds = { ...limits, onBytes: (count: number) => metrics.received.inc(count) };
    const isPlain = input.digests === undefined && isSmall(request);
    const body = isPlain ? await readWhole(request.raw, bounds) : checked(readUpload(request.raw, bounds), input);
    return await deps.store.put(input, body, request.access, request.gone);
  } finally {
    release();
  }
}

function checked(read: AsyncIterable<Uint8Array>, { digests }: PutInput): AsyncIterable<Uint8Array> {
  return digests === undefined ? read : checkDigests(read, digests);
}

function isSmall({ headers }: FastifyRequest): boolean {
  return Number(headers['content-length'] ?? Number.NaN) <= SMALL_BYTES;
}

function describeUpload(
  request: FastifyRequest,
  { recordId, key }: { recordId?: RecordId; key?: string },
  config: RouteContext['config'],
): PutInput {
  const { headers } = request;
  // RFC 9110, 14.5: a part that were taken for the whole would replace it.
  if (headers['content-range'] !== undefined) {
    const reason = 'is not supported in an upload';
    throw new NectarError('GATEWAY_REQUEST_INVALID', { part: 'headers', path: '/content-range', reason });
  }
  const described = parseRecordHeaders(headers);
  const digests = parseDigests(headers);
  const expected = recordId === undefined ? undefined : parseExpected(headers);
  return {
    ...described,
    ...(recordId !== undefined && { recordId }),
    ...(key !== undefined && { idempotency: putIdentity(key, described, { access: request.access, config }) }),
    ...(expected !== undefined && { expected }),
    ...(digests !== undefined && { digests }),
  };
}

/** Large bodies take turns: each has segments of its own in memory. */
async function enter(request: FastifyRequest, { uploads }: RouteContext): Promise<() => void> {
  return isSmall(request) ? () => undefined : uploads.take(String(request.access.actor.tokenId), request.gone);
}
