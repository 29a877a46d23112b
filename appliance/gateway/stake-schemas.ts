import Type, { type Static } from 'typebox';
import { Instant, strict } from './schema-parts.ts';

/** Shapes of the HTTP API: the stake by which this node asserts L2 on L1. */

const Wei = (description: string) =>
  Type.String({ pattern: '^(0|[1-9][0-9]{0,77})$', description: `${description} Decimal, in wei.`, examples: ['0'] });
const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const StakeWish = Type.Object(
  { wanted: Type.Boolean({ description: 'False: the node takes its stake back, and stakes no more.' }) },
  strict,
);
export type StakeWish = Static<typeof StakeWish>;

export const StakeStatus = Type.Object(
  {
    state: Type.Union(
      [Type.Literal('staking'), Type.Literal('staked'), Type.Literal('leaving'), Type.Literal('none')],
      { description: 'To have one and without it yet, with one, with one that is to come back, without one.' },
    ),
    account: Type.String({
      pattern: '^0x[0-9a-fA-F]{40}$',
      description: 'Owns the stake, and pays on L1.',
      examples: [`0x${'ca'.repeat(20)}`],
    }),
    balanceWei: Wei('What the account has on L1.'),
    requiredWei: Wei('What a new stake has to be.'),
    owedWei: Wei('What the Rollup owes the account.'),
    stakeId: orNull(Type.Integer({ minimum: 0 })),
    amountWei: orNull(Wei('The stake.')),
    standsOn: orNull(Type.String({ pattern: '^0x[0-9a-f]{64}$', description: 'The assertion under the stake.' })),
    returnableAt: orNull(
      Instant('From when on L1 confirms that assertion, if no rival comes; null when it is confirmed.'),
    ),
    waiting: Type.Optional(Type.String({ description: 'Why the stake does not move.' })),
  },
  { description: 'The stake by which this node asserts L2 on L1.', ...strict },
);
export type StakeStatus = Static<typeof StakeStatus>;
