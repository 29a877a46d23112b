import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { RecordId } from '../../../protocol/brand.ts';
import { parseRange } from '../byte-range.ts';
import type { PutReceipt, StoredMeta } from '../dependencies.ts';
import { type Download, sendDownload } from '../download.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { parseRecordHeaders, recordHeaders } from '../record-headers.ts';
import { DestructionReceipt, RecordIdText, RecordPage, RecordReceipt, Version } from '../schemas.ts';
import { checkAnnouncedSize, readUpload } from '../upload-body.ts';

const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

const Params = Type.Object({ id: RecordIdText });
const VersionQuery = Type.Object({ version: Type.Optional(Version) }, { additionalProperties: false });
const ListQuery = Type.Object(
  {
    label: Type.Optional(Type.String({ minLength: 1, maxLength: 128, examples: ['imaging'] })),
    limit: Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE }),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
  },
  { additionalProperties: false },
);
const UploadHeaders = Type.Object({
  'x-nectar-labels': Type.Optional(
    Type.String({ description: 'Comma-separated, each percent-encoded.', examples: ['imaging,ward-3'] }),
  ),
  'x-nectar-name': Type.Optional(Type.String({ description: 'Percent-encoded.', examples: ['chest%20scan.dcm'] })),
});
const CreateHeaders = Type.Object({
  ...UploadHeaders.properties,
  'idempotency-key': Type.Optional(
    Type.String({
      description:
        'A repetition with the same key and content gets the first receipt; remembered until the node restarts.',
      pattern: '^[\\x21-\\x7e]{1,255}$',
      examples: ['0b1f6c1e-5c1e-4bb1-9d0a-0f6f3c0a7e55'],
    }),
  ),
});
const ReadHeaders = Type.Object({
  range: Type.Optional(Type.String({ description: 'One byte range.', examples: ['bytes=0-1023'] })),
  'if-range': Type.Optional(Type.String({ description: 'The ETag for which the range is wanted.' })),
  'if-none-match': Type.Optional(Type.String()),
});
const Binary = (description: string, type: string) => ({
  description,
  content: { [type]: { schema: Type.String({ format: 'binary' }) } },
});
/** For OpenAPI only: the body is never parsed, so there is nothing to validate. */
const AnyBody = Type.Unsafe<unknown>({ content: { '*/*': { schema: Type.String({ format: 'binary' }) } } });
const NoBody = (description: string) => ({ description, type: 'null' });

const create = describeOperation({
  id: 'createRecord',
  tag: 'records',
  summary: 'Store a record',
  description: 'The body is the record, of any type and size, streamed. The answer comes when it is durable.',
  guard: { scope: 'records:write', streamed: true },
  headers: CreateHeaders,
  body: AnyBody,
  response: { 201: RecordReceipt },
});
const update = describeOperation({
  id: 'updateRecord',
  tag: 'records',
  summary: 'Store a new version of a record',
  guard: { scope: 'records:write', streamed: true },
  params: Params,
  headers: UploadHeaders,
  body: AnyBody,
  response: { 200: RecordReceipt },
});
const read = describeOperation({
  id: 'getRecord',
  tag: 'records',
  summary: 'Read a record',
  guard: { scope: 'records:read' },
  params: Params,
  querystring: VersionQuery,
  headers: ReadHeaders,
  response: {
    200: Binary('The content.', 'application/octet-stream'),
    206: Binary('The range.', 'application/octet-stream'),
    304: NoBody('Not changed.'),
  },
});
const head = describeOperation({
  id: 'headRecord',
  tag: 'records',
  summary: 'Describe a record in headers',
  guard: { scope: 'records:read' },
  params: Params,
  querystring: VersionQuery,
  response: { 200: NoBody('The headers of the content.') },
});
const list = describeOperation({
  id: 'listRecords',
  tag: 'records',
  summary: 'List records, in pages',
  guard: { scope: 'records:read' },
  querystring: ListQuery,
  response: { 200: RecordPage },
});
const shred = describeOperation({
  id: 'shredRecord',
  tag: 'records',
  summary: 'Destroy the keys of a record, so that no ciphertext of it opens, here or at peers',
  guard: { scope: 'records:delete' },
  params: Params,
  response: { 200: DestructionReceipt },
});
const exportCar = describeOperation({
  id: 'exportRecord',
  tag: 'records',
  summary: 'Export the ciphertext of a record as a CAR file',
  guard: { scope: 'records:read' },
  params: Params,
  querystring: VersionQuery,
  response: { 200: Binary('The blocks; opens in any IPFS tool.', 'application/vnd.ipld.car') },
});

export function addRecordRoutes(server: GatewayServer, context: RouteContext): void {
  const { store } = context.deps;
  server.register(async (scope) => addUploadRoutes(scope as GatewayServer, context));

  server.get('/v1/records', list, (request) => store.list(request.query, request.access));

  server.head('/v1/records/:id', head, async (request, reply) => {
    const meta = await store.head(request.params.id as RecordId, request.query, request.access);
    return reply.headers({ ...recordHeaders(meta), 'content-length': meta.bytes }).send();
  });

  server.get('/v1/records/:id', read, async (request, reply) => {
    const wanted = { id: request.params.id as RecordId, options: request.query };
    if (request.headers['if-none-match'] !== undefined) {
      const meta = await store.head(wanted.id, wanted.options, request.access);
      if (matchesTag(request.headers['if-none-match'], meta)) return reply.code(304).header('etag', tagOf(meta)).send();
    }
    await sendDownload(reply, await openRecord(wanted, request, context), downloadLimits(request, context));
    return reply;
  });

  server.get('/v1/records/:id/car', exportCar, async (request, reply) => {
    const id = request.params.id as RecordId;
    const body = store.exportCar(id, request.query, request.access);
    const headers = {
      'content-type': 'application/vnd.ipld.car; version=1',
      'content-disposition': `attachment; filename="${id}.car"`,
    };
    await sendDownload(reply, { status: 200, headers, body }, downloadLimits(request, context));
    return reply;
  });

  server.delete('/v1/records/:id', shred, (request) => store.shred(request.params.id as RecordId, request.access));
}

/** Bodies here are records: no parser touches them, whatever their type. */
function addUploadRoutes(server: GatewayServer, context: RouteContext): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', async () => undefined);

  server.post('/v1/records', create, async (request, reply) => {
    const key = request.headers['idempotency-key'];
    const { receipt, replayed } = await upload(request, context, { ...(key !== undefined && { key }) });
    if (replayed) reply.header('idempotency-replayed', 'true');
    return reply.code(201).header('location', `/v1/records/${receipt.recordId}`).send(receipt);
  });

  server.put('/v1/records/:id', update, async (request) => {
    const { receipt } = await upload(request, context, { recordId: request.params.id as RecordId });
    return receipt;
  });
}

async function upload(
  request: FastifyRequest,
  { config, deps, metrics, uploads, idempotency }: RouteContext,
  target: { recordId?: RecordId; key?: string },
): Promise<{ receipt: PutReceipt; replayed: boolean }> {
  checkAnnouncedSize(request.raw, config.maxRecordBytes);
  const described = parseRecordHeaders(request.headers);
  const { recordId, key } = target;
  const input = { ...described, ...(recordId !== undefined && { recordId }) };
  const release = uploads.enter();
  try {
    const limits = { maxBytes: config.maxRecordBytes, idleMs: config.bodyIdleTimeoutMs };
    const body = readUpload(request.raw, { ...limits, onBytes: (count) => metrics.received.inc(count) });
    const store = (from: AsyncIterable<Uint8Array>) => deps.store.put(input, from, request.access, request.gone);
    if (key === undefined) return { receipt: await store(body), replayed: false };
    const facts = [input.contentType, input.name ?? '', ...input.labels];
    return await idempotency.once({ key: `${request.access.actor.tokenId} ${key}`, facts, body, store });
  } finally {
    release();
  }
}

/**
 * Opens a record as the request wants it. A range needs the size and the tag first; the version found then is the one
 * opened, so that a version stored in between cannot be cut with the measures of another.
 */
async function openRecord(
  { id, options }: { id: RecordId; options: Static<typeof VersionQuery> },
  request: FastifyRequest,
  { deps: { store } }: RouteContext,
): Promise<Download> {
  const { range: rangeHeader, 'if-range': ifRange } = request.headers;
  if (rangeHeader === undefined) {
    const { meta, body, auditLeaf } = await store.open(id, options, request.access, request.gone);
    return { status: 200, headers: downloadHeaders(meta, auditLeaf, meta.bytes), body, length: meta.bytes };
  }
  const found = await store.head(id, options, request.access);
  const range = ifRange === undefined || ifRange === tagOf(found) ? parseRange(rangeHeader, found.bytes) : undefined;
  const pinned = { version: found.version, ...(range !== undefined && { range }) };
  const { meta, start, end, body, auditLeaf } = await store.open(id, pinned, request.access, request.gone);
  const headers = downloadHeaders(meta, auditLeaf, end - start);
  if (range === undefined) return { status: 200, headers, body, length: end - start };
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end - 1}/${meta.bytes}` },
    body,
    length: end - start,
  };
}

function downloadHeaders(meta: StoredMeta, auditLeaf: number, length: number): Record<string, string | number> {
  return { ...recordHeaders(meta), 'content-length': length, 'x-nectar-audit-leaf': auditLeaf };
}

function downloadLimits(
  request: FastifyRequest,
  { config, deps, metrics }: RouteContext,
): Parameters<typeof sendDownload>[2] {
  return {
    stallMs: config.responseStallTimeoutMs,
    onBytes: (count) => metrics.sent.inc(count),
    onTruncated: (cause) => {
      metrics.truncated.inc();
      const data = { requestId: request.access.requestId, err: cause };
      if (cause === undefined) deps.log.debug(data, 'client left during a download');
      else deps.log.error(data, 'download cut off');
    },
  };
}

function tagOf(meta: StoredMeta): string {
  return `"${meta.cid}"`;
}

/** RFC 9110, 13.1.2: weak comparison, any of a list, or `*`. */
function matchesTag(header: string, meta: StoredMeta): boolean {
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === tagOf(meta));
}
