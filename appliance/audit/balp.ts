import { IDENTIFIER } from '../../protocol/merkle/audit-facts.ts';
import type { AuditInput } from './audit-input.ts';
import { APPLICATION, type Coding, type EventCoding, eventCoding, SYSTEM } from './balp-codes.ts';

/** The values of a FHIR R4 AuditEvent as plain JSON. */
export type AuditEventJson = Readonly<Record<string, unknown>> & { readonly resourceType: 'AuditEvent' };

const PROFILES = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit';
/** AuditEvent.outcome: success, minor failure (the request failed), serious failure (it was refused). */
const OUTCOME = { success: '0', failed: '4', refused: '8' } as const;
/** AuditEvent.agent.network.type. */
const NETWORK = { machineName: '1', ipAddress: '2', uri: '5' } as const;

interface Recording {
  readonly origin: string;
  /** ISO 8601. */
  readonly time: string;
}

/**
 * Writes an event as a FHIR R4 AuditEvent in the shape of IHE BALP. A profile is claimed only where the event meets it:
 * a successful create, read, update, delete, query or disclosure. test/interop/fhir holds every event to what it claims.
 * Names stand in the order of canonical JSON, in which they are written several times faster.
 */
export function toAuditEvent(event: AuditInput, { origin, time }: Recording): AuditEventJson {
  const codes = eventCoding(event.type);
  const profile = event.outcome === 'success' ? profileOf(codes, event.patients ?? []) : undefined;
  const node = { identifier: { system: IDENTIFIER.node, value: origin } };
  // BALP's Delete allows one subtype only; everywhere else our own event type stands beside the standard one.
  const subtypes = [codes.subtype, codes.profile === 'Delete' ? undefined : { code: event.type, system: SYSTEM.event }];
  return {
    action: codes.action,
    agent: agents(event, codes, node),
    entity: entities(event, codes),
    ...(profile === undefined ? {} : { meta: { profile: [`${PROFILES}.${profile}`] } }),
    outcome: outcomeOf(event),
    recorded: time,
    resourceType: 'AuditEvent',
    source: {
      observer: node,
      site: origin,
      type: [{ code: '4', display: 'Application Server', system: SYSTEM.sourceType }],
    },
    subtype: subtypes.filter((code) => code !== undefined),
    type: codes.type,
  };
}

/** BALP's profiles of a patient's data take exactly one patient, and a disclosure is always of one. */
function profileOf({ profile }: EventCoding, patients: readonly string[]): string | undefined {
  const ofPatient = patients.length === 1;
  if (profile === undefined || profile === 'PrivacyDisclosure.Source') return ofPatient ? profile : undefined;
  return ofPatient ? `Patient${profile}` : profile;
}

function outcomeOf({ outcome, type }: AuditInput): string {
  if (outcome === 'success') return OUTCOME.success;
  return type === 'auth.denied' ? OUTCOME.refused : OUTCOME.failed;
}

function agents(event: AuditInput, codes: EventCoding, node: object): object[] {
  const { actor, address } = event.context;
  const client =
    address === undefined ? { address: 'localhost', type: NETWORK.machineName } : { address, type: NETWORK.ipAddress };
  // The token that carried the permission; BALP's Delete has no room for it here, its client agent names it.
  const policy =
    actor.tokenId === undefined || codes.client === APPLICATION
      ? {}
      : { policy: [`urn:nectar:byon:token:${actor.tokenId}`] };
  return [
    {
      network: client,
      requestor: false,
      type: concept(codes.client),
      who: { identifier: { system: IDENTIFIER.client, value: actor.tokenId ?? actor.subject } },
    },
    {
      network: { address: 'urn:nectar:byon:node', type: NETWORK.uri },
      requestor: false,
      type: concept(codes.server),
      who: node,
    },
    {
      ...(actor.name === undefined ? {} : { name: actor.name }),
      ...policy,
      requestor: true,
      type: concept(codes.user),
      who: { identifier: { system: IDENTIFIER.subject, value: actor.subject } },
    },
  ];
}

function entities(event: AuditInput, codes: EventCoding): object[] {
  const detail = Object.entries({
    ...event.detail,
    ...(event.version === undefined ? {} : { version: event.version }),
  });
  const list: object[] = [
    {
      type: { code: 'XrequestId', system: SYSTEM.balpEntity },
      what: { identifier: { value: event.context.requestId } },
    },
  ];
  if (codes.profile === 'Query') list.push(queryEntity(detail));
  if (event.recordId !== undefined) list.push(recordEntity(event.recordId));
  list.push(...(event.patients ?? []).map(patientEntity));
  if (detail.length > 0 && codes.profile !== 'Query') {
    const values = detail.map(([type, value]) => ({ type, valueString: String(value) }));
    list.push({ detail: values, name: 'detail', type: { code: event.type, system: SYSTEM.detail } });
  }
  return list;
}

function recordEntity(recordId: string): object {
  return {
    role: { code: '4', display: 'Domain Resource', system: SYSTEM.objectRole },
    type: { code: '2', display: 'System Object', system: SYSTEM.entityType },
    what: { identifier: { system: IDENTIFIER.record, value: recordId } },
  };
}

/** A logical reference: the node knows what the owner calls a patient, and has no Patient resource. */
function patientEntity(patient: string): object {
  return {
    role: { code: '1', display: 'Patient', system: SYSTEM.objectRole },
    type: { code: '1', display: 'Person', system: SYSTEM.entityType },
    what: { identifier: { system: IDENTIFIER.patient, value: patient }, type: 'Patient' },
  };
}

function queryEntity(parameters: [string, string | number][]): object {
  const query = new URLSearchParams(
    Object.fromEntries(parameters.map(([name, value]) => [name, String(value)])),
  ).toString();
  return {
    query: Buffer.from(query === '' ? '*' : query).toString('base64'),
    role: { code: '24', display: 'Query', system: SYSTEM.objectRole },
    type: { code: '2', display: 'System Object', system: SYSTEM.entityType },
  };
}

function concept(code: Coding): { coding: Coding[] } {
  return { coding: [code] };
}

/** Replaces lone surrogates, which a client can send and canonical JSON does not allow: no name may stop the log. */
export function wellFormed<T>(value: T): T {
  const visit = (part: unknown): unknown => {
    if (typeof part === 'string') return part.toWellFormed();
    if (Array.isArray(part)) return part.map(visit);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, child]) => [key.toWellFormed(), visit(child)]));
  };
  return visit(value) as T;
}
