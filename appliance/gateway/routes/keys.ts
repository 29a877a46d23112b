import type { FastifyRequest } from 'fastify';
import { changeKeys } from '../change-keys.ts';
import { evidenced } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { KeyList, RetirementResult, RotationResult, UnlockResult } from '../key-schemas.ts';
import { describeOperation } from '../openapi.ts';
import { ScrubReport } from '../record-schemas.ts';
import { UnlockRequest } from '../request-schemas.ts';
import { addProviderRoutes } from './key-providers.ts';
import { addRekeyRoutes } from './rekey.ts';

const unlock = describeOperation({
  id: 'unlockNode',
  tag: 'keys',
  summary: 'Unlock the node',
  description:
    'A wrong passphrase takes as long as a right one, and each one makes the node wait longer before the next.',
  guard: { scope: 'admin', whileLocked: true },
  body: UnlockRequest,
  response: { 200: UnlockResult },
});
const list = describeOperation({
  id: 'listKeys',
  tag: 'keys',
  summary: 'The key encryption keys, and what opens the node: names and ages',
  guard: { scope: 'admin' },
  response: { 200: KeyList },
});
const rotate = describeOperation({
  id: 'rotateKeys',
  tag: 'keys',
  summary: 'Make a new key encryption key and rewrap every data key; no content is touched',
  guard: { scope: 'admin' },
  response: { 200: RotationResult },
});
const retire = describeOperation({
  id: 'retireKeys',
  tag: 'keys',
  summary: 'Destroy every key encryption key that is not in use any more',
  description:
    'Wraps what is still under an older one anew, then destroys those keys: an older copy of the index that comes back opens nothing. A key that derives from the root key (made by an early version) leaves the list, and ends only with the root key.',
  guard: { scope: 'admin' },
  response: { 200: RetirementResult },
});
const scrub = describeOperation({
  id: 'scrubStore',
  tag: 'records',
  summary: 'Re-read and authenticate everything stored; the answer may take hours',
  guard: { scope: 'admin' },
  response: { 200: ScrubReport },
});

export function addKeyRoutes(server: GatewayServer, context: RouteContext): void {
  const { deps, exclusive } = context;
  const { keys, store } = deps;

  server.post('/v1/unlock', unlock, (request) =>
    exclusive.run('unlock', () => openKeys(request, request.body as UnlockRequest, context)),
  );

  server.get('/v1/keys', list, async (request) => {
    const [listed, providers, purposes] = [await keys.list(), await keys.providers(), await keys.purposes()];
    // A log that takes no leaves is when these are most needed: names and ages are told, and written when it does.
    const detail = { keys: listed.length, providers: providers.length };
    context.events.observed({ type: 'key.list', outcome: 'success', context: request.access, detail });
    return { keys: listed, providers, purposes: [...purposes] };
  });

  server.post('/v1/keys/rotate', rotate, (request) =>
    exclusive.run('key rotation', async () => {
      const rotated = await changeKeys(context, request, { type: 'key.rotate', run: () => keys.rotate() });
      return { ...rotated, rewrapped: await rewrap(context, request, rotated.to) };
    }),
  );

  server.post('/v1/keys/retire', retire, (request) =>
    exclusive.run('key rotation', async () => {
      const current = (await keys.list()).find((key) => key.current)?.id ?? '';
      const rewrapped = await rewrap(context, request, current);
      const run = () => keys.retire();
      return { ...(await changeKeys(context, request, { type: 'key.retire', run })), rewrapped };
    }),
  );

  addProviderRoutes(server, context);
  addRekeyRoutes(server, context);

  server.post('/v1/scrub', scrub, (request) =>
    exclusive.run('scrub', async () => {
      const event = { type: 'record.scrub', context: request.access } as const;
      const run = () => store.scrub(() => undefined, request.gone);
      return (await evidenced(context, event, { run })).result;
    }),
  );
}

/** The data keys of all records, wrapped anew. One that ends half-way shows as such in the log. */
async function rewrap(context: RouteContext, request: FastifyRequest, to: string): Promise<number> {
  const event = { type: 'record.rewrap', context: request.access, detail: { to } } as const;
  const { result } = await evidenced(context, event, {
    announced: true,
    async run(note) {
      let done = 0;
      try {
        const { rewrapped } = await context.deps.store.rewrap((soFar) => {
          done = soFar;
        }, request.access);
        done = rewrapped;
        return rewrapped;
      } finally {
        note({ rewrapped: done });
      }
    },
  });
  return result;
}

/** Success and failure both become evidence, as soon as there is a log to write to: it opens only after the keys do. */
async function openKeys(
  request: FastifyRequest,
  body: UnlockRequest,
  { deps, events }: RouteContext,
): Promise<{ state: 'unlocked' }> {
  if ((await deps.keys.state()) === 'unlocked') return { state: 'unlocked' };
  const passphrase = 'passphrase' in body ? new TextEncoder().encode(body.passphrase) : undefined;
  const detail = { provider: 'provider' in body ? body.provider : 'passphrase' };
  const record = (outcome: 'success' | 'failure') => {
    events.observed({ type: 'key.unlock', outcome, context: request.access, detail });
  };
  try {
    await deps.keys.unlock({ ...detail, ...(passphrase !== undefined && { passphrase }) });
    record('success');
    return { state: 'unlocked' };
  } catch (error) {
    record('failure');
    throw error;
  } finally {
    passphrase?.fill(0);
  }
}
