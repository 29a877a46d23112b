import Type, { type Static } from 'typebox';
import { Count, Digest, strict } from './schema-parts.ts';

/** Shapes of the HTTP API: the audit log. */

export const AuditCheckpoint = Type.Object(
  {
    origin: Type.String(),
    size: Count('Leaves in the log.'),
    root: Digest,
    note: Type.String({ description: 'C2SP signed note.' }),
  },
  { description: 'The latest signed checkpoint.', ...strict },
);
export type AuditCheckpoint = Static<typeof AuditCheckpoint>;

export const AuditEntry = Type.Object(
  {
    index: Count('Index of the leaf.'),
    leaf: Type.Unknown(),
    body: Type.Optional(Type.Unknown({ description: 'FHIR R4 AuditEvent; absent once erased.' })),
  },
  { description: 'A leaf of the audit log with its body.', additionalProperties: true },
);

export const AuditEntries = Type.Object(
  {
    entries: Type.Array(AuditEntry, { description: 'In the order of the log.' }),
    cursor: Type.Optional(Type.String({ description: 'To go on with; absent when nothing is left.' })),
    from: Count('First leaf that this page looked at.'),
    to: Count('Leaf behind the last one that it looked at.'),
    undecided: Count('Leaves whose erased bodies no longer tell whether they were meant.'),
  },
  { description: 'A page of entries.', ...strict },
);
export type AuditEntries = Static<typeof AuditEntries>;

export const AuditProof = Type.Object(
  {},
  { description: 'Stand-alone inclusion proof; verify it with protocol/ alone.', additionalProperties: true },
);

export const AuditEpoch = Type.Object(
  {
    number: Count('Of the epoch: 2 for the first one that a restore began.'),
    start: Count('Index of the leaf that declares it.'),
    origin: Type.String({ description: 'What its checkpoints are signed as.' }),
    at: Type.Integer({ description: 'When it was declared, milliseconds since 1970.' }),
    cause: Type.Union([Type.Literal('restore'), Type.Literal('resolve')]),
    from: Count('Leaves that the log holds of what was before; what is lost begins here.'),
    outside: Type.Optional(
      Type.Object(
        { size: Count('Leaves.'), root: Digest, where: Type.String() },
        { description: 'The largest tree head known outside that the log does not hold.', ...strict },
      ),
    ),
    lost: Type.Optional(Count('Leaves known outside that are lost; absent until somebody outside was asked.')),
  },
  { description: 'A successor epoch of the log: begun by a restore, or by `audit resolve`.', ...strict },
);
export type AuditEpoch = Static<typeof AuditEpoch>;

export const AuditResolution = Type.Object(
  {
    checkpoint: Type.Optional(
      Type.String({ description: 'A signed checkpoint of this log that somebody kept.', maxLength: 65_536 }),
    ),
    where: Type.Optional(Type.String({ description: 'Who kept it.', minLength: 1, maxLength: 200 })),
  },
  { description: 'What else is known of the log.', ...strict },
);

export const AuditConflict = Type.Object(
  {
    code: Type.String({ examples: ['AUDIT_TRUNCATED'] }),
    reason: Type.String(),
    size: Count('Leaves of the log at that moment.'),
    expected: Count('Leaves of the head that it contradicts.'),
    where: Type.String({ description: 'Who knows that head.' }),
  },
  { description: 'The log contradicts a tree head that left the machine: nothing private is served.', ...strict },
);

export const AuditVerdict = Type.Object(
  {
    integrity: Type.Union([Type.Literal('ok'), Type.Literal('violated')]),
    completeness: Type.Union([Type.Literal('ok'), Type.Literal('violated'), Type.Literal('unknown')]),
    size: Count('Leaves verified.'),
    root: Type.Optional(Digest),
    bodies: Type.Optional(
      Type.Object({ opened: Count('Opened and matched.'), erased: Count('Erased after retention.') }, strict),
    ),
    epochs: Type.Optional(Type.Array(AuditEpoch)),
    findings: Type.Array(Type.Object({ code: Type.String() }, { additionalProperties: true })),
  },
  { description: 'Two verdicts: nothing altered, nothing cut off.', ...strict },
);
export type AuditVerdict = Static<typeof AuditVerdict>;
