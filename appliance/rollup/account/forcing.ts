import { setTimeout as delay } from 'node:timers/promises';
import { getBytes, hexlify, Interface, keccak256, toQuantity } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { MESSAGE_KINDS } from '../../../protocol/rollup/delayed-message.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { L1Sender } from '../batcher/l1-sender.ts';
import { encodeBigintJson, parseBigintJson } from '../bigint-json.ts';
import type { DeriveStore } from '../derive/derive-store.ts';
import type { Engine } from '../derive/engine.ts';
import { MESSAGE_TOPIC } from '../l1/inbox-event.ts';
import type { JsonRpc } from '../l1/json-rpc.ts';

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
  readonly log: Logger;
  readonly now: () => number;
}

/** A transaction of the node's own account, signed and handed to the sequencer. */
export interface OwnTransaction {
  readonly raw: Uint8Array;
  readonly hash: Hex;
  readonly nonce: bigint;
}

/** How far a transaction is on its way past the sequencer. */
export type ForcingState = 'ordered' | 'sent-to-inbox' | 'in-inbox' | 'forced';

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
/** The account sends one thing at a time; more than this wait for nothing but each other. */
const MAX_TRACKED = 64;
/** What had no effect so often will have none. */
const MAX_FRUITLESS = 3;
/** Newest messages that are looked through for the own one. */
const MAX_SEARCHED = 512n;
const RECORD = 'forcing/tracked';

interface Tracked extends OwnTransaction {
  /** Milliseconds since 1970. */
  since: number;
  state: ForcingState;
  sentAt: number;
  waiting: string | undefined;
  /** How often L2 read it from the Inbox without effect: its nonce was not due, or it offers less than the base fee. */
  fruitless: number;
  /** Its nonce is used at the safe head. Kept until that is final: an L1 reorg may take the batch back. */
  settled: boolean;
}

interface Written extends Pick<Tracked, 'hash' | 'nonce' | 'since'> {
  readonly raw: Hex;
}

export function createForcing(options: ForcingOptions, deps: ForcingDeps): Forcing {
  const { store, sender, records, now, log } = deps;
  let opened: Promise<Map<bigint, Tracked>> | undefined;
  let known: ReadonlyMap<bigint, Tracked> = new Map();
  let failing = false;

  async function read(): Promise<Map<bigint, Tracked>> {
    const bytes = await records.record(RECORD);
    const written = bytes === undefined ? [] : (parseBigintJson(bytes) as Written[]);
    // A clock that was ahead must not keep a transaction waiting.
    const tracked = written.map(({ raw, hash, nonce, since }) =>
      begin({ raw: getBytes(raw), hash, nonce }, Math.min(since, now())),
    );
    return new Map(tracked.map((one) => [one.nonce, one]));
  }

  async function open(): Promise<Map<bigint, Tracked>> {
    opened ??= read();
    try {
      const tracked = await opened;
      known = tracked;
      return tracked;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  }

  async function keep(tracked: ReadonlyMap<bigint, Tracked>): Promise<void> {
    const written = [...tracked.values()].map(
      ({ raw, hash, nonce, since }): Written => ({ raw: hexlify(raw) as Hex, hash, nonce, since }),
    );
    await records.putRecords(new Map([[RECORD, written.length === 0 ? undefined : encodeBigintJson(written)]]));
  }

  /**
   * Its place in the Inbox, as derivation read it from L1. What L2 has read already is not looked at: a message that came before its
   * nonce was due has no effect any more, and the transaction must go there again.
   */
  async function findInInbox({ raw }: Tracked): Promise<bigint | undefined> {
    const { messageCount, messagesAllowed } = await store.cursor();
    const oldest = messageCount - MAX_SEARCHED > messagesAllowed ? messageCount - MAX_SEARCHED : messagesAllowed;
    const data = hexlify(raw);
    for (let index = messageCount - 1n; index >= oldest; index -= 1n) {
      const message = await store.getMessage(index);
      if (message.kind === MESSAGE_KINDS.transaction && message.data === data) return index;
    }
    return undefined;
  }

  async function send(one: Tracked, state: ForcingState, call: { to: Hex; data: Hex }, signal: AbortSignal) {
    if (one.state === state && now() - one.sentAt < options.resendMs) return;
    await sender.send(call, signal);
    one.state = state;
    one.sentAt = now();
    log.warn({ hash: one.hash, state }, 'transaction goes past the sequencer');
  }

  /** Resolves with why it does not go on. */
  async function advance(one: Tracked, signal: AbortSignal): Promise<string | undefined> {
    if (now() - one.since < options.forceAfterMs) return;
    const index = await findInInbox(one);
    if (index === undefined) {
      if (one.state === 'forced' || one.state === 'in-inbox') {
        log.warn({ hash: one.hash, nonce: one.nonce }, 'L2 read a transaction from the Inbox without effect');
        one.fruitless += 1;
        one.state = 'ordered';
        one.since = now();
        return;
      }
      if (one.fruitless >= MAX_FRUITLESS)
        return 'L2 read it from the Inbox without effect: the next one signed replaces it';
      const data = INBOX.encodeFunctionData('sendTransaction', [one.raw]) as Hex;
      await send(one, 'sent-to-inbox', { to: options.inbox, data }, signal);
      return;
    }
    if (one.state === 'ordered' || one.state === 'sent-to-inbox') one.state = 'in-inbox';
    const args = [index + 1n, await readMessage(index, one.raw, signal)];
    const data = SEQUENCER_INBOX.encodeFunctionData('forceInclusion', args) as Hex;
    await send(one, 'forced', { to: options.sequencerInbox, data }, signal);
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
    if (waiting !== one.waiting) log.info({ hash: one.hash, reason: waiting }, 'transaction cannot be forced now');
    log.debug({ err: error }, 'transaction cannot be forced now');
    one.waiting = waiting;
  }

  async function look(signal: AbortSignal): Promise<void> {
    const tracked = await open();
    if (tracked.size === 0) return;
    const { safe, forgot } = await settle(tracked);
    if (forgot) await keep(tracked);
    let next = safe;
    for (const one of waitingIn(tracked)) {
      // Nothing is read before its nonce is due: what leaves a gap would be dropped, and paid for.
      if (one.nonce > next) {
        one.waiting = `the account's transaction before it (nonce ${next}) is not on L1`;
        continue;
      }
      next = one.nonce + 1n;
      try {
        one.waiting = await advance(one, signal);
      } catch (error) {
        if (signal.aborted) return;
        say(one, error);
      }
    }
  }

  async function tick(signal: AbortSignal): Promise<void> {
    try {
      await look(signal);
      failing = false;
    } catch (error) {
      if (!failing && !signal.aborted) log.warn({ err: error }, 'own transactions cannot be looked at now');
      failing = true;
    }
  }

  return {
    async track({ raw, hash, nonce }) {
      const tracked = await open();
      const before = tracked.get(nonce);
      // What is on its way past the sequencer goes on, unless that was in vain; a replacement inherits how long its nonce has waited.
      if (before !== undefined && before.state !== 'ordered' && before.fruitless === 0) return;
      makeRoom(tracked);
      if (before === undefined && tracked.size >= MAX_TRACKED) {
        log.warn({ hash, nonce }, 'too many transactions wait for L1: this one is not watched');
        return;
      }
      tracked.set(nonce, begin({ raw, hash, nonce }, before?.since ?? now()));
      await keep(tracked);
    },
    list: () =>
      waitingIn(known).map(({ hash, nonce, state, waiting }) => ({
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

function begin(transaction: OwnTransaction, since: number): Tracked {
  return { ...transaction, since, state: 'ordered', sentAt: 0, waiting: undefined, fruitless: 0, settled: false };
}

/** Those that L1 has not confirmed, by nonce. */
function waitingIn(tracked: ReadonlyMap<bigint, Tracked>): readonly Tracked[] {
  return [...tracked.values()].filter(({ settled }) => !settled).sort((a, b) => Number(a.nonce - b.nonce));
}

/** What L1 has confirmed goes first, the oldest of it. */
function makeRoom(tracked: Map<bigint, Tracked>): void {
  const settled = [...tracked.values()].filter((one) => one.settled).sort((a, b) => Number(a.nonce - b.nonce));
  for (const { nonce } of settled) if (tracked.size >= MAX_TRACKED) tracked.delete(nonce);
}
