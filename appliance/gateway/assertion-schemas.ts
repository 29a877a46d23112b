import Type, { type Static } from 'typebox';
import { Count, strict } from './schema-parts.ts';

/** Shapes of the HTTP API: what is asserted of L2 on L1. */

const Word = Type.String({ pattern: '^0x[0-9a-f]{64}$', examples: [`0x${'5e'.repeat(32)}`] });
const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const FalseAssertion = Type.Object(
  {
    nodeId: Word,
    status: Type.Union([Type.Literal('live'), Type.Literal('dead'), Type.Literal('confirmed')]),
    reason: Type.Union([Type.Literal('state'), Type.Literal('no such state'), Type.Literal('parent')]),
    stake: Count('The stake that made it.'),
    l1Block: Count('The L1 block that took it.'),
    batch: Count('The state that it names is the one before this batch.'),
    asserted: Type.Object({ blockHash: Word, sendRoot: Word }, strict),
    derived: Type.Optional(
      Type.Object(
        { block: Count('L2 block.'), blockHash: Word, sendRoot: Word },
        { description: 'What this node derived from the same batches.', ...strict },
      ),
    ),
  },
  strict,
);

const Challenge = Type.Object(
  {
    id: Word,
    side: Type.Union([Type.Literal('opener'), Type.Literal('responder')]),
    opponent: Type.String({ description: "Owner of the opponent's stake." }),
    onL1: Type.Union([Type.Literal('none'), Type.Literal('open'), Type.Literal('closed')]),
    round: Count('Of the newest move on L1; 0 without one.'),
    heardRound: Count('Of the newest valid message of the opponent off chain; 0 without one.'),
    turn: orNull(Type.Union([Type.Literal('own'), Type.Literal('opponent')])),
    leftSeconds: orNull(Type.Number({ description: 'Seconds of the freeze clock that are left to whose turn it is.' })),
    next: Type.Union(
      [
        Type.Literal('nothing'),
        Type.Literal('talk'),
        Type.Literal('open'),
        Type.Literal('answer'),
        Type.Literal('settle'),
        Type.Literal('timeout'),
        Type.Literal('lost'),
      ],
      { description: 'What this node does next.' },
    ),
    urgent: Type.Boolean({ description: 'Less than a day is left on the own clock, or it is out.' }),
    waiting: Type.Optional(Type.String({ description: 'Why the last try came to nothing.' })),
  },
  strict,
);

export const AssertionStatus = Type.Object(
  {
    mode: Type.Union([Type.Literal('watching'), Type.Literal('asserting')]),
    state: Type.Union(
      [Type.Literal('unseen'), Type.Literal('sound'), Type.Literal('false-pending'), Type.Literal('false-confirmed')],
      { description: 'Anything that begins with `false` is an alarm: docs/runbook.md, "A false assertion on L1".' },
    ),
    l1Block: orNull(Count('The newest L1 block up to which assertions are known.')),
    confirmedBatch: orNull(Count('L1 has confirmed the state before this batch.')),
    confirmedBlock: orNull(Count('The L2 block of that state.')),
    pending: Count('Assertions that wait for their period.'),
    false: Type.Array(FalseAssertion),
    challenges: Type.Optional(
      Type.Array(Challenge, { description: 'Of the own stake, the most urgent first; absent where there are none.' }),
    ),
    waiting: Type.Optional(Type.String({ description: "Why the validator's own stake does not move." })),
  },
  { description: 'What is asserted of L2 on L1, held against what this node derived.', ...strict },
);
export type AssertionStatus = Static<typeof AssertionStatus>;
