import type { FastifyRequest } from 'fastify';
import type { RecordId } from '../../protocol/brand.ts';
import { isNectarError } from '../../protocol/errors.ts';
import type { GatewayAuditEvent } from './dependencies.ts';
import type { RouteContext } from './gateway-server.ts';

/**
 * Does something with a record, and puts on record when it is not there: a caller that tries ids is seen by them. Within
 * the caller's own bounds each one is written, beyond them they are counted.
 */
export async function orAbsent<T>(
  { events }: Pick<RouteContext, 'events'>,
  request: FastifyRequest,
  asked: { readonly type: GatewayAuditEvent['type']; readonly recordId: RecordId },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isNectarError(error, 'STORE_RECORD_NOT_FOUND')) {
      const detail = { reason: error.code };
      const event = { ...asked, outcome: 'failure', context: request.access, detail } as const;
      events.denied(event, { kind: error.code, identified: true });
    }
    throw error;
  }
}
