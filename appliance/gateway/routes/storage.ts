import Type from 'typebox';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { AdoptedEntries, FsckReport } from '../record-schemas.ts';
import { FsckRequest } from '../request-schemas.ts';
import { OfferRequest, StorageOffer } from '../storage-schemas.ts';
import { checkAnnouncedSize, readUpload } from '../upload-body.ts';

const fsck = describeOperation({
  id: 'fsckStore',
  tag: 'records',
  summary: 'Rebuild the index from the versions that it holds',
  description:
    'Heads, listings, references and counters are made anew; values that do not open are removed; what cannot be rebuilt is named. With `accept` an index or a log that was put back to an older copy is taken for what it is, and everything goes on.',
  guard: { scope: 'admin' },
  body: FsckRequest,
  response: { 200: FsckReport },
});
const adopt = describeOperation({
  id: 'adoptIndexEntries',
  tag: 'records',
  summary: 'Take into the index what it lacks of the entries of a backup',
  description:
    'The entries are sealed as they are at rest: what does not open under the keys of this node, in its own place, is refused, and so is what the audit log did not make or has destroyed since. `fsckStore` follows.',
  guard: { scope: 'admin', streamed: true },
  body: Type.Unsafe<unknown>({ content: { '*/*': { schema: Type.String({ format: 'binary' }) } } }),
  response: { 200: AdoptedEntries },
});

const offer = describeOperation({
  id: 'changeStorageOffer',
  tag: 'node',
  summary: 'What this node takes of other owners',
  description:
    'On record first; it lasts over restarts. A smaller offer deletes nothing: what is held stays until its owner releases it.',
  guard: { scope: 'admin' },
  body: OfferRequest,
  response: { 200: StorageOffer },
});

export function addStorageRoutes(server: GatewayServer, context: RouteContext): void {
  const { deps, exclusive } = context;
  server.post('/v1/fsck', fsck, (request) =>
    exclusive.run('fsck', () => {
      const { accept } = request.body as FsckRequest;
      return deps.store.fsck({ accept, context: request.access }, () => undefined, request.gone);
    }),
  );
  server.put('/v1/storage/offer', offer, (request) =>
    deps.store.changeOffer((request.body as OfferRequest).bytes, request.access),
  );
  server.register(async (scope) => addAdoption(scope as GatewayServer, context));
}

/** Sealed entries of any number: no parser touches them. */
function addAdoption(server: GatewayServer, { config, deps, metrics, exclusive }: RouteContext): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', async () => undefined);
  server.post('/v1/fsck/entries', adopt, (request) =>
    exclusive.run('fsck', () => {
      checkAnnouncedSize(request.raw, config.maxRecordBytes);
      const limits = { maxBytes: config.maxRecordBytes, idleMs: config.bodyIdleTimeoutMs };
      const body = readUpload(request.raw, { ...limits, onBytes: (count) => metrics.received.inc(count) });
      return deps.store.adopt(body, request.access, request.gone);
    }),
  );
}
