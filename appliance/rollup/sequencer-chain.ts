import type { Hex } from '../../protocol/brand.ts';
import type { NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import { nextBaseFee, parseOrigin } from '../../protocol/rollup/block-input.ts';
import { bytesToHex } from '../../protocol/rollup/bytes.ts';
import { consumable, type DelayedMessage, MAX_MESSAGES_PER_BLOCK } from '../../protocol/rollup/delayed-message.ts';
import { parseTransaction } from '../../protocol/rollup/transaction.ts';
import { encodeUnsafeBlock } from '../../protocol/rollup/unsafe-block.ts';
import { clampTimestamp } from './derive/batch-rules.ts';
import { createHeadReader } from './head-reader.ts';
import { createOwnBlocks, type OwnBlocks } from './own-blocks.ts';
import type { RollupParts } from './rollup-parts.ts';
import type { SequencerChain } from './sequencer/sequencer.ts';

export interface SequencerChainOptions {
  /** secp256k1, 32 bytes: signs announcements. */
  readonly key: Uint8Array;
  readonly descriptor: NetworkDescriptor;
}

export interface SequencerChainDeps {
  readonly parts: () => RollupParts;
  readonly announce: (envelope: Uint8Array) => void;
}

/** What may pass in a later block; everything else in a dropped transaction is for good. */
const MAY_PASS_LATER: ReadonlySet<string> = new Set(['nonce-high', 'block-gas', 'fee-cap']);

/** The node in the words of the sequencer. */
export function createSequencerChain(options: SequencerChainOptions, deps: SequencerChainDeps): SequencerChain {
  const { parts, announce } = deps;
  const { l2 } = options.descriptor;
  const signer = { chainId: BigInt(l2.chainId), key: options.key };
  const head = createHeadReader(parts);
  let own: OwnBlocks | undefined;

  /** Signs only what is on disk: the same block always gives the same announcement. */
  async function sign(block: Parameters<typeof encodeUnsafeBlock>[0]): Promise<Uint8Array> {
    const envelope = encodeUnsafeBlock(block, signer);
    await parts().intake.remember(bytesToHex(block.hash()), envelope);
    return envelope;
  }

  async function ownBlocks(): Promise<OwnBlocks> {
    own ??= await createOwnBlocks(parts().engine, async (block) => announce(await sign(block)));
    return own;
  }

  return {
    get rules() {
      return parts().rules;
    },
    settled: () => parts().driver.settled(),
    hasBlocks: () => parts().executor.heads().unsafe.number > 0n,
    gasLimit: () => BigInt(l2.genesis.gasLimit),
    nextBaseFee: () => {
      const last = head.lastHeader();
      return last === undefined ? 0n : nextBaseFee(last);
    },
    account: head.account,
    async proposeBlock(nowS) {
      const header = await head.header();
      const { number: originNumber, delayedMessages: read } = parseOrigin(header);
      const l1 = await parts().store.cursor();
      // Behind the head's origin, L1 has not caught up again.
      if (l1.number < originNumber) return undefined;
      const waiting = await readMessages(parts(), read, l1.messageCount);
      return {
        timestamp: clampTimestamp(nowS, header, l1),
        l1Origin: { number: l1.number, hash: l1.hash },
        delayedMessages: consumable(waiting.map(({ kind }) => kind)),
      };
    },
    async produce(input) {
      const { executor, rules, feeRecipient, effectsOf } = parts();
      const { delayedMessages: read } = parseOrigin(await head.header());
      const messages = await readMessages(parts(), read, read + BigInt(input.delayedMessages));
      const { deposits, parameters, transactions: forced } = effectsOf(messages);
      const blocks = await ownBlocks();
      const transactions = [...forced, ...input.transactions];
      const built = await executor.build({ ...input, transactions, deposits, parameters, feeRecipient });
      const { block, dropped, cpuMs } = built;
      blocks.add(block);
      announce(await sign(block));
      const refused = dropped.filter(({ obstacle }) => !MAY_PASS_LATER.has(obstacle));
      return {
        number: block.header.number,
        included: built.transactionHashes,
        cpuMs,
        refused: refused.flatMap(({ index, obstacle }) =>
          hashOf(transactions[index], rules).map((hash) => ({ hash, reason: obstacle })),
        ),
      };
    },
    takeDiscarded: async () => (await ownBlocks()).takeDiscarded(),
  };
}

/** The messages from one index up to another, no more than one block could consume. */
async function readMessages({ store }: RollupParts, from: bigint, to: bigint): Promise<readonly DelayedMessage[]> {
  const messages: DelayedMessage[] = [];
  for (let index = from; index < to && messages.length < MAX_MESSAGES_PER_BLOCK; index += 1n) {
    messages.push(await store.getMessage(index));
  }
  return messages;
}

function hashOf(raw: Uint8Array | undefined, rules: RollupParts['rules']): Hex[] {
  const signed = raw && parseTransaction(raw, rules);
  return signed === undefined || typeof signed === 'string' ? [] : [signed.hash];
}
