import { getBytes, hexlify } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { encodeBigintJson, parseBigintJson } from '../bigint-json.ts';
import type { Engine } from '../derive/engine.ts';

/** A transaction of the node's own account, signed and handed to the sequencer. */
export interface OwnTransaction {
  readonly raw: Uint8Array;
  readonly hash: Hex;
  readonly nonce: bigint;
  /** The most that it offers for a unit of gas. Absent: not known. */
  readonly maxFeePerGasWei?: bigint;
}

/** How far a transaction is on its way past the sequencer. */
export type ForcingState = 'ordered' | 'sent-to-inbox' | 'in-inbox' | 'forced';

export interface Tracked extends OwnTransaction {
  /** Milliseconds since 1970. */
  since: number;
  /** How often L2 read it from the Inbox without effect: its nonce was not due, or it offers less than the base fee. */
  fruitless: number;
  /** This and what follows is of this process: a restart begins with what L1 shows. */
  state: ForcingState;
  sentAt: number;
  /** Where its message lay in the Inbox when it was looked for last. */
  index: bigint | undefined;
  /** How many messages the Inbox had when it was sent there: its own is none of them. */
  from: bigint | undefined;
  waiting: string | undefined;
  /** Its nonce is used at the safe head. Kept until that is final: an L1 reorg may take the batch back. */
  settled: boolean;
}

/** As it lies on disk; what an older program wrote has no limit of the fee and no number. */
interface Written
  extends Pick<Tracked, 'hash' | 'nonce' | 'since'>,
    Partial<Pick<Tracked, 'maxFeePerGasWei' | 'fruitless'>> {
  readonly raw: Hex;
}

/** The node's own transactions that L1 has not confirmed for good, by nonce; a restart forgets none. */
export interface TrackedList {
  /** Reads them once. Throws what the database throws, and reads again then. */
  open(): Promise<Map<bigint, Tracked>>;
  /** As they were read last. */
  known(): ReadonlyMap<bigint, Tracked>;
  /** Resolves once they are on disk. */
  keep(): Promise<void>;
}

/** The account sends one thing at a time; more than this wait for nothing but each other. */
export const MAX_TRACKED = 64;
const RECORD = 'forcing/tracked';

export function createTrackedList(records: Pick<Engine, 'record' | 'putRecords'>, now: () => number): TrackedList {
  let opened: Promise<Map<bigint, Tracked>> | undefined;
  let known: ReadonlyMap<bigint, Tracked> = new Map();

  async function read(): Promise<Map<bigint, Tracked>> {
    const bytes = await records.record(RECORD);
    const written = bytes === undefined ? [] : (parseBigintJson(bytes) as Written[]);
    const tracked = written.map(({ raw, since, fruitless = 0, ...rest }): Tracked => {
      // A clock that was ahead must not keep a transaction waiting.
      return { ...begin({ ...rest, raw: getBytes(raw) }, Math.min(since, now())), fruitless };
    });
    return new Map(tracked.map((one) => [one.nonce, one]));
  }

  return {
    async open() {
      opened ??= read();
      try {
        const tracked = await opened;
        known = tracked;
        return tracked;
      } catch (error) {
        opened = undefined;
        throw error;
      }
    },
    known: () => known,
    async keep() {
      const written = [...known.values()].map(
        ({ raw, hash, nonce, since, fruitless, maxFeePerGasWei }): Written => ({
          ...{ raw: hexlify(raw) as Hex, hash, nonce, since, fruitless },
          ...(maxFeePerGasWei !== undefined && { maxFeePerGasWei }),
        }),
      );
      await records.putRecords(new Map([[RECORD, written.length === 0 ? undefined : encodeBigintJson(written)]]));
    },
  };
}

export function begin(transaction: OwnTransaction, since: number): Tracked {
  const fresh = {
    state: 'ordered',
    sentAt: 0,
    index: undefined,
    from: undefined,
    waiting: undefined,
    settled: false,
  } as const;
  return { ...transaction, since, fruitless: 0, ...fresh };
}

/** Those that L1 has not confirmed, by nonce. */
export function waitingIn(tracked: ReadonlyMap<bigint, Tracked>): readonly Tracked[] {
  return [...tracked.values()].filter(({ settled }) => !settled).sort((a, b) => Number(a.nonce - b.nonce));
}

/** What L1 has confirmed goes first, the oldest of it. */
export function makeRoom(tracked: Map<bigint, Tracked>): void {
  const settled = [...tracked.values()].filter((one) => one.settled).sort((a, b) => Number(a.nonce - b.nonce));
  for (const { nonce } of settled) if (tracked.size >= MAX_TRACKED) tracked.delete(nonce);
}
