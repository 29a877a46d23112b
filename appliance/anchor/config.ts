import Type, { type Static } from 'typebox';

export const anchorConfig = Type.Object(
  {
    intervalMs: Type.Integer({
      default: 10_000,
      minimum: 0,
      description: 'Shortest time between two anchoring transactions of one kind.',
    }),
    pollMs: Type.Integer({
      default: 2_000,
      minimum: 10,
      description: 'Time between two looks at how far anchors have come.',
    }),
    resendAfterMs: Type.Integer({
      default: 60_000,
      minimum: 0,
      description:
        'Time after which a transaction that is in no block is sent again; the contracts refuse a second one.',
    }),
    maxRecords: Type.Integer({
      default: 4_096,
      minimum: 1,
      maximum: 65_536,
      description: 'Most record commitments under one root.',
    }),
  },
  { additionalProperties: false },
);

export type AnchorConfig = Static<typeof anchorConfig>;
