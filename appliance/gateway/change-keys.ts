import type { FastifyRequest } from 'fastify';
import type { GatewayAuditEvent } from './dependencies.ts';
import { evidenced } from './evidenced.ts';
import type { RouteContext } from './gateway-server.ts';

export interface KeyChange<T> {
  readonly type: Extract<GatewayAuditEvent['type'], `key.${string}`>;
  readonly detail?: Record<string, string>;
  run(): Promise<T>;
}

/**
 * A change of the key list, on record with the generation that it made: the next start holds keys.json against it. Announced, so that
 * a log that takes no leaf stops the change before it is made.
 */
export async function changeKeys<T extends { readonly generation: number }>(
  context: RouteContext,
  request: FastifyRequest,
  { type, detail, run }: KeyChange<T>,
): Promise<T> {
  const event = { type, context: request.access, ...(detail !== undefined && { detail }) };
  const { result } = await evidenced(context, event, {
    announced: true,
    async run(note) {
      const changed = await run();
      note({ ...factsOf(changed), file: 'keys' });
      return changed;
    },
  });
  return result;
}

function factsOf(changed: object): Record<string, string | number> {
  const facts = Object.entries(changed).map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : value]);
  return Object.fromEntries(facts);
}
