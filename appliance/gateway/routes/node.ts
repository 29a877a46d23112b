import Type from 'typebox';
import { evidenced, evidencedFirst } from '../evidenced.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { JoinResult, LeaveResult, NetworkInfo, NodeReadiness, NodeStatus, PeerList } from '../node-schemas.ts';
import { describeOperation } from '../openapi.ts';
import { CopyReport } from '../request-schemas.ts';
import { Recorded } from '../schema-parts.ts';

const health = describeOperation({
  id: 'getHealth',
  tag: 'node',
  summary: 'Whether the process lives; calls nothing',
  guard: { scope: 'public', whileLocked: true },
  response: {
    200: Type.Object({ status: Type.Literal('ok') }, { description: 'Alive.', additionalProperties: false }),
  },
});
const readiness = describeOperation({
  id: 'getReadiness',
  tag: 'node',
  summary: 'Whether the node is usable, and if not, why',
  guard: { scope: 'public', whileLocked: true },
  response: { 200: NodeReadiness, 503: NodeReadiness },
});
const status = describeOperation({
  id: 'getNode',
  tag: 'node',
  summary: 'The node at a glance; answered while locked too',
  guard: { scope: 'node:read', whileLocked: true },
  response: { 200: NodeStatus },
});
const metrics = describeOperation({
  id: 'getMetrics',
  tag: 'node',
  summary: 'What every role of the node counts, in the Prometheus text format; answered while locked too',
  guard: { scope: 'node:read', whileLocked: true },
  response: {
    200: {
      description: 'No personal data. `nectar_role_up` is 0 for a role that did not answer in time.',
      content: { 'text/plain': { schema: Type.String() } },
    },
  },
});
const network = describeOperation({
  id: 'getNetwork',
  tag: 'network',
  summary: 'The network, and this node in it',
  guard: { scope: 'node:read' },
  response: { 200: NetworkInfo },
});
const peers = describeOperation({
  id: 'listPeers',
  tag: 'network',
  summary: 'Connected peers',
  guard: { scope: 'node:read' },
  response: { 200: PeerList },
});
const join = describeOperation({
  id: 'joinNetwork',
  tag: 'network',
  summary: 'Apply to the NodeRegistry',
  guard: { scope: 'admin' },
  response: { 200: JoinResult },
});
const leave = describeOperation({
  id: 'leaveNetwork',
  tag: 'network',
  summary: 'Leave the network: the node is no member from then on',
  description:
    'What it holds for others can be fetched from it for 30 days, if it runs; what others hold for it can be fetched for 30 days and is deleted there then.',
  guard: { scope: 'admin' },
  response: { 200: LeaveResult },
});
const copies = describeOperation({
  id: 'recordCopy',
  tag: 'node',
  summary: 'Put on record that the node was backed up, or restored from a backup',
  description: 'Both are done with the files of the node, beside its API: whoever does them says so here.',
  guard: { scope: 'admin' },
  body: CopyReport,
  response: { 201: Recorded },
});

export function addNodeRoutes(server: GatewayServer, context: RouteContext): void {
  const {
    deps: { node, p2p, nodeMetrics },
    exclusive,
  } = context;

  server.get('/healthz', health, async () => ({ status: 'ok' }));

  server.get('/readyz', readiness, async (_, reply) => {
    const state = await node.readiness();
    return reply.code(state.ready ? 200 : 503).send(state);
  });

  server.get('/v1/node', status, () => node.status());

  server.get('/v1/metrics', metrics, async (_, reply) =>
    reply.type(nodeMetrics.contentType).send(await nodeMetrics.text()),
  );

  server.post('/v1/node/copies', copies, async (request, reply) => {
    const { what, ...detail } = request.body as CopyReport;
    const event = { type: `node.${what}`, outcome: 'success', context: request.access, detail } as const;
    const { auditLeaf } = await evidencedFirst(context, event, async () => undefined);
    return reply.code(201).send({ auditLeaf });
  });

  server.get('/v1/network', network, () => node.network());

  server.get('/v1/network/peers', peers, async () => ({ peers: await p2p.peers() }));

  server.post('/v1/network/join', join, (request) =>
    exclusive.run('network join', async () => {
      const event = { type: 'network.join', context: request.access } as const;
      return (await evidenced(context, event, { run: () => node.join(request.access) })).result;
    }),
  );

  server.post('/v1/network/leave', leave, (request) =>
    exclusive.run('network leave', async () => {
      const event = { type: 'network.leave', context: request.access } as const;
      return (await evidenced(context, event, { run: () => node.leave() })).result;
    }),
  );
}
