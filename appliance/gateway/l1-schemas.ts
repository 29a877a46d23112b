import Type, { type Static } from 'typebox';
import { Count, strict } from './schema-parts.ts';

/** Shapes of the HTTP API: L1 as this node reads it. */

const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const Endpoint = Type.Object(
  {
    url: Type.String({ description: 'Scheme, host and port: never a key.', examples: ['https://l1.example'] }),
    standing: Type.Union(
      [
        Type.Literal('good'),
        Type.Literal('lagging'),
        Type.Literal('silent'),
        Type.Literal('disagrees'),
        Type.Literal('uncompared'),
      ],
      {
        description:
          'By the last comparison; `disagrees` is not asked. `uncompared`: there was none, or no second one.',
      },
    ),
    head: orNull(Count('Newest L1 block that it named.')),
    lag: orNull(Count('Blocks by which that was behind the best one.')),
    answers: Count('Since the start.'),
    failures: Count('Since the start.'),
    problem: Type.Optional(Type.String({ description: 'Why it did not answer the last time.' })),
  },
  strict,
);

export const L1Status = Type.Object(
  {
    block: orNull(Count('The newest L1 block that L2 was derived from.')),
    endpoints: Type.Array(Endpoint),
    disagreement: Type.Optional(
      Type.String({ description: 'The endpoints contradict each other or what was verified: L2 stays where it is.' }),
    ),
    waiting: Type.Optional(
      Type.String({
        description: 'The batch whose data nobody gives now, and why.',
        examples: ['waiting for the data of batch 7: no beacon node has its blobs'],
      }),
    ),
  },
  { description: 'L1 as this node reads it.', ...strict },
);
export type L1Status = Static<typeof L1Status>;
