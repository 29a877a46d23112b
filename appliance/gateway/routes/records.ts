import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { RecordId } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { orAbsent } from '../absent-records.ts';
import { type ByteRange, parseRange } from '../byte-range.ts';
import { reprDigest } from '../content-digest.ts';
import { type Download, sendDownload } from '../download.ts';
import { downloadLimits } from '../download-limits.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { multipartRanges } from '../multipart-ranges.ts';
import { describeOperation } from '../openapi.ts';
import { conditionOf, isConditional, isRangeCurrent, parseExpected, tagOf } from '../preconditions.ts';
import { recordHeaders } from '../record-headers.ts';
import { DestructionReceipt, RecordPage } from '../record-schemas.ts';
import { Binary, RecordIdText, Version } from '../schema-parts.ts';
import type { StoredMeta } from '../store-needs.ts';

const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

const Params = Type.Object({ id: RecordIdText });
const VersionQuery = Type.Object({ version: Type.Optional(Version) }, { additionalProperties: false });
const ListQuery = Type.Object(
  {
    label: Type.Optional(Type.String({ minLength: 1, maxLength: 128, examples: ['imaging'] })),
    order: Type.Optional(
      Type.Union([Type.Literal('oldest'), Type.Literal('newest')], {
        description: 'Of creation: the oldest first (the default), or the newest. A cursor goes on in its own order.',
      }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE }),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
  },
  { additionalProperties: false },
);
const Conditions = {
  'if-match': Type.Optional(Type.String({ description: 'ETags, one of which the version must have, or `*`.' })),
  'if-none-match': Type.Optional(Type.String({ description: 'ETags that the client has already, or `*`.' })),
};
const HeadHeaders = Type.Object({
  ...Conditions,
  'want-repr-digest': Type.Optional(
    Type.String({ description: 'RFC 9530: which digests the client would have.', examples: ['sha-256=10'] }),
  ),
});
const ReadHeaders = Type.Object({
  ...HeadHeaders.properties,
  range: Type.Optional(
    Type.String({ description: 'Byte ranges, up to 16 that do not overlap.', examples: ['bytes=0-1023'] }),
  ),
  'if-range': Type.Optional(Type.String({ description: 'The ETag for which the range is wanted.' })),
});
const ChangeHeaders = Type.Object({ ...Conditions });
const NoBody = (description: string) => ({ description, type: 'null' });

const read = describeOperation({
  id: 'getRecord',
  tag: 'records',
  summary: 'Read a record',
  description: 'Repr-Digest says what was proven of the content when it was stored, if a digest came with it.',
  guard: { scope: 'records:read' },
  params: Params,
  querystring: VersionQuery,
  headers: ReadHeaders,
  response: {
    200: Binary('The content.', 'application/octet-stream'),
    206: Binary('The range; several as multipart/byteranges.', 'application/octet-stream'),
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
  headers: HeadHeaders,
  response: { 200: NoBody('The headers of the content.'), 304: NoBody('Not changed.') },
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
  headers: ChangeHeaders,
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

  server.get('/v1/records', list, (request) => store.list(request.query, request.access));

  server.head('/v1/records/:id', head, async (request, reply) => {
    const recordId = request.params.id as RecordId;
    const meta = await orAbsent(context, request, { type: 'record.read', recordId }, () =>
      store.head(recordId, request.query, request.access),
    );
    if (isUnchanged(request, meta)) return reply.code(304).headers(notModifiedHeaders(meta)).send();
    return reply.headers({ ...describedHeaders(meta, request), 'content-length': meta.bytes }).send();
  });

  server.get('/v1/records/:id', read, async (request, reply) => {
    const recordId = request.params.id as RecordId;
    const download = await orAbsent(context, request, { type: 'record.read', recordId }, () =>
      openRecord({ id: recordId, options: request.query }, request, context),
    );
    if ('unchanged' in download) return reply.code(304).headers(notModifiedHeaders(download.unchanged)).send();
    await sendDownload(reply, download, downloadLimits(request, context));
    return reply;
  });

  server.get('/v1/records/:id/car', exportCar, async (request, reply) => {
    const id = request.params.id as RecordId;
    const body = store.exportCar(id, request.query, request.access);
    const headers = {
      'content-type': 'application/vnd.ipld.car; version=1',
      'content-disposition': `attachment; filename="${id}.car"`,
    };
    await orAbsent(context, request, { type: 'record.export', recordId: id }, () =>
      sendDownload(reply, { status: 200, headers, body }, downloadLimits(request, context)),
    );
    return reply;
  });

  server.delete('/v1/records/:id', shred, (request) => {
    const recordId = request.params.id as RecordId;
    const expected = parseExpected(request.headers);
    return orAbsent(context, request, { type: 'record.delete', recordId }, () =>
      store.shred(recordId, request.access, expected),
    );
  });
}

/**
 * Opens a record as the request wants it. Conditions and ranges need the size and the tag first; the version found then is
 * the one opened, so that a version stored in between cannot be cut with the measures of another.
 */
async function openRecord(
  { id, options }: { id: RecordId; options: Static<typeof VersionQuery> },
  request: FastifyRequest,
  { deps: { store } }: RouteContext,
): Promise<Download | { unchanged: StoredMeta }> {
  const { headers, access, gone } = request;
  if (headers.range === undefined && !isConditional(headers)) {
    const { meta, body, auditLeaf } = await store.open(id, options, access, gone);
    return { status: 200, headers: downloadHeaders(meta, auditLeaf, request), body, length: meta.bytes };
  }
  const found = await store.head(id, options, access);
  if (isUnchanged(request, found)) return { unchanged: found };
  const wanted = isRangeCurrent(headers['if-range'] as string | undefined, found) ? headers.range : undefined;
  const ranges = parseRange(wanted, found.bytes);
  if (ranges === 'unsatisfiable') throw new NectarError('GATEWAY_RANGE_INVALID', { bytes: found.bytes });
  const open = (range?: ByteRange) =>
    store.open(id, { version: found.version, ...(range !== undefined && { range }) }, access, gone);
  const [range] = ranges === 'whole' ? [] : ranges;
  const first = await open(range);
  const described = downloadHeaders(first.meta, first.auditLeaf, request);
  if (ranges === 'whole' || range === undefined)
    return { status: 200, headers: described, body: first.body, length: first.meta.bytes };
  if (ranges.length > 1) {
    const parts = multipartRanges({ meta: first.meta, ranges, boundary: access.requestId }, first, open);
    const { contentType, length, body } = parts;
    return {
      status: 206,
      headers: { ...described, 'content-type': contentType, 'content-length': length },
      body,
      length,
    };
  }
  const { start, end, body, meta } = first;
  const partial = { 'content-length': end - start, 'content-range': `bytes ${start}-${end - 1}/${meta.bytes}` };
  return { status: 206, headers: { ...described, ...partial }, body, length: end - start };
}

/** STORE_PRECONDITION_FAILED when the client wants another version than there is. */
function isUnchanged({ headers }: FastifyRequest, meta: StoredMeta): boolean {
  const condition = conditionOf(headers, meta);
  if (condition === 'failed')
    throw new NectarError('STORE_PRECONDITION_FAILED', { recordId: meta.recordId, version: meta.version });
  return condition === 'not-modified';
}

function notModifiedHeaders(meta: StoredMeta): Record<string, string> {
  return { etag: tagOf(meta) };
}

function describedHeaders(meta: StoredMeta, { headers }: FastifyRequest): Record<string, string | number> {
  const digest = reprDigest(meta.digests, headers['want-repr-digest'] as string | undefined);
  return { ...recordHeaders(meta), ...(digest !== undefined && { 'repr-digest': digest }) };
}

function downloadHeaders(
  meta: StoredMeta,
  auditLeaf: number,
  request: FastifyRequest,
): Record<string, string | number> {
  return { ...describedHeaders(meta, request), 'content-length': meta.bytes, 'x-nectar-audit-leaf': auditLeaf };
}
