import { setTimeout as delay } from 'node:timers/promises';
import { hexlify, Interface, keccak256, toQuantity } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { MESSAGE_KINDS } from '../../../protocol/rollup/delayed-message.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { L1Sender } from '../batcher/l1-sender.ts';
import type { DeriveStore } from '../derive/derive-store.ts';
import type { Engine } from '../derive/engine.ts';
import { MESSAGE_TOPIC } from '../l1/inbox-event.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';
import {
  begin,
  createTrackedList,
  type ForcingState,
  MAX_TRACKED,
  makeRoom,
  type OwnTransaction,
  type Tracked,
  waitingIn,
} from './tracked-list.ts';

export interface ForcingOptions {
  readonly inbox: Hex;
  readonly sequencerInbox: Hex;
  /** The first L1 block that may hold messages. */
  readonly firstL1Block: bigint;
  /** A transaction that is not confirmed for this long counts as censored. */
  readonly forceAfterMs: number;
  readonly pollMs: number;
  /** After this long without its effect, an L1 transaction is sent anew. */
  readonly resendMs: number;
}

export interface ForcingDeps {
  readonly sender: L1Sender;
  readonly l1: JsonRpc;
  readonly store: Pick<DeriveStore, 'cursor' | 'getMessage'>;
  /** Where the list outlives the process. */
  readonly records: Pick<Engine, 'record' | 'putRecords'>;
  /** The account's next nonce at a head of the own chain. */
  readonly nonceAt: (head: 'safe' | 'finalized') => Promise<bigint>;
  /** What a unit of gas costs at least on the safe head, which a forced transaction follows. */
  readonly baseFeeWei: () => Promise<bigint>;
  readonly log: Logger;
  readonly now: () => number;
}

export interface Forced {
  readonly hash: Hex;
  readonly nonce: bigint;
  readonly state: ForcingState;
  /** Why it does not go on; in words of the registry. */
  readonly waiting?: string;
}

/**
 * Sees to it that no sequencer can silence the node: what its account signed and L1 has not confirmed in time goes through the
 * Inbox on L1, and when no batch reads it there, through `forceInclusion`, which anyone may call. The operator's account pays on L1.
 */
export interface Forcing {
  /** Resolves once it is on disk: a restart forgets nothing that left the node. */
  track(transaction: OwnTransaction): Promise<void>;
  /** The first nonce from this one on that no transaction of the list has. */
  nextFree(nonce: bigint): Promise<bigint>;
  /** Transactions that are not confirmed yet. */
  list(): readonly Forced[];
  /** Looks once; runs by itself every `pollMs`. Never throws. */
  tick(signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

const INBOX = new Interface(['function sendTransaction(bytes transaction) returns (uint256 index)']);
const SEQUENCER_INBOX = new Interface([
  'function forceInclusion(uint256 count, (uint8 kind, address sender, bytes32 dataHash, uint256 blockNumber, uint256 timestamp) last)',
]);
/** What had no effect so often will have none. */
const MAX_FRUITLESS = 3;
/** Newest messages that are looked through for the own one. */
const MAX_SEARCHED = 512n;

export function createForcing(options: ForcingOptions, deps: ForcingDeps): Forcing {
  const { store, sender, records, now, log } = deps;
  const list = createTrackedList(records, now);
  let failing = false;

  /**
   * Its message's place among what L2 has not read of the Inbox, as derivation read that from L1. `read`: L2 has read the one that this
   * process sent or saw. An older one is not looked for: it came before its nonce was due, and must go there again.
   */
  async function findInInbox(one: Tracked): Promise<bigint | 'read' | undefined> {
    const { messageCount, messagesAllowed } = await store.cursor();
    // L1 took messages back: the own one may come where one of them was.
    if (one.from !== undefined && one.from > messageCount) one.from = messageCount;
    const { index: seen, from } = one;
    const data = hexlify(one.raw);
    const isAt = async (index: bigint): Promise<boolean> => {
      const message = await store.getMessage(index);
      return message.kind === MESSAGE_KINDS.transaction && message.data === data;
    };
    const whereIs = (index: bigint): bigint | 'read' => (index >= messagesAllowed ? index : 'read');
    if (seen !== undefined && seen < messageCount && (await isAt(seen))) return whereIs(seen);
    const lowest = from ?? messagesAllowed;
    const oldest = messageCount - MAX_SEARCHED > lowest ? messageCount - MAX_SEARCHED : lowest;
    for (let index = messageCount - 1n; index >= oldest; index -= 1n) if (await isAt(index)) return whereIs(index);
    return undefined;
  }

  /** Whether it was sent: not where it is on its way. */
  async function send(one: Tracked, state: ForcingState, call: { to: Hex; data: Hex }, signal: AbortSignal) {
    if (one.state === state && now() - one.sentAt < options.resendMs) return false;
    await sender.send(call, signal);
    one.state = state;
    one.sentAt = now();
    log.warn({ hash: one.hash, state }, 'transaction is forced through L1');
    return true;
  }

  async function sendToInbox(one: Tracked, signal: AbortSignal): Promise<string | undefined> {
    if (one.fruitless >= MAX_FRUITLESS)
      return 'L2 read it from the Inbox without effect: the next one signed replaces it';
    const baseFee = await deps.baseFeeWei();
    const { maxFeePerGasWei: offered = baseFee } = one;
    // L2 would read it without effect, and the Inbox costs gas.
    if (offered < baseFee)
      return `it offers ${offered} wei a unit of gas and L2 takes ${baseFee}: it goes on when that falls, or the next one signed replaces it`;
    const { messageCount } = await store.cursor();
    const data = INBOX.encodeFunctionData('sendTransaction', [one.raw]) as Hex;
    if (await send(one, 'sent-to-inbox', { to: options.inbox, data }, signal)) one.from = messageCount;
    return undefined;
  }

  /** L2 has read its message, and it is not in the chain. */
  async function countFruitless(one: Tracked): Promise<void> {
    // Derivation may have gone on since its nonce was looked at: then it is in the chain.
    if ((await deps.nonceAt('safe')) > one.nonce) return;
    log.warn({ hash: one.hash, nonce: one.nonce }, 'a forced transaction had no effect on L2');
    Object.assign(one, {
      fruitless: one.fruitless + 1,
      state: 'ordered',
      index: undefined,
      from: undefined,
      since: now(),
    });
    // A process that starts again and again must not pay for it each time.
    await list.keep();
  }

  /** Resolves with why it does not go on. */
  async function advance(one: Tracked, signal: AbortSignal): Promise<string | undefined> {
    if (now() - one.since < options.forceAfterMs) return;
    const index = await findInInbox(one);
    if (index === 'read') return countFruitless(one).then(() => undefined);
    if (index === undefined && one.index !== undefined) {
      log.warn({ hash: one.hash, nonce: one.nonce }, 'L1 took back the message of a transaction');
      // The same L1 transaction is mostly mined again by itself: it has the time that any has.
      Object.assign(one, { state: 'sent-to-inbox', sentAt: now(), index: undefined, from: undefined });
    }
    if (index === undefined) return sendToInbox(one, signal);
    one.index = index;
    if (one.state === 'ordered' || one.state === 'sent-to-inbox') one.state = 'in-inbox';
    const args = [index + 1n, await readMessage(index, one.raw, signal)];
    const data = SEQUENCER_INBOX.encodeFunctionData('forceInclusion', args) as Hex;
    await send(one, 'forced', { to: options.sequencerInbox, data }, signal);
    return undefined;
  }

  /** As the Inbox took it. The endpoint's word is enough: the contract compares it with its accumulator. */
  async function readMessage(index: bigint, raw: Uint8Array, signal: AbortSignal) {
    const topics = [MESSAGE_TOPIC, `0x${index.toString(16).padStart(64, '0')}`];
    const filter = { address: options.inbox, topics, fromBlock: toQuantity(options.firstL1Block), toBlock: 'latest' };
    const [found] = (await deps.l1.call('eth_getLogs', [filter], signal)) as { blockNumber: Hex; topics: Hex[] }[];
    if (found === undefined) throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'list of logs' });
    const block = (await deps.l1.call('eth_getBlockByNumber', [found.blockNumber, false], signal)) as {
      timestamp: Hex;
    };
    return {
      kind: MESSAGE_KINDS.transaction,
      sender: `0x${found.topics[3]?.slice(26)}`,
      dataHash: keccak256(raw),
      blockNumber: BigInt(found.blockNumber),
      timestamp: BigInt(block.timestamp),
    };
  }

  /** Marks what L1 has confirmed and forgets what is final. True when something was forgotten. */
  async function settle(tracked: Map<bigint, Tracked>): Promise<{ readonly safe: bigint; readonly forgot: boolean }> {
    const safe = await deps.nonceAt('safe');
    const all = [...tracked.values()];
    for (const one of all) {
      // L1 took back what it had confirmed: the sequencer has its time again.
      if (one.settled && one.nonce >= safe) one.since = now();
      one.settled = one.nonce < safe;
    }
    if (!all.some(({ settled }) => settled)) return { safe, forgot: false };
    // What cannot be known to be final is kept, and keeps nothing else waiting.
    const final = await deps.nonceAt('finalized').catch(() => 0n);
    const over = all.filter(({ settled, nonce }) => settled && nonce < final);
    for (const { nonce } of over) tracked.delete(nonce);
    return { safe, forgot: over.length > 0 };
  }

  function say(one: Tracked, error: unknown): void {
    // A refusal is mostly that the message is too young, or that the account has nothing on L1: the next look tries again.
    const waiting = error instanceof NectarError ? error.message : 'internal error';
    if (waiting !== one.waiting) log.info({ hash: one.hash, reason: waiting }, 'transaction cannot be forced yet');
    log.debug({ err: error }, 'transaction cannot be forced yet');
    one.waiting = waiting;
  }

  async function look(signal: AbortSignal): Promise<void> {
    const tracked = await list.open();
    if (tracked.size === 0) return;
    const { safe, forgot } = await settle(tracked);
    if (forgot) await list.keep();
    let next = safe;
    for (const one of waitingIn(tracked)) {
      // Nothing is read before its nonce is due: what leaves a gap would be dropped, and paid for.
      if (one.nonce > next) {
        one.waiting = `the account's transaction before it (nonce ${next}) is not on L1`;
        continue;
      }
      try {
        one.waiting = await advance(one, signal);
      } catch (error) {
        if (signal.aborted) return;
        say(one, error);
      }
      // What still waits here would come after those behind it.
      if (one.state !== 'ordered') next = one.nonce + 1n;
    }
  }

  async function tick(signal: AbortSignal): Promise<void> {
    try {
      await look(signal);
      failing = false;
    } catch (error) {
      if (!failing && !signal.aborted) log.warn({ err: error }, 'own transactions cannot be checked now');
      failing = true;
    }
  }

  return {
    async track(transaction) {
      const { hash, nonce } = transaction;
      const tracked = await list.open();
      const before = tracked.get(nonce);
      // What is on its way past the sequencer goes on, unless that was in vain; a replacement inherits how long its nonce has waited.
      if (before !== undefined && before.state !== 'ordered' && before.fruitless === 0) return;
      makeRoom(tracked);
      if (before === undefined && tracked.size >= MAX_TRACKED) {
        log.warn({ hash, nonce }, 'too many transactions wait for L1: this one is not watched');
        return;
      }
      tracked.set(nonce, begin(transaction, before?.since ?? now()));
      await list.keep();
    },
    async nextFree(nonce) {
      const tracked = await list.open();
      let free = nonce;
      while (tracked.has(free)) free += 1n;
      return free;
    },
    list: () =>
      waitingIn(list.known()).map(({ hash, nonce, state, waiting }) => ({
        hash,
        nonce,
        state,
        ...(waiting !== undefined && { waiting }),
      })),
    tick,
    async run(signal) {
      while (!signal.aborted) {
        await tick(signal);
        await delay(options.pollMs, undefined, { signal }).catch(() => {});
      }
    },
  };
}
