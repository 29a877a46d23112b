import Type, { type Static } from 'typebox';

export const replicationConfig = Type.Object(
  {
    intervalMs: Type.Integer({
      default: 5_000,
      minimum: 10,
      description: 'Time between two looks for blobs with too few replicas, where the last one found nothing to do.',
    }),
    retryMs: Type.Integer({
      default: 15_000,
      minimum: 0,
      description: 'Time after which a blob is offered to members again.',
    }),
    batch: Type.Integer({ default: 128, minimum: 1, maximum: 1024, description: 'Most blobs that one look takes on.' }),
    parallel: Type.Integer({
      default: 8,
      minimum: 1,
      maximum: 64,
      description: 'Blobs brought to members, and holders asked, at a time. Each may have a block of 1 MiB in memory.',
    }),
    releaseRetryMaxMs: Type.Integer({
      default: 3_600_000,
      minimum: 100,
      description:
        'Longest time between two tries to tell a holder of deletions; one that is seen again is told at once.',
    }),
    tidyIntervalMs: Type.Integer({
      default: 600_000,
      minimum: 100,
      description: 'Time between two looks for blocks of others that have expired.',
    }),
    checkIntervalMs: Type.Integer({
      default: 60_000,
      minimum: 100,
      description: 'Time between two rounds of questions to holders, whether they still have what they said they hold.',
    }),
    offerIntervalMs: Type.Integer({
      default: 300_000,
      minimum: 10,
      description: 'Time between two questions to a member, what it would take of shards.',
    }),
    auditIntervalMs: Type.Integer({
      default: 15_000,
      minimum: 10,
      description: 'Time between two looks for holders of shards whose audit is due.',
    }),
    checks: Type.Integer({
      default: 8,
      minimum: 1,
      maximum: 256,
      description: 'Versions drawn at random for one round; every holder is asked about one block at least.',
    }),
  },
  { additionalProperties: false },
);

export type ReplicationConfig = Static<typeof replicationConfig>;
