import Type, { type Static } from 'typebox';
import { Instant, strict } from './schema-parts.ts';

/** Shapes of the HTTP API: ETH of the operator's account from L2 to L1. */

const Address = Type.String({ pattern: '^0x[0-9a-fA-F]{40}$', examples: [`0x${'ca'.repeat(20)}`] });
const Hash = Type.String({ pattern: '^0x[0-9a-f]{64}$', examples: [`0x${'5e'.repeat(32)}`] });
const Wei = Type.String({ pattern: '^[1-9][0-9]{0,77}$', description: 'Decimal.', examples: ['1000000000000000000'] });
const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const WithdrawalRequest = Type.Object(
  { to: Address, amountWei: Wei },
  { description: 'How much, and to which account on L1.', ...strict },
);
export type WithdrawalRequest = Static<typeof WithdrawalRequest>;

export const WithdrawalSent = Type.Object(
  { transaction: Hash },
  { description: 'The transaction on L2 that the sequencer took.', ...strict },
);

export const WithdrawalList = Type.Object(
  {
    withdrawals: Type.Array(
      Type.Object(
        {
          id: orNull(Type.Integer({ description: 'What `claim` takes; null while no block has it.', minimum: 0 })),
          state: Type.Union(
            [
              Type.Literal('sent'),
              Type.Literal('ordered'),
              Type.Literal('batched'),
              Type.Literal('asserted'),
              Type.Literal('claimable'),
              Type.Literal('claimed'),
              Type.Literal('failed'),
            ],
            { description: 'Handed to the sequencer, in a block, on L1, asserted there, confirmed, paid.' },
          ),
          to: Address,
          amountWei: Wei,
          transaction: Hash,
          block: orNull(Type.Integer({ description: 'L2 block.', minimum: 0 })),
          claimableAt: orNull(Instant('Of one that is asserted: from when on L1 confirms it, if no rival comes.')),
        },
        strict,
      ),
    ),
  },
  { description: "Withdrawals of the operator's account, the oldest first.", ...strict },
);
export type WithdrawalList = Static<typeof WithdrawalList>;

export const WithdrawalClaimed = Type.Object(
  { id: Type.Integer({ minimum: 0 }), state: Type.Literal('claimed') },
  { description: 'L1 has paid it.', ...strict },
);

export const WithdrawalId = Type.Object({ id: Type.Integer({ minimum: 0, maximum: 4_294_967_295 }) });
