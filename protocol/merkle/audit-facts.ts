import type { AuditFilter } from './audit-filter.ts';

/** Who did what to which record, read back out of the AuditEvent that the node wrote. Absent is what the event does not say. */
export interface AuditFacts {
  readonly subject?: string;
  readonly tokenId?: string;
  readonly name?: string;
  readonly address?: string;
  readonly record?: string;
  readonly version?: number;
  readonly patients: readonly string[];
  readonly detail: ReadonlyMap<string, string>;
}

/** Identifier systems of what our events speak of. */
export const IDENTIFIER = {
  node: 'urn:nectar:byon:node',
  client: 'urn:nectar:byon:client',
  subject: 'urn:nectar:byon:subject',
  record: 'urn:nectar:byon:record',
  patient: 'urn:nectar:byon:patient',
} as const;

const TOKEN_POLICY = 'urn:nectar:byon:token:';

interface Reference {
  readonly identifier?: { readonly system?: unknown; readonly value?: unknown };
}

interface Agent {
  readonly requestor?: unknown;
  readonly name?: unknown;
  readonly who?: Reference;
  readonly policy?: unknown;
  readonly network?: { readonly address?: unknown };
}

interface Entity {
  readonly what?: Reference;
  readonly detail?: unknown;
}

/** Reads an AuditEvent. A body that is none yields no facts: it may come from a file of somebody else. */
export function auditFacts(body: unknown): AuditFacts {
  const { agent, entity } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const agents = objects<Agent>(agent);
  const entities = objects<Entity>(entity);
  const person = agents.find(({ requestor }) => requestor === true);
  const client = agents.find(({ who }) => identified(who, IDENTIFIER.client) !== undefined);
  const subject = identified(person?.who, IDENTIFIER.subject);
  const tokenId = tokenOf(person, client, subject);
  const record = entities.map(({ what }) => identified(what, IDENTIFIER.record)).find((id) => id !== undefined);
  const detail = detailOf(entities);
  const version = detail.get('version');
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(tokenId === undefined ? {} : { tokenId }),
    ...(typeof person?.name === 'string' ? { name: person.name } : {}),
    ...(typeof client?.network?.address === 'string' ? { address: client.network.address } : {}),
    ...(record === undefined ? {} : { record }),
    ...(version === undefined ? {} : { version: Number(version) }),
    patients: entities.flatMap(({ what }) => identified(what, IDENTIFIER.patient) ?? []),
    detail,
  };
}

/** Whether an event meets the conditions that only its body can be judged by. `records`: those of the patient by their labels of today. */
export function matchesFacts(filter: AuditFilter, facts: AuditFacts, records?: ReadonlySet<string>): boolean {
  const { record, patient, actor } = filter;
  if (record !== undefined && facts.record?.startsWith(record) !== true) return false;
  if (actor !== undefined && !isActor(actor, facts)) return false;
  if (patient === undefined) return true;
  return facts.patients.includes(patient) || (facts.record !== undefined && records?.has(facts.record) === true);
}

function isActor(actor: string, { subject, tokenId, name }: AuditFacts): boolean {
  return actor === subject || actor === tokenId || actor.toLowerCase() === name?.toLowerCase();
}

/** The user's agent names the token as a policy; BALP's Delete has no room for it there, and its client agent is the token. */
function tokenOf(
  person: Agent | undefined,
  client: Agent | undefined,
  subject: string | undefined,
): string | undefined {
  const policies = Array.isArray(person?.policy) ? person.policy : [];
  const policy = policies.find((each) => typeof each === 'string' && each.startsWith(TOKEN_POLICY));
  if (typeof policy === 'string') return policy.slice(TOKEN_POLICY.length);
  const value = identified(client?.who, IDENTIFIER.client);
  return value === subject ? undefined : value;
}

function detailOf(entities: readonly Entity[]): Map<string, string> {
  const details = entities.flatMap(({ detail }) => objects<{ type?: unknown; valueString?: unknown }>(detail));
  return new Map(
    details.flatMap(({ type, valueString }) =>
      typeof type === 'string' && typeof valueString === 'string' ? [[type, valueString] as const] : [],
    ),
  );
}

function identified(reference: Reference | undefined, system: string): string | undefined {
  const { identifier } = reference ?? {};
  return identifier?.system === system && typeof identifier.value === 'string' ? identifier.value : undefined;
}

function objects<T extends object>(value: unknown): T[] {
  if (!Array.isArray(value)) return [];
  return value.filter((each): each is T => typeof each === 'object' && each !== null);
}
