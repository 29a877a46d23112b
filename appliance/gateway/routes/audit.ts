import Type from 'typebox';
import { isNectarError } from '../../../protocol/errors.ts';
import { parseAuditFilter } from '../../../protocol/merkle/audit-filter.ts';
import type { AuditAnchor } from '../audit-needs.ts';
import { AuditConditions, AuditEntriesQuery, resolveAuditQuery, resolvePatient } from '../audit-query.ts';
import {
  AuditCheckpoint,
  AuditEntries,
  AuditEntry,
  AuditEpoch,
  AuditProof,
  AuditResolution,
  AuditVerdict,
} from '../audit-schemas.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { sendDownload } from '../download.ts';
import { downloadLimits } from '../download-limits.ts';
import type { GatewayServer, RouteContext } from '../gateway-server.ts';
import { describeOperation } from '../openapi.ts';

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
  summary: 'Audit entries by condition, a page at a time, from the newest back',
  description:
    'A page looks at a bounded number of leaves: it may be empty and still have a cursor to go on with. The reading is itself logged, once, with what was asked; entries of a page are in the order of the log.',
  guard,
  querystring: AuditEntriesQuery,
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
  summary: 'A stand-alone inclusion proof; one that shows the body is itself logged',
  guard,
  params: LeafParams,
  querystring: Type.Object(
    { body: Type.Boolean({ description: 'Whether the proof shows the event itself.', default: true }) },
    { additionalProperties: false },
  ),
  response: { 200: AuditProof },
});
const exportEntries = describeOperation({
  id: 'exportAudit',
  tag: 'audit',
  summary: 'A bundle of audit entries that verifies without the node; the export is itself logged',
  description:
    'Lines of canonical JSON: a header with checkpoint and proof, the entries, and the entry that records this export. `leaves=all` lists every leaf of the searched time, so that the reader sees that none is missing.',
  guard,
  querystring: Type.Object(
    {
      ...AuditConditions.properties,
      bodies: Type.Boolean({ default: true, description: 'Whether the events themselves are shown.' }),
      leaves: Type.Union([Type.Literal('meant'), Type.Literal('all')], { default: 'meant' }),
    },
    { additionalProperties: false },
  ),
  response: {
    200: {
      description: 'The bundle.',
      content: { 'application/x-ndjson': { schema: { type: 'string', format: 'binary' } } },
    },
  },
});
const verify = describeOperation({
  id: 'verifyAudit',
  tag: 'audit',
  summary: 'Recompute the whole log from disk; the answer may take minutes',
  guard,
  response: { 200: AuditVerdict },
});

const resolve = describeOperation({
  id: 'resolveAudit',
  tag: 'audit',
  summary: 'Declare what is missing from the log lost, and begin a successor epoch',
  guard: { scope: 'admin' },
  body: AuditResolution,
  response: { 200: AuditEpoch },
});

export function addAuditRoutes(server: GatewayServer, context: RouteContext): void {
  const { deps, events, exclusive } = context;
  const { audit, anchor, store, now } = deps;
  server.get('/v1/audit/checkpoint', checkpoint, () => audit.checkpoint());

  server.get('/v1/audit/entries', entries, async (request) => {
    const query = await resolveAuditQuery(request.query, request.access, store);
    return audit.query(query, request.access, request.gone);
  });

  server.get('/v1/audit/entries/:n', entry, (request) => audit.entry(request.params.n, request.access));

  server.get('/v1/audit/proof/:n', proof, (request) =>
    audit.prove(request.params.n, request.query.body ? request.access : undefined),
  );

  server.get('/v1/audit/export', exportEntries, async (request, reply) => {
    const body = await exclusive.run('audit export', async () => {
      const { bodies, leaves, ...conditions } = request.query;
      const filter = parseAuditFilter(conditions);
      const anchors = await knownAnchors(anchor);
      const records = await resolvePatient(filter, request.access, store);
      const wanted = { filter, ...records, bodies, allLeaves: leaves === 'all', anchors };
      return audit.export(wanted, request.access, request.gone);
    });
    const headers = {
      'content-type': 'application/x-ndjson',
      'content-disposition': 'attachment; filename="audit-bundle.ndjson"',
    };
    await sendDownload(reply, { status: 200, headers, body }, downloadLimits(request, context));
    return reply;
  });

  server.post('/v1/audit/verify', verify, (request) =>
    exclusive.run('audit verify', async () => {
      const verdict = await audit.verify({ anchors: await knownAnchors(anchor), signal: request.gone });
      const { integrity, completeness, size } = verdict;
      const outcome = integrity === 'ok' && completeness !== 'violated' ? 'success' : 'failure';
      // A log found damaged takes no more leaves: the verdict is told all the same.
      events.observed({
        type: 'audit.verify',
        outcome,
        context: request.access,
        detail: { integrity, completeness, size },
      });
      return verdict;
    }),
  );

  // Evidenced by the log itself: the epoch's own leaf, and one that says who decided it.
  server.post('/v1/audit/resolve', resolve, (request) => {
    const { checkpoint: note, where = 'the operator' } = request.body;
    const told = note === undefined ? [] : [{ note, where, at: now() }];
    return audit.resolve({ context: request.access, told });
  });
}

/** Without the chain the log's integrity can still be told; its completeness is then unknown, not assumed. */
async function knownAnchors(anchor: GatewayDependencies['anchor']): Promise<readonly AuditAnchor[]> {
  try {
    return await anchor.anchors();
  } catch (error) {
    if (isNectarError(error, 'NODE_NOT_READY')) return [];
    throw error;
  }
}
