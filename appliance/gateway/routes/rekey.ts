import { NectarError } from '../../../protocol/errors.ts';
import { changeKeys } from '../change-keys.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { RekeyAnswer, RekeyState, ReplacedRoot } from '../key-schemas.ts';
import { describeOperation } from '../openapi.ts';
import { RekeyRequest, RootRequest } from '../request-schemas.ts';

const guard = { scope: 'admin' } as const;
const begin = describeOperation({
  id: 'rekeyRecords',
  tag: 'keys',
  summary: 'Seal every record anew under new keys, in the background; goes on with one that stopped',
  description:
    'Makes a new key encryption key, reads every version and seals it under a data key of its own, and destroys the older key encryption keys once nothing needs them. It goes on over restarts. Content, versions and labels stay; CIDs and entity tags change, and commitments are anchored anew.',
  guard,
  body: RekeyRequest,
  response: { 200: RekeyState },
});
const look = describeOperation({
  id: 'getRekey',
  tag: 'keys',
  summary: 'How far the rekey has come',
  guard: { scope: 'node:read' },
  response: { 200: RekeyAnswer },
});
const pause = describeOperation({
  id: 'pauseRekey',
  tag: 'keys',
  summary: 'Stop the rekey until it is begun again; what is done stays done',
  guard,
  response: { 200: RekeyState },
});

const root = describeOperation({
  id: 'replaceRootKey',
  tag: 'keys',
  summary: 'Make another root key; what opens the node opens that one',
  description:
    'The enrolled providers keep their secrets; one that cannot be used now, or whose passphrase is not given, must be named in `without`. Recovery kits of before open this node no more. Key encryption keys stay until a rekey, which is to follow; the index is sealed by another key at the next start; what seals the bodies of the log, the database and repositories stays.',
  guard,
  body: RootRequest,
  response: { 200: ReplacedRoot },
});

export function addRekeyRoutes(server: GatewayServer, context: RouteContext): void {
  const { deps, exclusive } = context;
  const { keys, store, node } = deps;
  const current = async (): Promise<RekeyState | null> => (await node.status()).storage?.rekey ?? null;

  server.post('/v1/keys/rekey', begin, (request) =>
    exclusive.run('key rotation', async () => {
      const { load } = request.body as RekeyRequest;
      const before = await current();
      if (before !== null && before.state !== 'done') return store.rekey({ load }, request.access);
      const change = { type: 'key.rotate', detail: { for: 'rekey' }, run: () => keys.rotate() } as const;
      const { to } = await changeKeys(context, request, change);
      return store.rekey({ target: to, load }, request.access);
    }),
  );

  server.post('/v1/keys/root', root, (request) =>
    exclusive.run('key rotation', async () => {
      const { without = [], passphrase } = request.body as RootRequest;
      const { state } = (await current()) ?? { state: 'done' };
      if (state !== 'done') throw new NectarError('KEY_ROOT_REKEYING', { state });
      const secret = passphrase === undefined ? undefined : new TextEncoder().encode(passphrase);
      const run = () => keys.replaceRoot({ without, ...(secret !== undefined && { secret }) });
      const detail = without.length === 0 ? {} : { without: without.join(' ') };
      return changeKeys(context, request, { type: 'key.root', detail, run }).finally(() => secret?.fill(0));
    }),
  );

  server.get('/v1/keys/rekey', look, async () => ({ rekey: await current() }));

  server.delete('/v1/keys/rekey', pause, (request) =>
    exclusive.run('key rotation', () => store.pauseRekey(request.access)),
  );
}
