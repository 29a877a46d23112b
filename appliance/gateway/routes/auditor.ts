import { AppealRequest, AuditorDecision, AuditorQueue, DecisionResult } from '../auditor-schemas.ts';
import { evidenced } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { LeaveResult } from '../node-schemas.ts';
import { describeOperation } from '../openapi.ts';

const queue = describeOperation({
  id: 'auditorQueue',
  tag: 'network',
  summary: 'Nodes that wait for an auditor, the oldest first',
  guard: { scope: 'node:read' },
  response: { 200: AuditorQueue },
});
const decide = describeOperation({
  id: 'auditorDecide',
  tag: 'network',
  summary: 'Attest, warn, suspend, eject or readmit a node, as an accredited auditor',
  description: "The node's operator account decides; the registry must list it as an auditor.",
  guard: { scope: 'admin' },
  body: AuditorDecision,
  response: { 200: DecisionResult },
});
const appeal = describeOperation({
  id: 'appealEjection',
  tag: 'network',
  summary: 'Appeal against the ejection of this node',
  guard: { scope: 'admin' },
  body: AppealRequest,
  response: { 200: LeaveResult },
});

export function addAuditorRoutes(server: GatewayServer, context: RouteContext): void {
  const {
    deps: { node, auditor },
    exclusive,
  } = context;

  server.get('/v1/auditor/queue', queue, () => auditor.queue());

  server.post('/v1/auditor/decisions', decide, (request) =>
    exclusive.run('auditor decision', async () => {
      const decision = request.body as AuditorDecision;
      const event = { type: 'auditor.decide', context: request.access, detail: { ...decision } } as const;
      return (await evidenced(context, event, { run: () => auditor.decide(decision) })).result;
    }),
  );

  server.post('/v1/network/appeal', appeal, (request) =>
    exclusive.run('network appeal', async () => {
      const { evidence } = request.body as AppealRequest;
      const event = { type: 'network.appeal', context: request.access, detail: { evidence } } as const;
      return (await evidenced(context, event, { run: () => node.appeal({ evidence }) })).result;
    }),
  );
}
