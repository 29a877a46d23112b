import Type, { type Static } from 'typebox';
import { BackupStatus } from './backup-schemas.ts';
import { HardeningStatus } from './hardening-schemas.ts';

/** Every shape of the HTTP API: validation, OpenAPI and, as `Static` types, the clients read the same declarations. */

const EXAMPLE_CID = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';
const EXAMPLE_PEER = '12D3KooWJ7HcDQK5LgRC9vqtBrHKy1Vc5QpRcPrXGzJfVLBrCxRm';
const EXAMPLE_ROOT = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const strict = { additionalProperties: false };
const Instant = (description: string) =>
  Type.String({ description, format: 'date-time', examples: ['2026-11-23T06:00:00.000Z'] });
const Count = (description: string) => Type.Integer({ description, minimum: 0, examples: [3] });

export const RecordIdText = Type.String({
  description: 'Record id: 16 random bytes in hex.',
  pattern: '^[0-9a-f]{32}$',
  examples: ['3f2a9c5e7b1d4f608192a3b4c5d6e7f8'],
});
export const CidText = Type.String({ description: 'CIDv1 of the ciphertext.', examples: [EXAMPLE_CID] });
export const Digest = Type.String({
  description: 'SHA-256, hex.',
  pattern: '^[0-9a-f]{64}$',
  examples: [EXAMPLE_ROOT],
});
export const Version = Type.Integer({ description: 'Version of the record, from 1.', minimum: 1, examples: [1] });

export const SCOPES = [
  'records:read',
  'records:write',
  'records:delete',
  'audit:read',
  'node:read',
  'rpc',
  'admin',
] as const;
export const ScopeName = Type.Enum([...SCOPES], {
  description: 'What a token may do; `admin` implies every other scope.',
  examples: ['records:read'],
});
export type Scope = (typeof SCOPES)[number];

export const RecordReceipt = Type.Object(
  {
    recordId: RecordIdText,
    version: Version,
    cid: CidText,
    bytes: Count('Size of the plaintext.'),
    auditLeaf: Count('Index of the audit leaf that records this.'),
  },
  { description: 'Receipt: the version is durable, and so is its audit record.', ...strict },
);
export type RecordReceipt = Static<typeof RecordReceipt>;

export const RecordMeta = Type.Object(
  {
    recordId: RecordIdText,
    version: Version,
    bytes: Count('Size of the plaintext.'),
    contentType: Type.String({ examples: ['application/fhir+json'] }),
    labels: Type.Array(Type.String(), { examples: [['imaging']] }),
    name: Type.Optional(Type.String({ examples: ['bundle.json'] })),
    cid: CidText,
    createdAt: Instant('When this version was stored.'),
    kekId: Type.String({ examples: ['kek/1'] }),
    replicas: Type.Array(Type.String(), { description: 'Peers that hold the ciphertext.', examples: [[EXAMPLE_PEER]] }),
    anchored: Type.Boolean({ description: 'Whether its commitment is anchored on the chain.' }),
  },
  { description: 'A record version, without its content.', ...strict },
);
export type RecordMeta = Static<typeof RecordMeta>;

export const RecordPage = Type.Object(
  {
    records: Type.Array(RecordMeta),
    cursor: Type.Optional(Type.String({ description: 'Pass it to get the next page.' })),
    damaged: Type.Optional(Count('Records left out, because their entries do not open; `fsck` names them.')),
  },
  { description: 'A page of records.', ...strict },
);
export type RecordPage = Static<typeof RecordPage>;

export const DestructionReceipt = Type.Object(
  { recordId: RecordIdText },
  { description: 'Signed destruction receipt: every wrapped key of the record is gone.', additionalProperties: true },
);
export type DestructionReceipt = Static<typeof DestructionReceipt>;

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

const AuditConflict = Type.Object(
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

export const Recorded = Type.Object(
  { auditLeaf: Count('Index of the leaf.') },
  { description: 'The leaf of the audit log that says so.', ...strict },
);
export type Recorded = Static<typeof Recorded>;

export const Reason = Type.Object(
  {
    service: Type.String({ examples: ['keys'] }),
    reason: Type.String({ examples: ['locked'] }),
    fault: Type.Optional(
      Type.Object(
        { code: Type.String({ examples: ['KEY_STORE_BEHIND'] }), data: Type.Record(Type.String(), Type.Unknown()) },
        { description: 'The error that does not pass by itself.', ...strict },
      ),
    ),
  },
  strict,
);
export const NodeReadiness = Type.Object(
  { ready: Type.Boolean(), reasons: Type.Array(Reason) },
  { description: 'Ready means usable: synced, unlocked, writable.', ...strict },
);
export type NodeReadiness = Static<typeof NodeReadiness>;

const orUnknown = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const NodeStatus = Type.Object(
  {
    ready: Type.Boolean(),
    reasons: Type.Array(Reason),
    locked: Type.Boolean(),
    nodeId: Type.String({ examples: ['3f2a9c5e7b1d4f608192a3b4c5d6e7f8'] }),
    peerId: Type.String({ examples: [EXAMPLE_PEER] }),
    network: Type.String({ examples: ['devnet'] }),
    version: Type.String({ examples: ['0.1.0'] }),
    uptimeSeconds: Type.Number({ minimum: 0 }),
    roles: Type.Array(Type.String(), { examples: [['gateway', 'store', 'audit', 'rollup']] }),
    l2: orUnknown(Type.Object({ unsafe: Count('Block.'), safe: Count('Block.'), finalized: Count('Block.') }, strict)),
    peers: orUnknown(Count('Connected peers.')),
    records: orUnknown(Count('Records stored.')),
    audit: orUnknown(
      Type.Object(
        {
          size: Count('Leaves.'),
          root: Digest,
          nextErasure: Type.Optional(Instant('When the oldest bodies end their retention and are erased.')),
          epochs: Type.Optional(Type.Array(AuditEpoch)),
          conflict: Type.Optional(Type.Union([AuditConflict, Type.Null()])),
        },
        strict,
      ),
    ),
    anchored: orUnknown(
      Type.Object(
        {
          records: Count('Records whose anchor is safe on L1.'),
          auditSize: Count('Audit leaves covered by an anchor that is safe on L1.'),
          safeBlock: Count('L2 block up to which this holds.'),
          pending: Count('Records not yet anchored.'),
          waiting: Type.Optional(Type.String({ description: 'Why nothing is being anchored now.' })),
        },
        strict,
      ),
    ),
    storage: Type.Optional(
      orUnknown(
        Type.Object(
          {
            index: Type.Union([Type.Literal('fresh'), Type.Literal('behind'), Type.Literal('ahead')], {
              description: 'Whether the index is the newest there is, by what the audit log says.',
            }),
            missing: Count('Versions that the audit log tells of and the index does not have.'),
            damaged: Count('Values of the index that were found not to open.'),
            pendingErasures: Count('Destroyed records whose bytes have not yet left the files.'),
            restored: Type.Optional(
              Type.Object(
                {
                  backupCreatedAt: Type.String({ description: 'Moment of the backup.' }),
                  missing: Count('Records that the audit log tells of and the backup does not have.'),
                },
                { ...strict, description: 'Until the first restart after a restore.' },
              ),
            ),
          },
          strict,
        ),
      ),
    ),
    tokens: Type.Optional(
      orUnknown(
        Type.Object(
          {
            found: Type.Optional(
              Type.Union([Type.Literal('behind'), Type.Literal('missing'), Type.Literal('damaged')], {
                description: 'What the list of tokens was at this start; made whole from the audit log since.',
              }),
            ),
            revoked: Count('Revocations taken over from the audit log.'),
            restored: Count('Tokens taken over from the audit log.'),
          },
          strict,
        ),
      ),
    ),
    hardening: Type.Optional(orUnknown(HardeningStatus)),
    backups: Type.Optional(orUnknown(BackupStatus)),
  },
  { description: 'The node at a glance; what is not known yet (locked, starting) is null.', ...strict },
);
export type NodeStatus = Static<typeof NodeStatus>;

export const PeerList = Type.Object(
  {
    peers: Type.Array(
      Type.Object(
        {
          peerId: Type.String({ examples: [EXAMPLE_PEER] }),
          address: Type.String({ examples: ['/ip4/127.0.0.1/tcp/4001'] }),
          direction: Type.Union([Type.Literal('inbound'), Type.Literal('outbound')]),
          since: Instant('When the connection was made.'),
        },
        strict,
      ),
    ),
  },
  { description: 'Connected peers.', ...strict },
);
export type PeerList = Static<typeof PeerList>;

export const NetworkInfo = Type.Object(
  {
    network: Type.String({ examples: ['devnet'] }),
    l1ChainId: Type.Integer({ examples: [31337] }),
    l2ChainId: Type.Integer({ examples: [6328270] }),
    genesisHash: Type.String({ examples: [`0x${EXAMPLE_ROOT}`] }),
    peerId: Type.String({ examples: [EXAMPLE_PEER] }),
    addresses: Type.Array(Type.String(), { description: 'Own p2p addresses.' }),
    operator: Type.Optional(Type.String({ description: 'Address of the operator account.' })),
    membership: Type.String({ description: 'Status in the NodeRegistry, or `none`.', examples: ['Active'] }),
  },
  { description: 'The network and this node in it.', ...strict },
);
export type NetworkInfo = Static<typeof NetworkInfo>;

export const JoinResult = Type.Object(
  {
    membership: Type.String({ examples: ['Applied'] }),
    transaction: Type.Optional(Type.String({ description: 'Hash of the application.' })),
  },
  { description: 'The application to the NodeRegistry.', ...strict },
);
export type JoinResult = Static<typeof JoinResult>;

export const ChainRewind = Type.Object(
  {
    to: Type.Optional(
      Type.Integer({ description: 'The block to keep as the newest; absent: the newest that L1 has.', minimum: 0 }),
    ),
  },
  { description: 'What to give up.', ...strict },
);
export type ChainRewind = Static<typeof ChainRewind>;

export const ChainRewound = Type.Object(
  {
    from: Type.Integer({ description: 'The newest block before.', minimum: 0 }),
    to: Type.Integer({ description: 'The newest block now.', minimum: 0 }),
  },
  { description: 'Unsafe blocks that were given up.', ...strict },
);
export type ChainRewound = Static<typeof ChainRewound>;

const ProviderId = Type.String({
  description: 'Id of an enrolled provider.',
  pattern: '^[a-z0-9-]{1,40}$',
  examples: ['passphrase-1'],
});
const Generation = Type.Integer({ description: 'Which version of itself the key list is now.', minimum: 1 });

export const KeyList = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          id: Type.String({ examples: ['kek/1'] }),
          createdAt: Instant('When it was made.'),
          current: Type.Boolean(),
          provider: Type.String(),
          destroyedAt: Type.Optional(Instant('When it was destroyed.')),
        },
        strict,
      ),
    ),
    providers: Type.Array(
      Type.Object(
        {
          id: ProviderId,
          provider: Type.String({ examples: ['passphrase'] }),
          title: Type.String({ examples: ['a passphrase'] }),
          attended: Type.Boolean({ description: 'Whether somebody has to hand over a secret.' }),
          createdAt: Instant('When it was enrolled.'),
        },
        strict,
      ),
      { description: 'What opens the node.' },
    ),
  },
  { description: 'Key encryption keys, and what opens the node: names and ages, never the keys.', ...strict },
);
export type KeyList = Static<typeof KeyList>;

export const RotationResult = Type.Object(
  {
    from: Type.String({ examples: ['kek/1'] }),
    to: Type.String({ examples: ['kek/2'] }),
    rewrapped: Count('Data keys wrapped anew.'),
    generation: Generation,
  },
  { description: 'A new key encryption key is in use.', ...strict },
);
export type RotationResult = Static<typeof RotationResult>;

export const RetirementResult = Type.Object(
  {
    destroyed: Type.Array(Type.String({ examples: ['kek/1'] })),
    rewrapped: Count('Data keys that still had to be wrapped anew.'),
    generation: Generation,
  },
  { description: 'Key encryption keys that no record needed any more are destroyed.', ...strict },
);
export type RetirementResult = Static<typeof RetirementResult>;

export const ResolvedKeys = Type.Object(
  { from: Type.String(), to: Type.String(), generation: Generation },
  {
    description: 'The key list that lies on the disk is the one from now on, with a new key encryption key.',
    ...strict,
  },
);
export type ResolvedKeys = Static<typeof ResolvedKeys>;

export const ChangedProvider = Type.Object(
  { id: ProviderId, generation: Generation },
  { description: 'The enrolled, changed or removed provider.', ...strict },
);
export type ChangedProvider = Static<typeof ChangedProvider>;

export const UnlockResult = Type.Object(
  { state: Type.Literal('unlocked') },
  { description: 'The node is unlocked.', ...strict },
);

export const TokenIdText = Type.String({ description: 'Token id: 16 random bytes in hex.', pattern: '^[0-9a-f]{32}$' });
export const TokenInfo = Type.Object(
  {
    id: TokenIdText,
    subject: Type.String(),
    name: Type.Optional(Type.String()),
    scope: Type.Array(ScopeName),
    createdAt: Instant('When it was made.'),
    expiresAt: Instant('When it ends.'),
    revokedAt: Type.Optional(Instant('When it was revoked.')),
  },
  { description: 'A token, without the token itself.', ...strict },
);
export type TokenInfo = Static<typeof TokenInfo>;
export const TokenList = Type.Object(
  { tokens: Type.Array(TokenInfo) },
  { description: 'Every token of the node.', ...strict },
);
export type TokenList = Static<typeof TokenList>;
export const IssuedToken = Type.Object(
  {
    ...TokenInfo.properties,
    token: Type.String({
      description: 'The bearer token; shown once, stored nowhere.',
      examples: ['eyJhbGciOiJFZERTQSJ9.e30.c2ln'],
    }),
  },
  { description: 'A new token.', ...strict },
);
export type IssuedToken = Static<typeof IssuedToken>;

export const FsckReport = Type.Object(
  {
    records: Count('Records that are there.'),
    versions: Count('Versions that are there.'),
    rebuilt: Count('Entries made anew.'),
    removed: Count('Values removed that did not open or pointed nowhere.'),
    lostVersions: Count('Versions that are gone.'),
    lost: Type.Array(Type.Object({ recordId: Type.Optional(RecordIdText), version: Type.Optional(Version) }, strict), {
      description: 'The first of them.',
    }),
    accepted: Type.Boolean(),
  },
  { description: 'What was rebuilt, and what could not be.', ...strict },
);
export type FsckReport = Static<typeof FsckReport>;

export const ScrubReport = Type.Object(
  {},
  { description: 'What a full re-read of the store found.', additionalProperties: true },
);
