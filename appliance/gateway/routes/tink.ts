import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { RecordId } from '../../../protocol/brand.ts';
import { orAbsent } from '../absent-records.ts';
import { sendDownload } from '../download.ts';
import { downloadLimits } from '../download-limits.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { RecordIdText, Version } from '../schema-parts.ts';
import type { TinkExport } from '../store-needs.ts';

const MAX_KEYSET_BYTES = 4096;

const asked = {
  tag: 'records',
  params: Type.Object({ id: RecordIdText }),
  querystring: Type.Object({ version: Type.Optional(Version) }, { additionalProperties: false }),
} as const;

const blob = describeOperation({
  ...asked,
  id: 'exportBlob',
  summary: 'Export the ciphertext of a record as Tink reads it',
  description:
    'AES256_GCM_HKDF_1MB of Google Tink, RAW. X-Nectar-Associated-Data (hex) is the associated data; the keyset is had separately.',
  guard: { scope: 'records:read' },
  response: {
    200: {
      description: 'The sealed blob.',
      content: { 'application/octet-stream': { schema: Type.String({ format: 'binary' }) } },
    },
  },
});
const keyset = describeOperation({
  ...asked,
  id: 'exportKeyset',
  summary: 'Export the key of one version of a record as a Tink keyset',
  description:
    'The key leaves the node: whoever has this answer and the ciphertext reads that version, for ever, also after the record is destroyed here. In the audit log before a byte of it leaves.',
  guard: { scope: 'admin' },
  response: {
    200: {
      description: 'A cleartext keyset.',
      content: {
        'application/json': { schema: Type.Object({ primaryKeyId: Type.Integer(), key: Type.Array(Type.Object({})) }) },
      },
    },
  },
});

/** What opens a record with Tink alone. */
export function addTinkRoutes(server: GatewayServer, context: RouteContext): void {
  const { store } = context.deps;

  function exported(part: 'blob' | 'keyset', request: FastifyRequest): Promise<TinkExport> {
    const { id } = request.params as { id: RecordId };
    const { version } = request.query as { version?: number };
    const options = { part, ...(version !== undefined && { version }) };
    return orAbsent(context, request, { type: 'record.export', recordId: id }, () =>
      store.exportTink(id, options, request.access, request.gone),
    );
  }

  server.get('/v1/records/:id/blob', blob, async (request, reply) => {
    const { body, ...facts } = await exported('blob', request);
    const headers = {
      ...headersOf(facts),
      'content-type': 'application/octet-stream',
      'content-length': facts.blobBytes,
      'content-disposition': `attachment; filename="${facts.recordId}.sealed"`,
    };
    const download = { status: 200, headers, body, length: facts.blobBytes };
    await sendDownload(reply, download, downloadLimits(request, context));
    return reply;
  });

  server.get('/v1/records/:id/keyset', keyset, async (request, reply) => {
    const { body, ...facts } = await exported('keyset', request);
    const bytes = await inOnePiece(body);
    const headers = { ...headersOf(facts), 'content-type': 'application/json', 'content-length': bytes.length };
    try {
      const download = { status: 200, headers, body: once(bytes), length: bytes.length };
      await sendDownload(reply, download, downloadLimits(request, context));
    } finally {
      bytes.fill(0); // it has left, or never will
    }
    return reply;
  });
}

function headersOf(facts: Omit<TinkExport, 'body'>): Record<string, string | number> {
  return {
    'x-nectar-record-id': facts.recordId,
    'x-nectar-record-version': facts.version,
    'x-nectar-associated-data': facts.associatedData,
    'x-nectar-audit-leaf': facts.auditLeaf,
  };
}

/** Wipes the pieces that it was put together from. */
async function inOnePiece(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const room = new Uint8Array(MAX_KEYSET_BYTES);
  let filled = 0;
  for await (const piece of body) {
    if (filled + piece.length > MAX_KEYSET_BYTES) throw new RangeError('a keyset of more bytes than one has');
    room.set(piece, filled);
    filled += piece.length;
    piece.fill(0);
  }
  return room.subarray(0, filled);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
