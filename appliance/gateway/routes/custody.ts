import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { parseRepositoryName } from '../../../protocol/backup/repository.ts';
import type { GatewayAuditEvent } from '../audit-event.ts';
import { KeptObject, KeptRepositories, ObjectNameText, RemovalRequest, RemovedObjects } from '../custody-schemas.ts';
import { sendDownload } from '../download.ts';
import { downloadLimits } from '../download-limits.ts';
import { evidencedFirst } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { Binary } from '../schema-parts.ts';
import { checkAnnouncedSize, readUpload } from '../upload-body.ts';

const guard = { scope: 'backups:write' } as const;
const Params = Type.Object({ name: ObjectNameText });
const Part = Type.Enum(['objects/', 'keys/', 'snapshots/'], { description: 'Which part of the repository.' });
const AnyBody = Type.Unsafe<unknown>({ content: { '*/*': { schema: Type.String({ format: 'binary' }) } } });

const list = describeOperation({
  id: 'listBackupObjects',
  tag: 'custody',
  summary: 'Names and sizes of one part of the repository of the subject of the token',
  description: 'One JSON object per line; the last line is `{"end": COUNT}`, without which the list is not whole.',
  guard,
  querystring: Type.Object({ part: Part }),
  response: { 200: Binary('The list.', 'application/x-ndjson') },
});
const read = describeOperation({
  id: 'getBackupObject',
  tag: 'custody',
  summary: 'Read an object of the repository of the subject of the token',
  description: 'Reading a key table, without which nothing of a backup opens, is on record first.',
  guard,
  params: Params,
  response: { 200: Binary('The object.', 'application/octet-stream') },
});
const put = describeOperation({
  id: 'createBackupObject',
  tag: 'custody',
  summary: 'Add an object to the repository of the subject of the token',
  description:
    'Never replaces one: 412. An object or a key table has to be what the digest in its name says; a snapshot has to be signed by the key that `repository.json`, the first object, names. 507 beyond the quota.',
  guard: { ...guard, streamed: true },
  params: Params,
  body: AnyBody,
  response: { 201: KeptObject },
});
const supersede = describeOperation({
  id: 'removeSupersededBackupTables',
  tag: 'custody',
  summary: 'Remove key tables that a later signed snapshot supersedes',
  description: 'With the table goes what opened the records that were destroyed since.',
  guard,
  body: RemovalRequest,
  response: { 200: RemovedObjects },
});
const prune = describeOperation({
  id: 'pruneBackupObjects',
  tag: 'custody',
  summary: 'Remove objects and snapshots, but for the newest',
  guard: { scope: 'backups:prune' },
  body: RemovalRequest,
  response: { 200: RemovedObjects },
});
const listRepositories = describeOperation({
  id: 'listKeptRepositories',
  tag: 'custody',
  summary: 'The backup repositories that this node keeps for others',
  guard: { scope: 'admin' },
  response: { 200: KeptRepositories },
});
const destroy = describeOperation({
  id: 'destroyKeptRepository',
  tag: 'custody',
  summary: 'Remove a whole backup repository that this node keeps for another',
  guard: { scope: 'admin' },
  querystring: Type.Object({ owner: Type.String({ minLength: 1, maxLength: 256 }) }),
  response: { 200: RemovedObjects },
});

/** Whoever runs this node reads on record who brought, read and removed what; that it opens nothing is the owner's own doing. */
export function addCustodyRoutes(server: GatewayServer, context: RouteContext): void {
  const { custody } = context.deps;
  const ownerOf = (request: FastifyRequest): string => request.access.actor.subject;
  const onRecord = async <T>(
    request: FastifyRequest,
    type: GatewayAuditEvent['type'],
    detail: NonNullable<GatewayAuditEvent['detail']>,
    work: () => Promise<T>,
  ): Promise<T> =>
    (await evidencedFirst(context, { type, outcome: 'success', context: request.access, detail }, work)).result;

  server.get('/v1/custody/objects', list, async (request, reply) => {
    const { part } = request.query;
    const headers = { 'content-type': 'application/x-ndjson' };
    const body = lines(custody.list(ownerOf(request), part as 'objects/'));
    await sendDownload(reply, { status: 200, headers, body }, downloadLimits(request, context));
    return reply;
  });

  server.get('/v1/custody/objects/:name', read, async (request, reply) => {
    const { name } = request.params;
    const open = () => custody.read(ownerOf(request), name);
    const table = parseRepositoryName(name)?.kind === 'table';
    const { bytes, body } = table ? await onRecord(request, 'custody.read', { object: name }, open) : await open();
    const headers = { 'content-type': 'application/octet-stream', 'content-length': bytes };
    await sendDownload(reply, { status: 200, headers, body, length: bytes }, downloadLimits(request, context));
    return reply;
  });

  server.post('/v1/custody/supersessions', supersede, (request) => {
    const { names } = request.body as RemovalRequest;
    return onRecord(request, 'custody.remove', { what: 'key tables', objects: names.length }, () =>
      custody.supersede(ownerOf(request), names),
    );
  });

  server.post('/v1/custody/prunings', prune, (request) => {
    const { names } = request.body as RemovalRequest;
    return onRecord(request, 'custody.remove', { what: 'snapshots and objects', objects: names.length }, () =>
      custody.prune(ownerOf(request), names),
    );
  });

  server.get('/v1/custody', listRepositories, async () => ({ repositories: await custody.repositories() }));

  server.delete('/v1/custody', destroy, (request) => {
    const { owner } = request.query;
    return onRecord(request, 'custody.destroy', { owner }, () => custody.destroy(owner));
  });

  server.register(async (scope) => addUpload(scope as GatewayServer, context, onRecord));
}

type OnRecord = <T>(
  request: FastifyRequest,
  type: GatewayAuditEvent['type'],
  detail: NonNullable<GatewayAuditEvent['detail']>,
  work: () => Promise<T>,
) => Promise<T>;

/** Bodies here are sealed objects: no parser touches them. A snapshot names all that came before it, and is what goes on record. */
function addUpload(server: GatewayServer, context: RouteContext, onRecord: OnRecord): void {
  const { config, deps, metrics, uploads } = context;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', async () => undefined);

  server.put('/v1/custody/objects/:name', put, async (request, reply) => {
    const { name } = request.params;
    checkAnnouncedSize(request.raw, config.maxRecordBytes);
    const release = await uploads.take(String(request.access.actor.tokenId), request.gone);
    try {
      const limits = { maxBytes: config.maxRecordBytes, idleMs: config.bodyIdleTimeoutMs };
      const body = readUpload(request.raw, { ...limits, onBytes: (count) => metrics.received.inc(count) });
      const add = () => deps.custody.put(request.access.actor.subject, name, body, request.gone);
      const parsed = parseRepositoryName(name);
      const made =
        parsed?.kind === 'note'
          ? await onRecord(request, 'custody.snapshot', { generation: parsed.generation }, add)
          : parsed?.kind === 'header'
            ? await onRecord(request, 'custody.begin', {}, add)
            : await add();
      return reply.code(201).send(made);
    } finally {
      release();
    }
  });
}

async function* lines(objects: AsyncIterable<KeptObject>): AsyncGenerator<Uint8Array> {
  const gathered = 256;
  let [text, count] = ['', 0];
  for await (const { name, bytes } of objects) {
    text += `${JSON.stringify({ name, bytes })}\n`;
    count += 1;
    if (count % gathered !== 0) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(`${text}${JSON.stringify({ end: count })}\n`);
}
