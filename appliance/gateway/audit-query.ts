import Type, { type Static } from 'typebox';
import { NectarError } from '../../protocol/errors.ts';
import { type AuditFilter, parseAuditFilter, patientLabels } from '../../protocol/merkle/audit-filter.ts';
import type { GatewayAuditQuery } from './audit-needs.ts';
import type { AccessContext } from './dependencies.ts';
import type { GatewayStore } from './store-needs.ts';

const MAX_ENTRIES = 1000;
const DEFAULT_ENTRIES = 20;
const PAGE_RECORDS = 1000;
/** Records of one patient that a question about him can take in. */
const MAX_PATIENT_RECORDS = 10_000;

const condition = (description: string, example: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 256, description, examples: [example] }));

/** The conditions, as parameters of a URL; parseAuditFilter has the last word. */
export const AuditConditions = Type.Object(
  {
    record: condition('A record id, or its first 6 digits or more.', '0f1e2d3c'),
    patient: condition(
      'A patient, as records are labelled: `patient=REF` or `Patient/REF`. Finds what happened to records that bore the label then, or bear it now.',
      '4711',
    ),
    actor: condition('A subject, a token id, or the name of a token.', 'dr-jones'),
    since: condition('Not before: a date or an instant (ISO 8601).', '2026-11-01'),
    until: condition('Before: a date or an instant (ISO 8601).', '2026-12-01'),
    type: condition('An event type, or a family of them.', 'record.read'),
    outcome: Type.Optional(Type.Union([Type.Literal('success'), Type.Literal('failure')])),
    disclosures: Type.Optional(
      Type.Boolean({ description: 'Only what let content of a record leave the node.', default: false }),
    ),
  },
  { additionalProperties: false },
);

export const AuditEntriesQuery = Type.Object(
  {
    ...AuditConditions.properties,
    limit: Type.Integer({ minimum: 1, maximum: MAX_ENTRIES, default: DEFAULT_ENTRIES }),
    after: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Read forwards from this leaf on; ask again with the cursor for what comes later.',
      }),
    ),
    cursor: Type.Optional(
      Type.String({ maxLength: 64, description: 'Go on where an earlier page ended; its conditions hold.' }),
    ),
  },
  { additionalProperties: false },
);
export type AuditEntriesQuery = Static<typeof AuditEntriesQuery>;

/** What to ask the log for. A patient's records are looked up once, when the reading begins. */
export async function resolveAuditQuery(
  { limit, after, cursor, ...conditions }: AuditEntriesQuery,
  context: AccessContext,
  store: Pick<GatewayStore, 'list'>,
): Promise<GatewayAuditQuery> {
  if (cursor !== undefined) return { filter: {}, limit, cursor };
  const filter = parseAuditFilter(conditions);
  return {
    filter,
    limit,
    ...(after === undefined ? {} : { after }),
    ...(await resolvePatient(filter, context, store)),
  };
}

/** The records that bear a patient's label today. */
export async function resolvePatient(
  { patient }: AuditFilter,
  context: AccessContext,
  store: Pick<GatewayStore, 'list'>,
): Promise<{ records?: readonly string[] }> {
  if (patient === undefined) return {};
  const records: string[] = [];
  for (const label of patientLabels(patient)) {
    let cursor: string | undefined;
    do {
      const page = await store.list(
        { label, limit: PAGE_RECORDS, ...(cursor === undefined ? {} : { cursor }) },
        context,
      );
      records.push(...page.records.map(({ recordId }) => recordId));
      cursor = page.cursor;
      if (records.length > MAX_PATIENT_RECORDS) {
        const problem = `more than ${MAX_PATIENT_RECORDS} records bear the label: ask for them one by one`;
        throw new NectarError('AUDIT_FILTER_INVALID', { condition: 'patient', problem });
      }
    } while (cursor !== undefined);
  }
  return { records };
}
