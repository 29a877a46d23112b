import Type from 'typebox';
import { changeKeys } from '../change-keys.ts';
import type { Enrolment } from '../dependencies.ts';
import { evidencedFirst } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { ChangedProvider, ResolvedKeys } from '../key-schemas.ts';
import { describeOperation } from '../openapi.ts';
import { ProviderRequest, RecoveryKitNote } from '../request-schemas.ts';
import { Recorded } from '../schema-parts.ts';

const params = Type.Object({ id: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }) });
const guard = { scope: 'admin' } as const;

const enroll = describeOperation({
  id: 'enrollProvider',
  tag: 'keys',
  summary: 'One more way to open the node',
  guard,
  body: ProviderRequest,
  response: { 201: ChangedProvider },
});
const change = describeOperation({
  id: 'changeProvider',
  tag: 'keys',
  summary: 'A new secret in the place of an enrolled one, such as a new passphrase',
  guard,
  params,
  body: ProviderRequest,
  response: { 200: ChangedProvider },
});
const remove = describeOperation({
  id: 'removeProvider',
  tag: 'keys',
  summary: 'One way less to open the node; never the last that works',
  guard,
  params,
  response: { 200: ChangedProvider },
});
const resolve = describeOperation({
  id: 'resolveKeys',
  tag: 'keys',
  summary: 'Accept a key list that contradicts the audit log',
  description:
    'What the log states stays there, and that this list was accepted. Data wrapped by keys that only the missing list had stays closed; providers that were removed since this copy was made open the node again, until they are removed anew.',
  guard,
  response: { 200: ResolvedKeys },
});

const kit = describeOperation({
  id: 'recordRecoveryKit',
  tag: 'keys',
  summary: 'Put on record that a recovery kit is made',
  description: 'The kit is made beside the API, by the command line with the keys of the home; it says so here first.',
  guard,
  body: RecoveryKitNote,
  response: { 201: Recorded },
});

export function addProviderRoutes(server: GatewayServer, context: RouteContext): void {
  const { exclusive } = context;
  const { keys } = context.deps;

  server.post('/v1/keys/providers', enroll, (request, reply) =>
    exclusive.run('key rotation', async () => {
      const { provider } = request.body as ProviderRequest;
      const run = () => withEnrolment(request.body as ProviderRequest, (wanted) => keys.enroll(wanted));
      const enrolled = await changeKeys(context, request, { type: 'key.enroll', detail: { provider }, run });
      return reply.code(201).send(enrolled);
    }),
  );

  server.put('/v1/keys/providers/:id', change, (request) =>
    exclusive.run('key rotation', () => {
      const { provider } = request.body as ProviderRequest;
      const { id } = request.params;
      const run = () => withEnrolment(request.body as ProviderRequest, (wanted) => keys.change(id, wanted));
      return changeKeys(context, request, { type: 'key.change', detail: { provider, replaced: id }, run });
    }),
  );

  server.delete('/v1/keys/providers/:id', remove, (request) =>
    exclusive.run('key rotation', () => {
      const { id } = request.params;
      return changeKeys(context, request, { type: 'key.remove', detail: { id }, run: () => keys.remove(id) });
    }),
  );

  server.post('/v1/keys/kits', kit, async (request, reply) => {
    const { officers, ...note } = request.body as RecoveryKitNote;
    const detail = { ...note, officers: officers.join(' ') };
    const event = { type: 'key.backup', outcome: 'success', context: request.access, detail } as const;
    const { auditLeaf } = await evidencedFirst(context, event, async () => undefined);
    return reply.code(201).send({ auditLeaf });
  });

  server.post('/v1/keys/resolve', resolve, (request) =>
    exclusive.run('key rotation', () =>
      changeKeys(context, request, { type: 'key.resolve', run: () => keys.resolve() }),
    ),
  );
}

/** The secret as bytes that end with the call. */
async function withEnrolment<T>(
  { provider, settings, passphrase }: ProviderRequest,
  use: (wanted: Enrolment) => Promise<T>,
): Promise<T> {
  const secret = passphrase === undefined ? undefined : new TextEncoder().encode(passphrase);
  try {
    return await use({
      provider,
      ...(settings !== undefined && { settings }),
      ...(secret !== undefined && { secret }),
    });
  } finally {
    secret?.fill(0);
  }
}
