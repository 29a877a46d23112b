/** FHIR code systems that the events use. */
export const SYSTEM = {
  eventType: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
  interaction: 'http://hl7.org/fhir/restful-interaction',
  dicom: 'http://dicom.nema.org/resources/ontology/DCM',
  lifecycle: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle',
  participation: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
  participant: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type',
  entityType: 'http://terminology.hl7.org/CodeSystem/audit-entity-type',
  objectRole: 'http://terminology.hl7.org/CodeSystem/object-role',
  sourceType: 'http://terminology.hl7.org/CodeSystem/security-source-type',
  balpEntity: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType',
  balpAuthorization: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType',
  /** Our own event types, as an additional subtype. */
  event: 'urn:nectar:byon:audit-event',
  detail: 'urn:nectar:byon:audit-detail',
} as const;

/** A FHIR Coding. */
export interface Coding {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}

const coding = (system: string, code: string, display?: string): Coding =>
  display === undefined ? { code, system } : { code, display, system };
const dicom = (code: string, display: string): Coding => coding(SYSTEM.dicom, code, display);

const REST = coding(SYSTEM.eventType, 'rest', 'Restful Operation');
const SOURCE_ROLE = dicom('110153', 'Source Role ID');
const DESTINATION_ROLE = dicom('110152', 'Destination Role ID');
export const APPLICATION = dicom('110150', 'Application');
const CUSTODIAN = coding(SYSTEM.participant, 'custodian', 'Custodian');
const RECIPIENT = coding(SYSTEM.participation, 'IRCP', 'information recipient');
const AUTHOR = coding(SYSTEM.participation, 'AUT', 'Author');

/** How one kind of event is written as a FHIR AuditEvent. */
export interface EventCoding {
  readonly type: Coding;
  readonly subtype?: Coding;
  /** AuditEvent.action: Create, Read, Update, Delete or Execute. */
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E';
  /** Roles of the client, of this node, and of the person or program that asked. */
  readonly client: Coding;
  readonly server: Coding;
  readonly user: Coding;
  /** The IHE BALP profile that a successful event conforms to; the one of disclosures only when it names a patient. */
  readonly profile?: 'Create' | 'Read' | 'Update' | 'Delete' | 'Query' | 'PrivacyDisclosure.Source';
}

type Roles = Pick<EventCoding, 'client' | 'server' | 'user'>;
// BALP: data flows from source to destination; for a read the node is the source, for everything else the client is.
const TO_NODE: Roles = { client: SOURCE_ROLE, server: DESTINATION_ROLE, user: AUTHOR };
const FROM_NODE: Roles = { client: DESTINATION_ROLE, server: SOURCE_ROLE, user: RECIPIENT };
const QUERYING: Roles = { client: SOURCE_ROLE, server: DESTINATION_ROLE, user: RECIPIENT };
const DELETING: Roles = { client: APPLICATION, server: CUSTODIAN, user: AUTHOR };
const OPERATING: Roles = { client: APPLICATION, server: DESTINATION_ROLE, user: RECIPIENT };

const SECURITY_ALERT = dicom('110113', 'Security Alert');
const APPLICATION_ACTIVITY = dicom('110100', 'Application Activity');
const AUDIT_LOG_USED = dicom('110101', 'Audit Log Used');
const SECURITY_CONFIGURATION = dicom('110129', 'Security Configuration');
const RESTRICTED_FUNCTION = dicom('110132', 'Use of Restricted Function');
const USER_ATTRIBUTES = dicom('110137', 'User Security Attributes Changed');

const alert = (subtype: Coding, action: EventCoding['action']): EventCoding => ({
  type: SECURITY_ALERT,
  subtype,
  action,
  ...OPERATING,
});
const rest = (
  interaction: string,
  action: EventCoding['action'],
  roles: Roles,
  profile: NonNullable<EventCoding['profile']>,
): EventCoding => ({
  type: REST,
  subtype: coding(SYSTEM.interaction, interaction, interaction),
  action,
  profile,
  ...roles,
});

/** The events of the node. IHE BALP for what happens to records; DICOM's security events (CID 400, 403) for the rest. */
export const EVENTS = {
  'record.create': rest('create', 'C', TO_NODE, 'Create'),
  'record.read': rest('read', 'R', FROM_NODE, 'Read'),
  'record.update': rest('update', 'U', TO_NODE, 'Update'),
  'record.delete': rest('delete', 'D', DELETING, 'Delete'),
  'record.query': rest('search-type', 'E', QUERYING, 'Query'),
  'record.export': {
    type: dicom('110106', 'Export'),
    subtype: coding(SYSTEM.lifecycle, 'disclose', 'Disclose Record Lifecycle Event'),
    action: 'R',
    profile: 'PrivacyDisclosure.Source',
    ...FROM_NODE,
  },
  'record.restore': {
    type: dicom('110107', 'Import'),
    subtype: coding(SYSTEM.lifecycle, 'restore'),
    action: 'C',
    ...TO_NODE,
  },
  'record.rewrap': {
    type: SECURITY_ALERT,
    subtype: dicom('110135', 'Object Security Attributes Changed'),
    action: 'U',
    ...OPERATING,
  },
  // Sealed anew under new keys: its content is the same.
  'record.rekey': {
    type: SECURITY_ALERT,
    subtype: dicom('110135', 'Object Security Attributes Changed'),
    action: 'U',
    ...OPERATING,
  },
  // A record is on its way; it is created when all of it is here.
  'upload.begin': {
    type: dicom('110107', 'Import'),
    subtype: coding(SYSTEM.lifecycle, 'receive', 'Receive/Retain Record Lifecycle Event'),
    action: 'C',
    ...TO_NODE,
  },
  'upload.discard': {
    type: dicom('110107', 'Import'),
    subtype: coding(SYSTEM.lifecycle, 'destroy', 'Destroy/Delete Record Lifecycle Event'),
    action: 'D',
    ...TO_NODE,
  },
  'record.scrub': {
    type: APPLICATION_ACTIVITY,
    subtype: coding(SYSTEM.lifecycle, 'verify'),
    action: 'E',
    ...OPERATING,
  },
  // What the store finds of its own index, held against the log.
  'store.index': {
    type: APPLICATION_ACTIVITY,
    subtype: coding(SYSTEM.lifecycle, 'verify'),
    action: 'E',
    ...OPERATING,
  },
  // A member does not have what it said it holds: its answer is the evidence.
  'replica.fault': {
    type: APPLICATION_ACTIVITY,
    subtype: coding(SYSTEM.lifecycle, 'verify'),
    action: 'E',
    ...OPERATING,
  },
  // What was destroyed here went at a holder too: its signed receipt. Failure: there never was one.
  'replica.release': {
    type: APPLICATION_ACTIVITY,
    subtype: coding(SYSTEM.lifecycle, 'destroy', 'Destroy/Delete Record Lifecycle Event'),
    action: 'D',
    ...OPERATING,
  },
  // What was held for an owner that the registry has not admitted for its time of grace.
  'held.expire': {
    type: APPLICATION_ACTIVITY,
    subtype: coding(SYSTEM.lifecycle, 'destroy', 'Destroy/Delete Record Lifecycle Event'),
    action: 'D',
    ...OPERATING,
  },
  // What this node takes of other owners from then on.
  'storage.offer': alert(SECURITY_CONFIGURATION, 'U'),
  'audit.read': { type: AUDIT_LOG_USED, action: 'R', ...FROM_NODE },
  'audit.export': {
    type: AUDIT_LOG_USED,
    subtype: coding(SYSTEM.lifecycle, 'disclose', 'Disclose Record Lifecycle Event'),
    action: 'R',
    ...FROM_NODE,
  },
  'audit.verify': { type: AUDIT_LOG_USED, action: 'E', ...FROM_NODE },
  'audit.recover': alert(dicom('110134', 'Audit Recording Started'), 'E'),
  // What an operator declares of the log: an epoch, what is missing before it, and each entry that is.
  'audit.epoch': alert(dicom('110134', 'Audit Recording Started'), 'E'),
  'audit.gap': alert(dicom('110134', 'Audit Recording Started'), 'E'),
  'audit.lost': alert(dicom('110133', 'Audit Recording Stopped'), 'E'),
  'audit.resolve': alert(SECURITY_CONFIGURATION, 'U'),
  'audit.erase': alert(coding(SYSTEM.lifecycle, 'destroy'), 'D'),
  'auth.denied': alert(coding(SYSTEM.balpAuthorization, 'AuthZ-Role'), 'E'),
  'connection.refused': alert(dicom('110126', 'Node Authentication'), 'E'),
  'token.create': alert(USER_ATTRIBUTES, 'C'),
  'token.list': alert(USER_ATTRIBUTES, 'R'),
  'client.authorities': alert(SECURITY_CONFIGURATION, 'U'),
  'client.revocations': alert(SECURITY_CONFIGURATION, 'U'),
  'token.revoke': alert(USER_ATTRIBUTES, 'D'),
  // A list that was put back, missing or damaged, made whole from the log.
  'token.restore': alert(USER_ATTRIBUTES, 'U'),
  'key.unlock': alert(RESTRICTED_FUNCTION, 'E'),
  'key.list': alert(SECURITY_CONFIGURATION, 'R'),
  'key.rotate': alert(SECURITY_CONFIGURATION, 'U'),
  'key.rekey': alert(SECURITY_CONFIGURATION, 'U'),
  // Another root key: announced, made, and the identities sealed anew.
  'key.root': alert(SECURITY_CONFIGURATION, 'U'),
  'key.retire': alert(SECURITY_CONFIGURATION, 'D'),
  'key.enroll': alert(SECURITY_CONFIGURATION, 'C'),
  'key.change': alert(SECURITY_CONFIGURATION, 'U'),
  'key.remove': alert(SECURITY_CONFIGURATION, 'D'),
  'key.resolve': alert(SECURITY_CONFIGURATION, 'U'),
  'key.backup': alert(SECURITY_CONFIGURATION, 'R'),
  'key.store': alert(SECURITY_CONFIGURATION, 'R'),
  'hardening.report': alert(SECURITY_CONFIGURATION, 'R'),
  'hardening.waive': alert(SECURITY_CONFIGURATION, 'U'),
  'hardening.unwaive': alert(SECURITY_CONFIGURATION, 'U'),
  'hardening.schedule': alert(SECURITY_CONFIGURATION, 'U'),
  'backup.verify': alert(SECURITY_CONFIGURATION, 'R'),
  'backup.prune': alert(SECURITY_CONFIGURATION, 'D'),
  'backup.schedule': alert(SECURITY_CONFIGURATION, 'U'),
  // What the gateway remembers of these, made whole from the log.
  'notes.restore': alert(SECURITY_CONFIGURATION, 'U'),
  'network.join': alert(dicom('110128', 'Network Configuration'), 'U'),
  'network.leave': alert(dicom('110128', 'Network Configuration'), 'U'),
  'network.appeal': alert(dicom('110128', 'Network Configuration'), 'U'),
  'auditor.decide': alert(dicom('110128', 'Network Configuration'), 'U'),
  // Backup repositories of other nodes, sealed for their owners, that this node keeps.
  'custody.begin': {
    type: dicom('110107', 'Import'),
    subtype: coding(SYSTEM.lifecycle, 'receive', 'Receive/Retain Record Lifecycle Event'),
    action: 'C',
    ...TO_NODE,
  },
  'custody.snapshot': {
    type: dicom('110107', 'Import'),
    subtype: coding(SYSTEM.lifecycle, 'archive', 'Archive Record Lifecycle Event'),
    action: 'C',
    ...TO_NODE,
  },
  'custody.read': {
    type: dicom('110106', 'Export'),
    subtype: coding(SYSTEM.lifecycle, 'restore'),
    action: 'R',
    ...FROM_NODE,
  },
  'custody.remove': {
    type: APPLICATION_ACTIVITY,
    subtype: coding(SYSTEM.lifecycle, 'destroy', 'Destroy/Delete Record Lifecycle Event'),
    action: 'D',
    ...OPERATING,
  },
  'custody.destroy': {
    type: APPLICATION_ACTIVITY,
    subtype: coding(SYSTEM.lifecycle, 'destroy', 'Destroy/Delete Record Lifecycle Event'),
    action: 'D',
    ...OPERATING,
  },
  'chain.rewind': alert(dicom('110128', 'Network Configuration'), 'U'),
  'chain.withdraw': alert(dicom('110128', 'Network Configuration'), 'E'),
  'chain.claim': alert(dicom('110128', 'Network Configuration'), 'E'),
  'chain.stake': alert(dicom('110128', 'Network Configuration'), 'U'),
  // The challenges of this node's stake: its clock runs out, what both signed, what it put on L1, a stake that was won or lost.
  'challenge.alarm': alert(dicom('110128', 'Network Configuration'), 'R'),
  'challenge.message': {
    type: APPLICATION_ACTIVITY,
    subtype: coding(SYSTEM.lifecycle, 'verify'),
    action: 'E',
    ...OPERATING,
  },
  'challenge.entry': alert(dicom('110128', 'Network Configuration'), 'E'),
  'challenge.end': alert(dicom('110128', 'Network Configuration'), 'U'),
  // The whole node, sealed as it is at rest, leaves this machine, or came to it.
  'node.backup': {
    type: dicom('110106', 'Export'),
    subtype: coding(SYSTEM.lifecycle, 'archive', 'Archive Record Lifecycle Event'),
    action: 'R',
    ...FROM_NODE,
  },
  'node.restore': {
    type: dicom('110107', 'Import'),
    subtype: coding(SYSTEM.lifecycle, 'restore'),
    action: 'C',
    ...TO_NODE,
  },
  'node.log-level': alert(SECURITY_CONFIGURATION, 'U'),
  'node.start': {
    type: APPLICATION_ACTIVITY,
    subtype: dicom('110120', 'Application Start'),
    action: 'E',
    ...OPERATING,
  },
  'node.stop': { type: APPLICATION_ACTIVITY, subtype: dicom('110121', 'Application Stop'), action: 'E', ...OPERATING },
} as const satisfies Record<string, EventCoding>;

/** An event that this version names itself. */
export type KnownEventType = keyof typeof EVENTS;

/** The coding of an event type; a general security alert for one that a later version added. */
export function eventCoding(type: string): EventCoding {
  return Object.hasOwn(EVENTS, type) ? EVENTS[type as KnownEventType] : alert(RESTRICTED_FUNCTION, 'E');
}
