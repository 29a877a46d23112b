import type { FastifyRequest } from 'fastify';
import { evidenced } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { UnlockRequest } from '../request-schemas.ts';
import { KeyList, RotationResult, ScrubReport, UnlockResult } from '../schemas.ts';

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
  summary: 'The key encryption keys: names and ages',
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

  server.get('/v1/keys', list, async () => ({ keys: await keys.list() }));

  server.post('/v1/keys/rotate', rotate, (request) =>
    exclusive.run('key rotation', async () => {
      const event = { type: 'key.rotate', context: request.access } as const;
      const { result } = await evidenced(context, event, {
        announced: true,
        async run(note) {
          const { from, to } = await keys.rotate();
          note({ from, to });
          return { from, to, rewrapped: await rewrap(context, request, to) };
        },
      });
      return result;
    }),
  );

  server.post('/v1/scrub', scrub, (request) =>
    exclusive.run('scrub', async () => {
      const event = { type: 'record.scrub', context: request.access } as const;
      const run = () => store.scrub(() => undefined, request.gone);
      return (await evidenced(context, event, { run })).result;
    }),
  );
}

/** The data keys of all records, wrapped anew. A rotation that got this far and no further shows as such in the log. */
async function rewrap(context: RouteContext, request: FastifyRequest, to: string): Promise<number> {
  const event = { type: 'record.rewrap', context: request.access, detail: { to } } as const;
  const { result } = await evidenced(context, event, {
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
  const record = (outcome: 'success' | 'failure') => {
    const detail = { provider: passphrase === undefined ? 'file' : 'passphrase' };
    events.observed({ type: 'key.unlock', outcome, context: request.access, detail });
  };
  try {
    await deps.keys.unlock(passphrase === undefined ? { provider: 'file' } : { provider: 'passphrase', passphrase });
    record('success');
    return { state: 'unlocked' };
  } catch (error) {
    record('failure');
    throw error;
  } finally {
    passphrase?.fill(0);
  }
}
