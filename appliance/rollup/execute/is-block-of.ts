import type { Block, BlockHeader } from '@ethereumjs/block';
import { type BlockInput, parseOrigin } from '../../../protocol/rollup/block-input.ts';
import { inputOfBlock } from '../../../protocol/rollup/unsafe-block.ts';

function sameItems(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((item, i) => Buffer.compare(item, b[i] ?? new Uint8Array()) === 0);
}

/** Whether `block` is what `input` gives, told without executing it: when in doubt, false. */
export function isBlockOf(input: BlockInput, block: Block, previous: BlockHeader): boolean {
  const held = inputOfBlock(block, previous);
  const sameDeposits =
    held.deposits.length === input.deposits.length &&
    held.deposits.every((deposit, i) => {
      const other = input.deposits[i];
      return (
        deposit.index === other?.index && deposit.to === other.to.toLowerCase() && deposit.amountWei === other.amountWei
      );
    });
  const parameters = input.parameters ?? parseOrigin(previous).parameters;
  return (
    sameDeposits &&
    held.parameters?.feeFloorWei === parameters?.feeFloorWei &&
    held.parameters?.fork === parameters?.fork &&
    held.timestamp === input.timestamp &&
    held.l1Origin.number === input.l1Origin.number &&
    held.l1Origin.hash === input.l1Origin.hash &&
    held.delayedMessages === input.delayedMessages &&
    held.feeRecipient === input.feeRecipient.toLowerCase() &&
    sameItems(held.transactions, input.transactions)
  );
}
