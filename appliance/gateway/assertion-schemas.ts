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
    waiting: Type.Optional(Type.String({ description: "Why the validator's own stake does not move." })),
  },
  { description: 'What is asserted of L2 on L1, held against what this node derived.', ...strict },
);
export type AssertionStatus = Static<typeof AssertionStatus>;
