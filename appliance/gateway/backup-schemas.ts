import Type, { type Static } from 'typebox';

/** Shapes of what the node signs, remembers and tells of its backups: numbers and digests, never where a repository lies. */

const strict = { additionalProperties: false };
const MIN_EVERY_SECONDS = 3_600;
const MAX_EVERY_SECONDS = 31 * 86_400;

const Instant = (description: string) =>
  Type.String({
    description,
    pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$',
    examples: ['2026-11-23T06:00:00.000Z'],
  });
const Count = (description: string) =>
  Type.Integer({ description, minimum: 0, maximum: Number.MAX_SAFE_INTEGER, examples: [12] });
const Sha256 = (description: string) =>
  Type.String({
    description,
    pattern: '^[0-9a-f]{64}$',
    examples: ['e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  });
const orNone = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const RepositoryId = Type.String({
  description: 'Of a backup repository: 16 bytes, hex.',
  pattern: '^[0-9a-f]{32}$',
  examples: ['3f2a9c5e7b1d4f608192a3b4c5d6e7f8'],
});
const AuditLeaf = Count('Index of the audit leaf that records this.');
const Generation = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, examples: [7] });

const FileStatement = Type.Object(
  {
    kind: Type.Literal('file'),
    createdAt: Instant('The moment that the backup shows.'),
    entries: Count('Files in it.'),
    bytes: Count('Bytes of these files.'),
    manifestSha256: Sha256('Of its manifest.'),
  },
  strict,
);
const SnapshotStatement = Type.Object(
  {
    kind: Type.Literal('snapshot'),
    repository: RepositoryId,
    generation: Generation,
    createdAt: Instant('The moment that the snapshot shows.'),
    leaves: Count('Leaves of the audit log in it.'),
    checkpointSize: Count('Of the last checkpoint in it.'),
    checkpointRoot: Sha256('Of the last checkpoint in it.'),
    manifestSha256: Sha256('Of its sealed manifest.'),
    tableSha256: Sha256('Of the key table of this generation.'),
    previous: Sha256('Of the note of the generation before; zeros for the first.'),
  },
  strict,
);
export const CopyStatement = Type.Union([FileStatement, SnapshotStatement], {
  description: 'What the node is to sign of a copy of itself.',
});
export type CopyStatement = Static<typeof CopyStatement>;

export const SignedCopy = Type.Object(
  {
    signature: Type.String({ description: 'Ed25519, base64.', pattern: '^[A-Za-z0-9+/]{86}==$' }),
    auditLeaf: AuditLeaf,
  },
  { description: 'The signature of the statement, which is on record.', ...strict },
);

export const RepositoryKeyRequest = Type.Object({ repository: RepositoryId }, strict);
export type RepositoryKeyRequest = Static<typeof RepositoryKeyRequest>;
export const RepositoryKeyAnswer = Type.Object(
  { key: Type.String({ description: '32 bytes, hex.', pattern: '^[0-9a-f]{64}$' }) },
  { description: 'The key that seals the metadata of this repository. It opens no record.', ...strict },
);

export const VerificationNote = Type.Object(
  {
    repository: RepositoryId,
    generation: Generation,
    outcome: Type.Enum(['success', 'failure'], { examples: ['success'] }),
    opened: Type.Boolean({ description: 'Whether records were opened; false where the keys were not at hand.' }),
    records: Count('Records that were read through the store.'),
    objects: Count('Objects whose content was compared.'),
    bytes: Count('Bytes read.'),
    leaves: Count('Leaves of the restored audit log.'),
    milliseconds: Count('How long it took.'),
    faults: Count('What did not hold.'),
  },
  { description: 'What a verification of a repository found.', ...strict },
);
export type VerificationNote = Static<typeof VerificationNote>;

export const PruningNote = Type.Object(
  {
    repository: RepositoryId,
    outcome: Type.Enum(['success', 'failure'], { examples: ['success'] }),
    kept: Count('Snapshots that stay.'),
    removed: Count('Snapshots that went.'),
    objects: Count('Objects that went with them.'),
    bytes: Count('Their bytes.'),
    reason: Type.Optional(
      Type.String({
        description: 'Code of the error that stopped it.',
        pattern: '^[A-Z][A-Z0-9_]{2,63}$',
        examples: ['BACKUP_PRUNE_DENIED'],
      }),
    ),
  },
  { description: 'What was let go of in a repository, or why nothing was.', ...strict },
);
export type PruningNote = Static<typeof PruningNote>;

export const BackupScheduleNote = Type.Object(
  {
    repository: RepositoryId,
    everySeconds: orNone(
      Type.Integer({
        description: 'Seconds between scheduled runs; null: not any more.',
        minimum: MIN_EVERY_SECONDS,
        maximum: MAX_EVERY_SECONDS,
        examples: [86_400],
      }),
    ),
  },
  { description: 'How often a snapshot is to come.', ...strict },
);
export type BackupScheduleNote = Static<typeof BackupScheduleNote>;

const Verified = Type.Object({ at: Instant('When it was recorded.'), ...VerificationNote.properties }, strict);

export const NotedRepository = Type.Object(
  {
    repository: RepositoryId,
    generation: orNone(Generation),
    lastAt: orNone(Instant('Of the newest snapshot.')),
    auditLeaf: orNone(AuditLeaf),
    everySeconds: orNone(Type.Integer({ minimum: MIN_EVERY_SECONDS, maximum: MAX_EVERY_SECONDS })),
    since: Instant('When the schedule was set, or the repository became known.'),
    verified: orNone(Verified),
  },
  { description: 'What is on record of a repository.', ...strict },
);
export type NotedRepository = Static<typeof NotedRepository>;

export const BackupOverview = Type.Object(
  {
    overdue: Type.Boolean({ description: 'Whether a scheduled snapshot did not come within two intervals.' }),
    repositories: Type.Array(NotedRepository),
  },
  { description: 'What is on record of backup repositories.', ...strict },
);
export type BackupOverview = Static<typeof BackupOverview>;

/** The part of NodeStatus. */
export const BackupStatus = Type.Object(
  {
    repositories: Count('Repositories that the node knows of.'),
    lastAt: orNone(Instant('The newest snapshot in any of them.')),
    verifiedAt: orNone(Instant('The newest verification that found nothing wrong.')),
    faulty: Count('Repositories whose last verification failed.'),
    overdue: Type.Boolean({ description: 'Whether a scheduled snapshot did not come within two intervals.' }),
  },
  strict,
);
export type BackupStatus = Static<typeof BackupStatus>;

/** The file in which the node keeps it: HOME/backups.json. */
export const BackupsFile = Type.Object(
  { version: Type.Literal(1), repositories: Type.Array(NotedRepository, { maxItems: 64 }) },
  strict,
);
export type BackupsFile = Static<typeof BackupsFile>;
