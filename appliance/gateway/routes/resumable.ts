import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { NectarError } from '../../../protocol/errors.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { RecordIdText } from '../schema-parts.ts';
import { parseCreation, parseOffset, TUS_BODY_TYPE, TUS_EXTENSIONS, TUS_VERSION, uploadHeaders } from '../tus.ts';
import { checkAnnouncedSize, readUpload } from '../upload-body.ts';

const guard = { scope: 'records:write' } as const;
const Params = Type.Object({ id: RecordIdText });
const Version = Type.Optional(Type.String({ description: 'Version of the tus protocol.', examples: [TUS_VERSION] }));
const Nothing = (description: string) => ({ description, type: 'null' });
/** For OpenAPI only: the body is never parsed, so there is nothing to validate. */
const Bytes = Type.Unsafe<unknown>({ content: { '*/*': { schema: Type.String({ format: 'binary' }) } } });

const options = describeOperation({
  id: 'describeUploads',
  tag: 'records',
  summary: 'What of the tus protocol is served',
  guard: { scope: 'public', whileLocked: true },
  response: { 204: Nothing('In headers.') },
});
const begin = describeOperation({
  id: 'beginUpload',
  tag: 'records',
  summary: 'Begin an upload in several requests (tus 1.0.0)',
  description:
    'For large records and connections that break. Upload-Metadata: `filename`, `filetype`, `labels` (comma-separated, each percent-encoded), `record` (for a new version of it). The upload belongs to the subject of the token and is sealed as it comes; it is a record when all of it is there.',
  guard,
  headers: Type.Object({
    'tus-resumable': Version,
    'upload-length': Type.String({
      description: 'Size of the whole record.',
      pattern: '^[0-9]{1,16}$',
      examples: ['1024'],
    }),
    'upload-metadata': Type.Optional(Type.String({ examples: ['filename c2Nhbi5kY20='] })),
  }),
  response: { 201: Nothing('Where it goes on: Location.') },
});
const state = describeOperation({
  id: 'stateOfUpload',
  tag: 'records',
  summary: 'How much of an upload is durable',
  description: 'Upload-Offset is Upload-Length only once it is a record; x-nectar-record-id then says which.',
  guard,
  params: Params,
  headers: Type.Object({ 'tus-resumable': Version }),
  response: { 200: Nothing('In headers.') },
});
const append = describeOperation({
  id: 'continueUpload',
  tag: 'records',
  summary: 'Send the next bytes of an upload',
  description: 'What has come of a request that breaks is kept. An earlier request that still waits is ended.',
  guard: { ...guard, streamed: true },
  params: Params,
  headers: Type.Object({
    'tus-resumable': Version,
    'upload-offset': Type.String({ description: 'Where they begin.', pattern: '^[0-9]{1,16}$', examples: ['0'] }),
  }),
  body: Bytes,
  response: { 204: Nothing('In headers: the offset, and of a finished upload the record.') },
});
const discard = describeOperation({
  id: 'discardUpload',
  tag: 'records',
  summary: 'Give an upload up',
  guard,
  params: Params,
  headers: Type.Object({ 'tus-resumable': Version }),
  response: { 204: Nothing('Gone.') },
});

/** Resumable uploads as tus clients speak them (why tus: docs/design/0008-gateway.md). */
export function addResumableRoutes(server: GatewayServer, context: RouteContext): void {
  const { config, deps } = context;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', async () => undefined);
  server.addHook('onRequest', async (request, reply) => {
    reply.header('tus-resumable', TUS_VERSION).header('tus-version', TUS_VERSION);
    const spoken = request.headers['tus-resumable'];
    if (request.method !== 'OPTIONS' && spoken !== TUS_VERSION)
      throw new NectarError('GATEWAY_TUS_VERSION', { version: TUS_VERSION });
  });

  server.options('/v1/uploads', options, async (_, reply) =>
    reply.code(204).header('tus-extension', TUS_EXTENSIONS).header('tus-max-size', config.maxRecordBytes).send(),
  );

  server.post('/v1/uploads', begin, async (request, reply) => {
    const plan = parseCreation(request.headers, config.maxRecordBytes);
    const begun = await deps.store.uploads.begin(plan, request.access);
    return reply
      .code(201)
      .headers({ ...uploadHeaders(begun), location: `/v1/uploads/${begun.id}` })
      .send();
  });

  server.head('/v1/uploads/:id', state, async (request, reply) =>
    reply.headers(uploadHeaders(await deps.store.uploads.state(request.params.id, request.access))).send(),
  );

  server.patch('/v1/uploads/:id', append, async (request, reply) => {
    if (request.headers['content-type'] !== TUS_BODY_TYPE) throw new NectarError('GATEWAY_MEDIA_TYPE_UNSUPPORTED', {});
    return reply
      .code(204)
      .headers(uploadHeaders(await receive(request, request.params.id, context)))
      .send();
  });

  server.delete('/v1/uploads/:id', discard, async (request, reply) => {
    await deps.store.uploads.discard(request.params.id, request.access);
    return reply.code(204).send();
  });
}

async function receive(request: FastifyRequest, id: string, { config, deps, metrics, uploads }: RouteContext) {
  const offset = parseOffset(request.headers);
  checkAnnouncedSize(request.raw, config.maxRecordBytes);
  const release = await uploads.take(String(request.access.actor.tokenId), request.gone);
  try {
    const limits = { maxBytes: config.maxRecordBytes, idleMs: config.bodyIdleTimeoutMs };
    const body = readUpload(request.raw, { ...limits, onBytes: (count) => metrics.received.inc(count) });
    return await deps.store.uploads.append(id, { offset, body }, request.access, request.gone);
  } finally {
    release();
  }
}
