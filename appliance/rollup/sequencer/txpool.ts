import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { feeCap, floorGas, parseTransaction, type SignedTransaction } from '../../../protocol/rollup/transaction.ts';
import { ALREADY_KNOWN, createArrivals, type PendingTransactions } from '../rpc/pending-transactions.ts';
import type { Loss } from './lost-transactions.ts';
import {
  belowFloor,
  feeTooLow,
  illFormed,
  insufficientFunds,
  nonceTooHigh,
  nonceTooLow,
  oversized,
} from './refusal-words.ts';

export interface TxpoolOptions {
  readonly maxTransactions: number;
  readonly maxBytes: number;
  readonly maxPerAccount: number;
  /** The longest single transaction. A block of one must still fit into a batch on L1. */
  readonly maxTransactionBytes: number;
  /** A transaction that could not run for this long is forgotten. */
  readonly maxAgeMs: number;
}

/** What the pool consumes of the chain, at the unsafe head. */
export interface PoolChain {
  readonly rules: Rules;
  account(address: Hex): Promise<{ readonly nonce: bigint; readonly balance: bigint }>;
  /** Wei per gas in the next block. */
  nextBaseFee(): bigint;
  gasLimit(): bigint;
}

/** Transactions waiting for a block, first come first served: an order that fees cannot buy. */
export interface Txpool extends PendingTransactions {
  /** Throws ROLLUP_SEQUENCER_REFUSED, ROLLUP_SEQUENCER_FULL. */
  add(raw: Uint8Array): Promise<Hex>;
  /** What can run next, in order of arrival, within a block's bytes and gas; the first whatever its gas. */
  pick(limits: { readonly gas: bigint; readonly bytes: number }): Promise<readonly SignedTransaction[]>;
  remove(hashes: Iterable<Hex>): void;
  /** Forgets what is too old or was overtaken by the chain, and says what. */
  prune(): Promise<readonly Loss[]>;
  size(): number;
}

interface Entry {
  readonly signed: SignedTransaction;
  readonly order: number;
  readonly at: number;
}

interface Sender {
  /** In the chain, when it was last asked. */
  nonce: bigint;
  readonly entries: Map<bigint, Entry>;
}

/** A replacement pays at least a tenth more, so that an endless chain of replacements is not free. */
const BUMP_NUMERATOR = 11n;
const BUMP_DENOMINATOR = 10n;

export function createTxpool(options: TxpoolOptions, deps: { chain: PoolChain; now: () => number }): Txpool {
  const { chain, now } = deps;
  const { add: arrived, ...arrivals } = createArrivals();
  const byHash = new Map<Hex, Entry>();
  const bySender = new Map<Hex, Sender>();
  let bytes = 0;
  let order = 0;

  function drop(entry: Entry): void {
    const { sender, hash, raw, tx } = entry.signed;
    if (!byHash.delete(hash)) return;
    bytes -= raw.length;
    const own = bySender.get(sender);
    own?.entries.delete(tx.nonce);
    if (own?.entries.size === 0) bySender.delete(sender);
  }

  function insert(signed: SignedTransaction, nonce: bigint, replaced: Entry | undefined): void {
    if (replaced !== undefined) drop(replaced);
    const entry = { signed, order: replaced?.order ?? order++, at: now() };
    byHash.set(signed.hash, entry);
    const entries = bySender.get(signed.sender)?.entries ?? new Map<bigint, Entry>();
    bySender.set(signed.sender, { nonce, entries: entries.set(signed.tx.nonce, entry) });
    bytes += signed.raw.length;
    arrived(signed);
  }

  function assertRoom(signed: SignedTransaction, replaced: Entry | undefined): void {
    const full = (limit: string): never => {
      throw new NectarError('ROLLUP_SEQUENCER_FULL', { limit });
    };
    if (bytes + signed.raw.length - (replaced?.signed.raw.length ?? 0) > options.maxBytes) full('bytes');
    if (replaced !== undefined) return;
    if (byHash.size >= options.maxTransactions) full('transactions');
    if ((bySender.get(signed.sender)?.entries.size ?? 0) >= options.maxPerAccount) full('transactions of one account');
  }

  /** Resolves with the account's nonce in the chain. */
  async function assertPayable(signed: SignedTransaction): Promise<bigint> {
    const { nonce, balance } = await chain.account(signed.sender);
    const { tx } = signed;
    if (tx.nonce < nonce) throw refused(nonceTooLow(nonce, tx.nonce));
    if (tx.nonce >= nonce + BigInt(options.maxPerAccount)) throw refused(nonceTooHigh(nonce, tx.nonce));
    let queued = 0n;
    for (const entry of bySender.get(signed.sender)?.entries.values() ?? []) {
      if (entry.signed.tx.nonce >= nonce && entry.signed.tx.nonce !== tx.nonce) queued += costOf(entry.signed);
    }
    const cost = costOf(signed);
    if (queued + cost > balance) throw refused(insufficientFunds({ balance, queued, cost }));
    return nonce;
  }

  async function refreshNonces(): Promise<void> {
    for (const [sender, own] of [...bySender]) own.nonce = (await chain.account(sender)).nonce;
  }

  return {
    ...arrivals,
    async add(raw) {
      if (raw.length > options.maxTransactionBytes) throw refused(oversized(raw.length, options.maxTransactionBytes));
      const signed = parseTransaction(raw, chain.rules);
      if (typeof signed === 'string') throw refused(illFormed(signed, raw, chain.rules));
      assertFloorGas(signed, chain.rules);
      if (byHash.has(signed.hash)) throw refused(ALREADY_KNOWN);
      if (signed.tx.gasLimit > chain.gasLimit()) throw refused('exceeds block gas limit');
      if (feeCap(signed.tx) < chain.nextBaseFee()) throw refused(feeTooLow(signed, chain.nextBaseFee()));
      const nonce = await assertPayable(signed);
      const replaced = bySender.get(signed.sender)?.entries.get(signed.tx.nonce);
      if (replaced !== undefined) assertBump(signed, replaced.signed);
      assertRoom(signed, replaced);
      insert(signed, nonce, replaced);
      return signed.hash;
    },
    nextNonce(address, nonce) {
      const entries = bySender.get(address)?.entries;
      let next = nonce;
      while (entries?.has(next) === true) next += 1n;
      return next;
    },
    list: () => Array.from(byHash.values(), ({ signed }) => signed),
    find: (hash) => byHash.get(hash)?.signed,
    async pick(limits) {
      await refreshNonces();
      return pickInOrder([...byHash.values()], bySender, { ...limits, baseFee: chain.nextBaseFee() });
    },
    remove(hashes) {
      for (const hash of hashes) {
        const entry = byHash.get(hash);
        if (entry !== undefined) drop(entry);
      }
    },
    async prune() {
      const oldest = now() - options.maxAgeMs;
      await refreshNonces();
      const lost: Loss[] = [];
      for (const { nonce, entries } of [...bySender.values()]) {
        for (const entry of [...entries.values()]) {
          const isOvertaken = entry.signed.tx.nonce < nonce;
          if (!isOvertaken && entry.at >= oldest) continue;
          drop(entry);
          lost.push({ hash: entry.signed.hash, reason: isOvertaken ? 'nonce-low' : 'expired' });
        }
      }
      return lost;
    },
    size: () => byHash.size,
  };
}

interface PickLimits {
  readonly gas: bigint;
  readonly bytes: number;
  readonly baseFee: bigint;
}

function pickInOrder(entries: Entry[], bySender: ReadonlyMap<Hex, Sender>, limits: PickLimits): SignedTransaction[] {
  const picked: SignedTransaction[] = [];
  const next = new Map(Array.from(bySender, ([sender, { nonce }]) => [sender, nonce]));
  let { gas, bytes } = limits;
  for (const arrived of entries.sort((a, b) => a.order - b.order)) {
    const { sender } = arrived.signed;
    const nonceOf = (): bigint => next.get(sender) ?? -1n;
    // One that came before its turn follows right after the one that it waited for.
    let entry: Entry | undefined = arrived.signed.tx.nonce === nonceOf() ? arrived : undefined;
    while (entry !== undefined && entry.order <= arrived.order && feeCap(entry.signed.tx) >= limits.baseFee) {
      const { tx, raw } = entry.signed;
      // One that is above what is left of the gas is not left for ever: it comes first one day, and then alone.
      if ((tx.gasLimit > gas && picked.length > 0) || raw.length > bytes) return picked;
      picked.push(entry.signed);
      gas -= tx.gasLimit;
      bytes -= raw.length;
      next.set(sender, tx.nonce + 1n);
      entry = bySender.get(sender)?.entries.get(nonceOf());
    }
  }
  return picked;
}

function assertBump(signed: SignedTransaction, replaced: SignedTransaction): void {
  if (feeCap(signed.tx) * BUMP_DENOMINATOR < feeCap(replaced.tx) * BUMP_NUMERATOR) {
    throw refused('replacement transaction underpriced');
  }
}

/** EIP-7623: what the data costs at least, whatever it does. */
function assertFloorGas({ tx }: SignedTransaction, rules: Rules): void {
  if (!rules.isActivatedEIP(7623)) return;
  const needed = floorGas(tx.data);
  if (tx.gasLimit < needed) throw refused(belowFloor(tx.gasLimit, needed));
}

function costOf({ tx }: SignedTransaction): bigint {
  return tx.gasLimit * feeCap(tx) + tx.value;
}

function refused(reason: string): NectarError<'ROLLUP_SEQUENCER_REFUSED'> {
  return new NectarError('ROLLUP_SEQUENCER_REFUSED', { reason });
}
