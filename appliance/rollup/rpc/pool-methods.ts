import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { feeCap, type SignedTransaction } from '../../../protocol/rollup/transaction.ts';
import type { RpcMethods } from './json-rpc.ts';
import { parseAddress } from './params.ts';
import type { PendingTransactions } from './pending-transactions.ts';
import { quantity, renderTransaction } from './render.ts';

interface Waiting {
  readonly pending: readonly SignedTransaction[];
  readonly queued: readonly SignedTransaction[];
}

type BySender<T> = Record<Hex, Record<string, T>>;

function bySender<T>(signed: readonly SignedTransaction[], render: (signed: SignedTransaction) => T): BySender<T> {
  const senders: BySender<T> = {};
  for (const one of signed.toSorted((a, b) => (a.tx.nonce < b.tx.nonce ? -1 : 1))) {
    const nonces = senders[one.sender] ?? {};
    nonces[one.tx.nonce.toString()] = render(one);
    senders[one.sender] = nonces;
  }
  return senders;
}

const full = ({ tx }: SignedTransaction): object => renderTransaction(tx, undefined);

/** As geth's txpool_inspect says it. */
function inLine({ tx }: SignedTransaction): string {
  const to = tx.to === undefined ? 'contract creation' : bytesToHex(tx.to.bytes);
  return `${to}: ${tx.value} wei + ${tx.gasLimit} gas \u00d7 ${feeCap(tx)} wei`;
}

/**
 * The transactions on their way: on the sequencer its pool, on every other node those that this node forwarded. `nonceOf` is the
 * account's nonce at the head of the chain.
 */
export function createPoolMethods(
  transactions: PendingTransactions,
  nonceOf: (address: Hex) => Promise<bigint>,
): RpcMethods {
  async function waiting(sender?: Hex): Promise<Waiting> {
    const listed = transactions.list().filter((signed) => sender === undefined || signed.sender === sender);
    const nonces = new Map<Hex, { readonly nonce: bigint; readonly next: bigint }>();
    for (const { sender: of } of listed) {
      if (nonces.has(of)) continue;
      const nonce = await nonceOf(of);
      nonces.set(of, { nonce, next: transactions.nextNonce(of, nonce) });
    }
    const still = listed.filter(({ sender: of, tx }) => tx.nonce >= (nonces.get(of)?.nonce ?? 0n));
    const isNext = ({ sender: of, tx }: SignedTransaction): boolean => tx.nonce < (nonces.get(of)?.next ?? 0n);
    return { pending: still.filter(isNext), queued: still.filter((signed) => !isNext(signed)) };
  }

  return {
    async txpool_status() {
      const { pending, queued } = await waiting();
      return { pending: quantity(pending.length), queued: quantity(queued.length) };
    },
    async txpool_content() {
      const { pending, queued } = await waiting();
      return { pending: bySender(pending, full), queued: bySender(queued, full) };
    },
    async txpool_contentFrom([address]) {
      const sender = parseAddress(address);
      const { pending, queued } = await waiting(sender);
      return { pending: bySender(pending, full)[sender] ?? {}, queued: bySender(queued, full)[sender] ?? {} };
    },
    async txpool_inspect() {
      const { pending, queued } = await waiting();
      return { pending: bySender(pending, inLine), queued: bySender(queued, inLine) };
    },
  };
}
