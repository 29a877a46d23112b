import Type from 'typebox';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';
import { AuditCheckpoint, AuditEntries, AuditEntry, AuditProof, AuditVerdict } from '../schemas.ts';

const MAX_ENTRIES = 1000;
const DEFAULT_ENTRIES = 20;

const guard = { scope: 'audit:read' } as const;
const LeafParams = Type.Object({
  n: Type.Integer({ description: 'Index of the leaf.', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, examples: [7] }),
});

const checkpoint = describeOperation({
  id: 'getAuditCheckpoint',
  tag: 'audit',
  summary: 'The latest signed checkpoint of the audit log',
  guard,
  response: { 200: AuditCheckpoint },
});
const entries = describeOperation({
  id: 'listAuditEntries',
  tag: 'audit',
  summary: 'The newest audit entries; reading them is itself logged',
  guard,
  querystring: Type.Object(
    { limit: Type.Integer({ minimum: 1, maximum: MAX_ENTRIES, default: DEFAULT_ENTRIES }) },
    { additionalProperties: false },
  ),
  response: { 200: AuditEntries },
});
const entry = describeOperation({
  id: 'getAuditEntry',
  tag: 'audit',
  summary: 'One audit entry; reading it is itself logged',
  guard,
  params: LeafParams,
  response: { 200: AuditEntry },
});
const proof = describeOperation({
  id: 'getAuditProof',
  tag: 'audit',
  summary: 'A stand-alone inclusion proof; making one is itself logged, since it shows the body',
  guard,
  params: LeafParams,
  response: { 200: AuditProof },
});
const verify = describeOperation({
  id: 'verifyAudit',
  tag: 'audit',
  summary: 'Recompute the whole log from disk; the answer may take minutes',
  guard,
  response: { 200: AuditVerdict },
});

export function addAuditRoutes(server: GatewayServer, { deps: { audit, anchor }, exclusive }: RouteContext): void {
  server.get('/v1/audit/checkpoint', checkpoint, () => audit.checkpoint());

  server.get('/v1/audit/entries', entries, async (request) => ({
    entries: await audit.tail(request.query.limit, request.access),
  }));

  server.get('/v1/audit/entries/:n', entry, (request) => audit.entry(request.params.n, request.access));

  server.get('/v1/audit/proof/:n', proof, async (request) => {
    const index = request.params.n;
    await audit.append({ type: 'audit.read', outcome: 'success', context: request.access, detail: { proof: index } });
    return audit.prove(index);
  });

  server.post('/v1/audit/verify', verify, () =>
    exclusive.run('audit verify', async () => audit.verify({ anchors: await anchor.anchors() })),
  );
}
