import Type, { type Static } from 'typebox';

export const replicationConfig = Type.Object(
  {
    intervalMs: Type.Integer({
      default: 5_000,
      minimum: 10,
      description: 'Time between two looks for blobs with too few replicas.',
    }),
    retryMs: Type.Integer({
      default: 15_000,
      minimum: 0,
      description: 'Time after which a blob is offered to members again.',
    }),
    batch: Type.Integer({ default: 32, minimum: 1, maximum: 1024, description: 'Most blobs that one look takes on.' }),
  },
  { additionalProperties: false },
);

export type ReplicationConfig = Static<typeof replicationConfig>;
