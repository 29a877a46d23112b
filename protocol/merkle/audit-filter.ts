import { NectarError } from '../errors.ts';
import { type AuditLeaf, isEventType } from './audit-leaf.ts';

/** Which entries of the log are meant; an empty filter means all. Every condition must hold. */
export interface AuditFilter {
  /** A record's id, or its first digits. */
  readonly record?: string;
  /** A patient reference, as `patientsOf` reads it from a record's labels. */
  readonly patient?: string;
  /** A subject, a token id, or a name (in any case). */
  readonly actor?: string;
  /** Not before; ISO 8601, UTC, milliseconds. */
  readonly since?: string;
  /** Before. */
  readonly until?: string;
  /** An event type such as `record.read`, or a family such as `record`. */
  readonly type?: string;
  readonly outcome?: 'success' | 'failure';
  /** Only what let content of a record leave the node. */
  readonly disclosures?: true;
}

/**
 * Events by which content of a record leaves the node. More than an accounting of disclosures (45 CFR 164.528) must list: the
 * node does not know whether a reading was for treatment, payment or operations, which the accounting leaves out.
 */
const DISCLOSING: readonly string[] = ['record.read', 'record.export'];

const MAX_TEXT = 256;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const RECORD = /^[0-9a-f]{6,32}$/;

/** Checks a filter from outside; throws AUDIT_FILTER_INVALID. An instant may be anything that names one; it becomes UTC. */
export function parseAuditFilter(input: Readonly<Record<string, unknown>>): AuditFilter {
  const { record, patient, actor, since, until, type, outcome, disclosures, ...rest } = input;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) refuse(unknown.slice(0, 32), 'it is no condition of this version');
  const text = (name: string, value: unknown): string =>
    typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT && value.isWellFormed()
      ? value
      : refuse(name, `it is not a text of 1 to ${MAX_TEXT} characters`);
  return {
    ...(record === undefined ? {} : { record: parseRecord(text('record', record)) }),
    ...(patient === undefined ? {} : { patient: patientKey(text('patient', patient)) }),
    ...(actor === undefined ? {} : { actor: text('actor', actor) }),
    ...(since === undefined ? {} : { since: parseInstant('since', text('since', since)) }),
    ...(until === undefined ? {} : { until: parseInstant('until', text('until', until)) }),
    ...(type === undefined ? {} : { type: parseType(text('type', type)) }),
    ...(outcome === undefined ? {} : { outcome: parseOutcome(outcome) }),
    ...(disclosures === undefined || disclosures === false
      ? {}
      : { disclosures: disclosures === true ? true : refuse('disclosures', 'it is neither true nor false') }),
  };
}

/** The filter as one line, the same for the same filter: what the log states of a reading. `all` for an empty one. */
export function describeAuditFilter(filter: AuditFilter): string {
  const pairs = Object.entries(filter).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0
    ? 'all'
    : pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&');
}

/** Reads back what describeAuditFilter wrote; throws AUDIT_FILTER_INVALID. */
export function readAuditFilter(text: string): AuditFilter {
  if (text === 'all') return {};
  const pairs = text.split('&').map((pair): [string, unknown] => {
    const [name = '', value = ''] = pair.split('=');
    return [name, name === 'disclosures' ? value === 'true' : decodeValue(value)];
  });
  return parseAuditFilter(Object.fromEntries(pairs));
}

function decodeValue(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return refuse('filter', 'it is not what a log states');
  }
}

/** Whether a filter can be judged by leaves alone: type, time and outcome are in the leaf, who and what only in the body. */
export function isLeafFilter({ record, patient, actor }: AuditFilter): boolean {
  return record === undefined && patient === undefined && actor === undefined;
}

/** Whether a leaf meets those conditions that a leaf can be judged by. */
export function matchesLeaf(filter: AuditFilter, { time, type, outcome }: AuditLeaf): boolean {
  return (
    (filter.since === undefined || time >= filter.since) &&
    (filter.until === undefined || time < filter.until) &&
    (filter.outcome === undefined || outcome === filter.outcome) &&
    (filter.type === undefined || type === filter.type || type.startsWith(`${filter.type}.`)) &&
    (filter.disclosures === undefined || (outcome === 'success' && DISCLOSING.includes(type)))
  );
}

function parseRecord(text: string): string {
  return RECORD.test(text) ? text : refuse('record', 'it is not 6 to 32 hex digits');
}

function parseType(text: string): string {
  return isEventType(text) || /^[a-z]+$/.test(text) ? text : refuse('type', 'it is not a dotted lower-case word');
}

function parseOutcome(value: unknown): 'success' | 'failure' {
  return value === 'success' || value === 'failure' ? value : refuse('outcome', 'it is neither success nor failure');
}

function parseInstant(name: string, text: string): string {
  if (INSTANT.test(text) && !Number.isNaN(Date.parse(text))) return text;
  const isIso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const at = isIso ? new Date(text) : new Date(Number.NaN);
  return Number.isNaN(at.getTime())
    ? refuse(name, 'it is not a date or an instant with its zone (ISO 8601)')
    : at.toISOString();
}

/**
 * The patients that a record's labels name: `patient=REF`, or a FHIR reference `Patient/ID` as a label of its own. REF may
 * be any text that the owner calls a patient by. `Patient/7` and `7` are the same patient.
 */
export function patientsOf(labels: readonly string[]): string[] {
  const named = labels.flatMap((label) => {
    if (label.startsWith('patient=')) return [patientKey(label.slice('patient='.length))];
    return /^Patient\/[A-Za-z0-9.-]{1,64}$/.test(label) ? [patientKey(label)] : [];
  });
  return [...new Set(named)].filter((patient) => patient !== '' && patient.length <= MAX_TEXT);
}

/** The labels that name a patient: what to look for among records. */
export function patientLabels(patient: string): string[] {
  const key = patientKey(patient);
  return [`patient=${key}`, `patient=Patient/${key}`, `Patient/${key}`];
}

function patientKey(reference: string): string {
  return reference.startsWith('Patient/') ? reference.slice('Patient/'.length) : reference;
}

function refuse(condition: string, problem: string): never {
  throw new NectarError('AUDIT_FILTER_INVALID', { condition, problem });
}
