import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { FsckReport } from '../record-schemas.ts';
import { FsckRequest } from '../request-schemas.ts';

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

export function addStorageRoutes(server: GatewayServer, { deps: { store }, exclusive }: RouteContext): void {
  server.post('/v1/fsck', fsck, (request) =>
    exclusive.run('fsck', () => {
      const { accept } = request.body as FsckRequest;
      return store.fsck({ accept, context: request.access }, () => undefined, request.gone);
    }),
  );
}
