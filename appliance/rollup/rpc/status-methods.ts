import type { Hex } from '../../../protocol/brand.ts';
import type { DroppedTransaction } from '../derive/dropped.ts';
import type { RpcMethods } from './json-rpc.ts';
import { parseHash } from './params.ts';
import { quantity } from './render.ts';
import type { RpcDeps } from './rpc-deps.ts';

type Shown = Record<string, unknown>;

type StatusDeps = Pick<
  RpcDeps,
  | 'database'
  | 'heads'
  | 'pending'
  | 'isOrderedHere'
  | 'unconfirmed'
  | 'whyLost'
  | 'findDropped'
  | 'findInInbox'
  | 'batchOf'
> & {
  /** At the head of the chain. */
  readonly nonceOf: (address: Hex) => Promise<bigint>;
};

/**
 * What became of a transaction, as far as this node can tell. What the chain holds counts first, since what one batch dropped a later one
 * may bring; then what L1 holds and a rule dropped, which outlives restarts; then what is on its way, which does not.
 */
export function createStatusMethods(deps: StatusDeps): RpcMethods {
  const { database, heads, pending } = deps;

  async function inChain(hash: Hex): Promise<Shown | undefined> {
    const place = await database.transaction(hash);
    const blockHash = place && (await database.canonicalHash(place.blockNumber));
    if (place === undefined || blockHash === undefined) return undefined;
    const { blockNumber: number, index } = place;
    const { safe, finalized } = heads();
    const shown = { block: { number: quantity(number), hash: blockHash }, index: quantity(BigInt(index)) };
    if (number > safe.number) return { state: 'included', ...shown };
    const batch = await deps.batchOf?.(number);
    const state = number > finalized.number ? 'safe' : 'finalized';
    return { state, ...shown, ...(batch !== undefined && { batch }) };
  }

  /** Taken by the sequencer and left out: it says why. */
  async function lost(hash: Hex): Promise<Shown | undefined> {
    const reason = await deps.whyLost?.(hash);
    return reason === undefined ? undefined : { state: 'dropped', by: 'sequencer', reason };
  }

  /** On its way by this node's own knowledge. */
  async function underway(hash: Hex): Promise<Shown | undefined> {
    const forced = deps.unconfirmed?.().find((one) => one.hash === hash);
    if (forced !== undefined) {
      const { state, waiting } = forced;
      return { state: 'forwarded', l1: state, ...(waiting !== undefined && { waiting }) };
    }
    const signed = pending.find(hash);
    if (signed === undefined) return undefined;
    if ((await deps.nonceOf(signed.sender)) > signed.tx.nonce)
      // A block may have brought it since the first look.
      return (await inChain(hash)) ?? { state: 'dropped', by: 'chain', reason: 'another transaction took its nonce' };
    return { state: deps.isOrderedHere?.() === true ? 'pending' : 'forwarded' };
  }

  return {
    async nectar_transactionStatus([value]) {
      const hash = parseHash(value).toLowerCase() as Hex;
      const known = await inChain(hash);
      if (known !== undefined) return known;
      const onWay = await underway(hash);
      // Its own pool is the sequencer's last word; what it was once dropped for is over.
      if (onWay !== undefined && onWay.state !== 'forwarded') return onWay;
      const message = await deps.findInInbox?.(hash);
      if (message !== undefined) return { state: 'forwarded', l1: 'in-inbox', ...onWay, message: quantity(message) };
      const dropped = await deps.findDropped?.(hash);
      if (dropped !== undefined) return describe(dropped);
      return (await lost(hash)) ?? onWay ?? { state: 'unknown' };
    },
  };
}

function describe({ what, block, sequenceNumber, l1, reason }: DroppedTransaction): Shown {
  const place = { number: quantity(l1.number), hash: l1.hash };
  const batch = { sequenceNumber: quantity(sequenceNumber), l1: place };
  return { state: 'dropped', by: 'derivation', reason, what, block: quantity(block), batch };
}
