import Type, { type Static } from 'typebox';
import { AssertionStatus } from './assertion-schemas.ts';
import { AuditConflict, AuditEpoch } from './audit-schemas.ts';
import { BackupStatus } from './backup-schemas.ts';
import { RevocationStanding } from './client-schemas.ts';
import { CustodyStatus } from './custody-schemas.ts';
import { HardeningStatus } from './hardening-schemas.ts';
import { RekeyState } from './key-schemas.ts';
import { L1Status } from './l1-schemas.ts';
import { ChangedLogLevel } from './log-level-schemas.ts';
import { Count, Digest, EXAMPLE_PEER, EXAMPLE_ROOT, Instant, strict } from './schema-parts.ts';
import { ShardStanding, StorageOffer } from './storage-schemas.ts';

/** Shapes of the HTTP API: the node, its peers and its network. */

const Reason = Type.Object(
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

export const MembershipStanding = Type.Object(
  {
    status: Type.String({ description: 'In the NodeRegistry, or `none`.', examples: ['active'] }),
    validUntil: Type.Optional(Instant('End of the attestation: by then an auditor must have passed the node again.')),
    endsAt: Type.Optional(Instant('End of the membership, if none does.')),
    drainsUntil: Type.Optional(Instant('Until when a node that was voted out serves what it holds.')),
    appealUntil: Type.Optional(Instant('Until when its owner may appeal.')),
    appealedAt: Type.Optional(Instant('When its owner did.')),
  },
  { description: 'How the node stands with the network, and until when.', ...strict },
);
export type MembershipStanding = Static<typeof MembershipStanding>;

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
    membership: Type.Optional(orUnknown(MembershipStanding)),
    records: orUnknown(Count('Records stored.')),
    audit: orUnknown(
      Type.Object(
        {
          size: Count('Leaves.'),
          root: Digest,
          nextErasure: Type.Optional(Instant('When the oldest bodies end their retention and are erased.')),
          epochs: Type.Optional(Type.Array(AuditEpoch)),
          conflict: Type.Optional(Type.Union([AuditConflict, Type.Null()])),
          chain: Type.Optional(
            Type.Union([Type.Literal('waiting'), Type.Literal('held'), Type.Literal('silent')], {
              description:
                'Whether the log was held against the chain since the start; silent: the chain has not answered, and what is here is served.',
            }),
          ),
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
    assertions: Type.Optional(orUnknown(AssertionStatus)),
    l1: Type.Optional(orUnknown(L1Status)),
    witness: Type.Optional(
      orUnknown(
        Type.Object(
          {
            splitLogs: Type.Array(Type.String({ examples: [EXAMPLE_PEER] }), {
              description: 'Members of whose audit logs this node keeps two stories, both signed.',
            }),
            recalled: Type.Optional(
              orUnknown(
                Type.Object(
                  {
                    epoch: Count('Of the log, that was declared.'),
                    answered: Count('Members that told what they know of the log before it.'),
                    silent: Count('Connected members that did not, at the last look.'),
                    newest: Count('Leaves of the largest head that one of them knew; 0: none.'),
                  },
                  { ...strict, description: 'What members were asked after a restore, or a declared loss.' },
                ),
              ),
            ),
          },
          strict,
        ),
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
            rekey: Type.Optional(RekeyState),
            cutOff: Type.Optional(
              Count(
                'Until the next restart: puts of the moment before a kill that the audit log has and the index lacks. Cut off, or an older index: a receipt tells which.',
              ),
            ),
            holders: Type.Optional(
              Type.Array(
                Type.Object(
                  {
                    holder: Type.String({ description: 'Its peer id.' }),
                    state: Type.Union(
                      [
                        Type.Literal('good'),
                        Type.Literal('late'),
                        Type.Literal('lost'),
                        Type.Literal('out'),
                        Type.Literal('distrusted'),
                      ],
                      {
                        description:
                          'good: it proved a block lately; late: not lately, and is not counted; lost: given up as silent; out: not in the registry; distrusted: it gave false answers.',
                      },
                    ),
                    provedAt: Type.Optional(Type.String({ description: 'Last proof.' })),
                    faults: Count('False answers of the last 30 days.'),
                  },
                  strict,
                ),
                { description: 'Members that said they hold blobs of this node.' },
              ),
            ),
            unreadable: Type.Optional(
              Type.Object(
                { versions: Count('Versions that did not read.'), at: Type.String({ description: 'Moment.' }) },
                { ...strict, description: 'Of the last whole scrub.' },
              ),
            ),
            offer: Type.Optional(StorageOffer),
            shards: Type.Optional(ShardStanding),
            releases: Type.Optional(
              Type.Object(
                {
                  pending: Count('Blobs that a holder has not yet signed to have released.'),
                  oldestMs: Type.Optional(Count('Since the deletion that waits longest.')),
                },
                {
                  ...strict,
                  description: 'Blobs destroyed or replaced here that members still hold, as far as is known.',
                },
              ),
            ),
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
    custody: Type.Optional(orUnknown(CustodyStatus)),
    clientRevocations: Type.Optional(orUnknown(Type.Array(RevocationStanding))),
    logLevels: Type.Optional(orUnknown(Type.Array(ChangedLogLevel))),
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
    standing: Type.Optional(MembershipStanding),
    problem: Type.Optional(Type.String({ description: 'What stands between this node and its entry.' })),
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

export const LeaveResult = Type.Object(
  {
    membership: Type.String({ description: 'Before it left.', examples: ['active'] }),
    transaction: Type.String({ description: 'Hash of the transaction by which it leaves.' }),
  },
  { description: 'The end of the membership.', ...strict },
);
export type LeaveResult = Static<typeof LeaveResult>;

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
