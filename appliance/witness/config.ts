import Type, { type Static } from 'typebox';

/** Options of cosigning: of our own checkpoints by others, and of theirs by us. */
export const witnessConfig = Type.Object(
  {
    peers: Type.Integer({
      default: 3,
      minimum: 0,
      maximum: 16,
      description: 'Members that are asked to cosign each checkpoint of the audit log; 0 asks nobody.',
    }),
    intervalMs: Type.Integer({
      default: 60_000,
      minimum: 50,
      description: 'Time between two looks whether the audit log has grown, and is to be cosigned.',
    }),
    serve: Type.Boolean({ default: true, description: 'Cosign the checkpoints of other members.' }),
  },
  { additionalProperties: false },
);

export type WitnessConfig = Static<typeof witnessConfig>;
