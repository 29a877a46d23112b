/**
 * The profiles of IHE BALP (Basic Audit Log Patterns) that the node claims, as FHIR StructureDefinitions: written from the public
 * sources of the guide (github.com/IHE/ITI.BasicAudit, input/fsh), since its FHIR package is in no registry that we build from.
 * Only differentials: the validator makes the snapshots itself. Kept word for word: cardinalities, fixed codes, bindings, slices
 * and the invariant; left out: must-support flags and texts, which decide nothing.
 */
export const BALP = 'https://profiles.ihe.net/ITI/BALP';

const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const ENTITY_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const OBJECT_ROLE = 'http://terminology.hl7.org/CodeSystem/object-role';
const INTERACTION = 'http://hl7.org/fhir/restful-interaction';
const TRANSACTION = `${BALP}/CodeSystem/BasicAuditEntityType`;

type Element = Readonly<Record<string, unknown>> & { readonly id: string };
type Code = readonly [system: string, code: string];

const element = (path: string, rules: object): Element => {
  const id = `AuditEvent.${path}`;
  return { id, path: id.replaceAll(/:[A-Za-z]+/g, ''), ...rules };
};
const codingOf = ([system, code]: Code) => ({ system, code });
const isCoding = (path: string, code: Code, rules: object = {}): Element =>
  element(path, { ...rules, patternCoding: codingOf(code) });
const isConcept = (path: string, code: Code): Element =>
  element(path, { min: 1, patternCodeableConcept: { coding: [codingOf(code)] } });
const bound = (path: string, valueSet: string, rules: object = {}): Element =>
  element(path, { ...rules, binding: { strength: 'required', valueSet: `${BALP}/ValueSet/${valueSet}` } });
const sliced = (path: string, by: string, min: number): Element =>
  element(path, { min, slicing: { discriminator: [{ type: 'value', path: by }], rules: 'open' } });
const slice = (path: string, name: string, [min, max]: readonly [number, string]): Element =>
  element(`${path}:${name}`, { sliceName: name, min, max });

/** agent[client] and agent[server] of every RESTful profile. */
const party = (name: string, type: Code): Element[] => [
  slice('agent', name, [1, '1']),
  isConcept(`agent:${name}.type`, type),
  element(`agent:${name}.who`, { min: 1 }),
  element(`agent:${name}.media`, { max: '0' }),
  element(`agent:${name}.network`, { min: 1 }),
];

const user = (type: Element): Element[] => [
  slice('agent', 'user', [0, '1']),
  type,
  element('agent:user.who', { min: 1 }),
  element('agent:user.requestor', { patternBoolean: true }),
  element('agent:user.media', { max: '0' }),
  element('agent:user.network', { max: '0' }),
];

const transaction: readonly Element[] = [
  slice('entity', 'transaction', [0, '1']),
  element('entity:transaction.what.identifier.value', { min: 1 }),
  isCoding('entity:transaction.type', [TRANSACTION, 'XrequestId'], { min: 1 }),
];

const patient: readonly Element[] = [
  slice('entity', 'patient', [1, '1']),
  element('entity:patient.what', {
    min: 1,
    type: [{ code: 'Reference', targetProfile: ['http://hl7.org/fhir/StructureDefinition/Patient'] }],
  }),
  isCoding('entity:patient.type', [ENTITY_TYPE, '1'], { min: 1 }),
  isCoding('entity:patient.role', [OBJECT_ROLE, '1'], { min: 1 }),
];

const data: readonly Element[] = [
  slice('entity', 'data', [1, '1']),
  element('entity:data.what', { min: 1 }),
  isCoding('entity:data.type', [ENTITY_TYPE, '2'], { min: 1 }),
  bound('entity:data.role', 'RestObjectRoles', { min: 1 }),
];

const query: readonly Element[] = [
  slice('entity', 'query', [1, '1']),
  element('entity:query.what', { max: '0' }),
  isCoding('entity:query.type', [ENTITY_TYPE, '2'], { min: 1 }),
  isCoding('entity:query.role', [OBJECT_ROLE, '24'], { min: 1 }),
  element('entity:query.lifecycle', { max: '0' }),
  element('entity:query.query', { min: 1 }),
  element('entity:query.detail', { max: '0' }),
];

interface RestProfile {
  readonly action: string;
  /** The one code, or the value set of them. */
  readonly subtype: Code | string;
  readonly client: Code;
  readonly server: Code;
  /** The one code of the user's agent, or the value set of them. */
  readonly user: Code | string;
  readonly entity: readonly Element[];
}

const SOURCE: Code = [DCM, '110153'];
const DESTINATION: Code = [DCM, '110152'];
const RECIPIENT: Code = [PARTICIPATION, 'IRCP'];

const REST: Readonly<Record<string, RestProfile>> = {
  Create: {
    action: 'C',
    subtype: [INTERACTION, 'create'],
    client: SOURCE,
    server: DESTINATION,
    user: 'DataSources',
    entity: data,
  },
  Read: { action: 'R', subtype: 'AllReadVS', client: DESTINATION, server: SOURCE, user: RECIPIENT, entity: data },
  Update: {
    action: 'U',
    subtype: 'AllUpdateVS',
    client: SOURCE,
    server: DESTINATION,
    user: 'DataSources',
    entity: data,
  },
  Delete: {
    action: 'D',
    subtype: [INTERACTION, 'delete'],
    client: [DCM, '110150'],
    server: ['http://terminology.hl7.org/CodeSystem/provenance-participant-type', 'custodian'],
    user: 'DataSources',
    entity: data,
  },
  Query: { action: 'E', subtype: 'AllSearchVS', client: SOURCE, server: DESTINATION, user: RECIPIENT, entity: query },
};

function restElements({ action, subtype, client, server, user: asker, entity }: RestProfile): Element[] {
  const matching = typeof subtype === 'string' ? bound('subtype:any', subtype, {}) : isCoding('subtype:any', subtype);
  const asking =
    typeof asker === 'string' ? bound('agent:user.type', asker, { min: 1 }) : isConcept('agent:user.type', asker);
  return [
    isCoding('type', ['http://terminology.hl7.org/CodeSystem/audit-event-type', 'rest']),
    sliced('subtype', '$this', 1),
    { ...matching, sliceName: 'any', min: 1, max: '1' },
    element('action', { min: 1, patternCode: action }),
    element('outcome', { min: 1, patternCode: '0' }),
    sliced('agent', 'type', 2),
    ...party('client', client),
    ...party('server', server),
    ...user(asking),
    sliced('entity', 'type', 1),
    ...transaction,
    ...entity,
  ];
}

/** A disclosure, as the node that discloses records it. */
const DISCLOSURE: readonly Element[] = [
  element('modifierExtension', { max: '0' }),
  isCoding('type', [DCM, '110106']),
  sliced('subtype', '$this', 1),
  {
    ...isCoding('subtype:disclosure', ['http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle', 'disclose']),
    sliceName: 'disclosure',
    min: 1,
    max: '1',
  },
  element('action', { min: 1, patternCode: 'R' }),
  element('outcome', { min: 1 }),
  sliced('agent', 'type', 2),
  {
    ...slice('agent', 'source', [1, '1']),
    constraint: [
      {
        key: 'val-audit-source',
        severity: 'error',
        human: 'The Audit Source is this agent too.',
        expression: '$this.who = %resource.source.observer',
      },
    ],
  },
  isConcept('agent:source.type', SOURCE),
  element('agent:source.who', { min: 1 }),
  element('agent:source.network', { min: 1 }),
  slice('agent', 'recipient', [1, '1']),
  isConcept('agent:recipient.type', DESTINATION),
  element('agent:recipient.who', { min: 1 }),
  element('agent:recipient.network', { min: 1 }),
  sliced('entity', 'type', 2),
  ...patient,
];

function profile(name: string, elements: readonly Element[], parent?: string): object {
  const base =
    parent === undefined
      ? 'http://hl7.org/fhir/StructureDefinition/AuditEvent'
      : `${BALP}/StructureDefinition/${parent}`;
  return {
    resourceType: 'StructureDefinition',
    id: `IHE.BasicAudit.${name}`,
    url: `${BALP}/StructureDefinition/IHE.BasicAudit.${name}`,
    name: name.replaceAll('.', ''),
    status: 'active',
    fhirVersion: '4.0.1',
    kind: 'resource',
    abstract: false,
    type: 'AuditEvent',
    baseDefinition: base,
    derivation: 'constraint',
    differential: { element: [{ id: 'AuditEvent', path: 'AuditEvent' }, ...elements] },
  };
}

const codeSystem = (id: string, codes: readonly string[]): object => ({
  resourceType: 'CodeSystem',
  id,
  url: `${BALP}/CodeSystem/${id}`,
  status: 'active',
  content: 'complete',
  caseSensitive: true,
  concept: codes.map((code) => ({ code })),
});

const valueSet = (id: string, system: string, codes: readonly string[]): object => ({
  resourceType: 'ValueSet',
  id,
  url: `${BALP}/ValueSet/${id}`,
  status: 'active',
  compose: { include: [{ system, concept: codes.map((code) => ({ code })) }] },
});

/** Everything that a validator needs to know of BALP, by file name. */
export function balpDefinitions(): ReadonlyMap<string, object> {
  const resources = [
    ...Object.entries(REST).flatMap(([name, rest]) => [
      profile(name, restElements(rest)),
      profile(
        `Patient${name}`,
        [element('entity', { min: name === 'Query' ? 1 : 2 }), ...patient],
        `IHE.BasicAudit.${name}`,
      ),
    ]),
    profile('PrivacyDisclosure.Source', DISCLOSURE),
    codeSystem('BasicAuditEntityType', ['XrequestId']),
    codeSystem('AuthZsubType', ['AuthZ-Consent', 'AuthZ-Role']),
    valueSet('DataSources', PARTICIPATION, ['AUT', 'INF', 'CST']),
    valueSet('RestObjectRoles', OBJECT_ROLE, ['4', '3', '20']),
    valueSet('AllReadVS', INTERACTION, ['read', 'vread']),
    valueSet('AllUpdateVS', INTERACTION, ['update', 'patch']),
    valueSet('AllSearchVS', INTERACTION, ['search', 'search-type', 'search-system']),
  ];
  return new Map(
    resources.map((resource) => {
      const { resourceType, id } = resource as { resourceType: string; id: string };
      return [`${resourceType}-${id}.json`, resource];
    }),
  );
}
