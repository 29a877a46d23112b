import { type Block, type BlockHeader, createBlockFromRLP, createBlockHeaderFromRLP } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { decodeReceipts, type Receipt, receiptHashes } from '../../../protocol/rollup/receipt.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import type { RawExecution } from './block-messages.ts';
import { decodeOperations } from './operation-codec.ts';
import type { SealedOperation } from './sealed-level.ts';

/** A block that was executed and is written nowhere. What few ask for is decoded when it is asked for. */
export class ExecutedBlock {
  readonly #raw: RawExecution;
  readonly #rules: Rules;
  readonly hash: Hex;
  readonly header: BlockHeader;
  /** Transactions of the input that the block does not hold, by their place in it. */
  readonly dropped: RawExecution['dropped'];
  /** CPU that its execution took, in milliseconds. */
  readonly cpuMs: number;
  #block: Block | undefined;
  #receipts: Receipt[] | undefined;

  constructor(raw: RawExecution, rules: Rules) {
    this.#raw = raw;
    this.#rules = rules;
    this.hash = raw.hash as Hex;
    this.header = createBlockHeaderFromRLP(raw.header, { common: rules });
    this.dropped = raw.dropped;
    this.cpuMs = raw.cpuMs;
  }

  /** RLP of what Ethereum calls the block. */
  get blockBytes(): Uint8Array {
    return this.#raw.block;
  }

  /** What `decodeReceipts` reads. */
  get receiptBytes(): Uint8Array {
    return this.#raw.receipts;
  }

  /** Of its transactions, in order. */
  get transactionHashes(): Hex[] {
    return receiptHashes(this.#raw.receipts);
  }

  /** What writes its state. */
  get operations(): SealedOperation[] {
    return decodeOperations(this.#raw.operations);
  }

  get block(): Block {
    this.#block ??= createBlockFromRLP(this.#raw.block, { common: this.#rules });
    return this.#block;
  }

  get receipts(): readonly Receipt[] {
    this.#receipts ??= decodeReceipts(this.#raw.receipts);
    return this.#receipts;
  }
}
