import type { RecordId } from '../../../protocol/brand.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { MAX_QUESTION_BYTES, RecordPresences, RecordQuestion } from '../record-presence.ts';

const ask = describeOperation({
  id: 'findRecords',
  tag: 'records',
  summary: 'Say of many records whether they are there',
  description:
    'Shows no name and no label: the audit log has one entry of the question, with how many were asked for and found, and one of each record that is absent, as of a read.',
  guard: { scope: 'records:read' },
  body: RecordQuestion,
  response: { 200: RecordPresences },
});

export function addRecordPresenceRoutes(server: GatewayServer, context: RouteContext): void {
  const { deps, events } = context;
  server.post('/v1/records/present', { ...ask, bodyLimit: MAX_QUESTION_BYTES }, async (request) => {
    const { access } = request;
    const found = await deps.store.present(request.body.records as RecordId[], access);
    const detail = { reason: 'STORE_RECORD_NOT_FOUND' };
    for (const { recordId, state } of found) {
      if (state !== 'absent') continue;
      // Whoever tries ids is seen by them, as by reads.
      const event = { type: 'record.read', outcome: 'failure', context: access, recordId, detail } as const;
      events.denied(event, { kind: detail.reason, identified: true });
    }
    return { records: [...found] };
  });
}
