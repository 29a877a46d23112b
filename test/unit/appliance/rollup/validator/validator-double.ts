import type { L1Record } from '../../../../../appliance/rollup/derive/derive-store.ts';
import type { L1Header } from '../../../../../appliance/rollup/l1/header.ts';
import type { GlobalState } from '../../../../../appliance/rollup/validator/assertion.ts';
import {
  type AssertionFollower,
  createAssertionFollower,
} from '../../../../../appliance/rollup/validator/assertion-follower.ts';
import type { AssertionEvent } from '../../../../../appliance/rollup/validator/rollup-logs.ts';
import type { Hex } from '../../../../../protocol/brand.ts';

export const word = (byte: string): Hex => `0x${byte.repeat(32)}`;
export const GENESIS: GlobalState = { blockHash: word('00'), sendRoot: word('01'), batch: 0n, offset: 0n };
export const ROOT = word('f0');

/** What L2 is before a batch, in these tests. */
export function truth(batch: bigint): GlobalState {
  const byte = batch.toString(16).padStart(2, '0');
  return { blockHash: batch === 0n ? GENESIS.blockHash : word(byte), sendRoot: word('01'), batch, offset: 0n };
}

export function created(nodeId: Hex, parent: Hex, state: GlobalState, stakeId = 1n): AssertionEvent {
  return { kind: 'created', nodeId, parent, stakeId, state, target: state.batch + 1n };
}

/** L1 reduced to blocks and the Rollup's events in them, as derivation and the follower see it. */
export function createL1Double() {
  let blocks: { hash: Hex; events: readonly AssertionEvent[] }[] = [];
  const records = new Map<string, Uint8Array>();
  const state = { finalized: 0n, derived: undefined as bigint | undefined, reads: 0 };
  let forks = 0;

  const head = (): bigint => state.derived ?? BigInt(blocks.length);
  const recordAt = (number: bigint): L1Record | undefined => {
    const hash = number === 0n ? word('ee') : blocks[Number(number) - 1]?.hash;
    return hash === undefined || number > head() ? undefined : ({ number, hash } as L1Record);
  };
  const engine = {
    record: async (name: string) => records.get(name),
    putRecords: async (entries: ReadonlyMap<string, Uint8Array | undefined>) => {
      for (const [name, value] of entries) if (value !== undefined) records.set(name, value);
    },
  };
  return {
    state,
    records,
    engine,
    mine(...events: AssertionEvent[]) {
      blocks.push({ hash: `0x${(blocks.length + 1 + forks * 1_000).toString(16).padStart(64, '0')}`, events });
    },
    /** Everything from block `number` on is gone. */
    reorg(number: number) {
      forks += 1;
      blocks = blocks.slice(0, number - 1);
    },
    follower(): AssertionFollower {
      const header = (number: bigint): L1Header | undefined => recordAt(number) as unknown as L1Header | undefined;
      return createAssertionFollower(
        { start: { number: 0n, hash: word('ee') }, genesis: GENESIS },
        {
          store: { cursor: async () => recordAt(head()) as L1Record, find: async (number) => recordAt(number) },
          engine,
          l1: {
            headerByNumber: async (number) => header(number),
            headerByTag: async () => header(state.finalized),
          },
          readEvents: async ({ number }) => {
            state.reads += 1;
            return blocks[Number(number) - 1]?.events ?? [];
          },
        },
      );
    },
  };
}
