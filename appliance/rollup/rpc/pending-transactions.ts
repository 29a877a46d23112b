import type { Hex } from '../../../protocol/brand.ts';
import type { SignedTransaction } from '../../../protocol/rollup/transaction.ts';

/** In the words of geth: wallets and libraries recognise a refusal by its text. */
export const ALREADY_KNOWN = 'already known';

/** Transactions on their way into a block, as this node knows them. */
export interface PendingTransactions {
  /** The account's next nonce, when `nonce` is that of the chain: after its transactions on the way, up to the first gap. */
  nextNonce(address: Hex, nonce: bigint): bigint;
  find(hash: Hex): SignedTransaction | undefined;
  /** In the order of arrival; some may be in the chain by now. */
  list(): readonly SignedTransaction[];
  /** Hashes that came after place `since` in the order of arrival, and the place of the last one. Only the newest are remembered. */
  arrivals(since: number): { readonly hashes: readonly Hex[]; readonly place: number };
  /** Called with each that comes. Returns how to stop it. */
  onArrival(listener: (signed: SignedTransaction) => void): () => void;
}

const MAX_LOOKS = 8;

/**
 * The nonce after what waits, although a block may take it in between the two looks: what a block holds leaves the pool after it is in
 * the chain, so that a nonce in the chain that is the same before and after says that nothing was missed.
 */
export async function settledNonce(
  inChain: () => Promise<bigint>,
  afterWaiting: (nonce: bigint) => Promise<bigint> | bigint,
): Promise<bigint> {
  let before = await inChain();
  for (let look = 1; ; look++) {
    const next = await afterWaiting(before);
    const after = await inChain();
    if (after > next) return after;
    if (after === before || look === MAX_LOOKS) return next;
    before = after;
  }
}

/** The book that a node keeps of what it handed to the sequencer, until its own chain has it. */
export interface ForwardedTransactions extends PendingTransactions {
  add(signed: SignedTransaction): void;
}

export interface ForwardedOptions {
  readonly maxTransactions: number;
  readonly maxBytes: number;
  /** The sequencer forgets what could not run for its own time; what is older here is no more than a guess. */
  readonly maxAgeMs: number;
}

const MAX_ARRIVALS = 4_096;

interface Entry {
  readonly signed: SignedTransaction;
  readonly at: number;
}

/** The order in which transactions arrived, bounded. */
export function createArrivals() {
  const listeners = new Set<(signed: SignedTransaction) => void>();
  let newest: Hex[] = [];
  let count = 0;
  return {
    add(signed: SignedTransaction): void {
      count += 1;
      newest.push(signed.hash);
      if (newest.length >= 2 * MAX_ARRIVALS) newest = newest.slice(-MAX_ARRIVALS);
      for (const listener of listeners) listener(signed);
    },
    arrivals(since: number) {
      const wanted = Math.min(count - since, newest.length);
      return { hashes: wanted > 0 ? newest.slice(-wanted) : [], place: count };
    },
    onArrival(listener: (signed: SignedTransaction) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function createForwardedTransactions(
  options: ForwardedOptions,
  { now }: { readonly now: () => number },
): ForwardedTransactions {
  const byHash = new Map<Hex, Entry>();
  const bySender = new Map<Hex, Map<bigint, Hex>>();
  const { add: arrived, ...arrivals } = createArrivals();
  let bytes = 0;

  function drop({ hash, sender, tx, raw }: SignedTransaction): void {
    if (byHash.delete(hash)) bytes -= raw.length;
    const nonces = bySender.get(sender);
    if (nonces?.get(tx.nonce) === hash) nonces.delete(tx.nonce);
    if (nonces?.size === 0) bySender.delete(sender);
  }

  /** In the order of arrival the oldest is the first. */
  function expire(): void {
    const oldest = now() - options.maxAgeMs;
    for (const { signed, at } of byHash.values()) {
      if (at >= oldest && byHash.size <= options.maxTransactions && bytes <= options.maxBytes) return;
      drop(signed);
    }
  }

  return {
    ...arrivals,
    add(signed) {
      const { hash, sender, tx } = signed;
      if (byHash.has(hash)) return;
      const nonces = bySender.get(sender) ?? new Map<bigint, Hex>();
      const replaced = byHash.get(nonces.get(tx.nonce) ?? '0x');
      if (replaced !== undefined) drop(replaced.signed);
      byHash.set(hash, { signed, at: now() });
      bytes += signed.raw.length;
      bySender.set(sender, nonces.set(tx.nonce, hash));
      expire();
      arrived(signed);
    },
    nextNonce(address, nonce) {
      expire();
      const nonces = bySender.get(address);
      for (const [waiting, hash] of nonces ?? []) {
        const overtaken = waiting < nonce ? byHash.get(hash) : undefined;
        if (overtaken !== undefined) drop(overtaken.signed);
      }
      let next = nonce;
      while (nonces?.has(next) === true) next += 1n;
      return next;
    },
    find(hash) {
      expire();
      return byHash.get(hash)?.signed;
    },
    list() {
      expire();
      return Array.from(byHash.values(), ({ signed }) => signed);
    },
  };
}
