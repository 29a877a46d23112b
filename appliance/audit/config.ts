import Type, { type Static } from 'typebox';

/** Options of the audit log. */
export const auditConfig = Type.Object({
  checkpointEveryLeaves: Type.Integer({
    default: 1_024,
    minimum: 1,
    description:
      'Leaves after which the log signs a checkpoint by itself; it also does so on demand and when it stops.',
  }),
  maxPendingAppends: Type.Integer({
    default: 4_096,
    minimum: 1,
    description:
      'Appends that may wait for the disk; more are refused, and what they would have recorded is not served.',
  }),
  retentionDays: Type.Integer({
    default: 2_192,
    minimum: 0,
    maximum: 36_525,
    description:
      'Days after which the bodies of audit entries (who, which record, from where) are erased; leaves and proofs stay. Six years by default (45 CFR 164.316); 0 keeps them for ever.',
  }),
  chainWaitMs: Type.Integer({
    default: 30_000,
    minimum: 0,
    maximum: 600_000,
    description:
      'Longest time after a start that requests for private data wait until the log was held against the chain: an older copy of the whole machine is found by nothing else. When the chain does not answer, what is here is served, and said to be unconfirmed.',
  }),
  maxBodyBytes: Type.Integer({
    default: 65_536,
    minimum: 4_096,
    maximum: 1_048_576,
    description: 'Largest body of one audit entry, in bytes; an event that gives a larger one is refused.',
  }),
});
export type AuditConfig = Static<typeof auditConfig>;
/** What the log itself is told of them. */
export type LogConfig = Omit<AuditConfig, 'chainWaitMs'>;
