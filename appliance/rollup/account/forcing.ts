import { setTimeout as delay } from 'node:timers/promises';
import { hexlify, Interface, keccak256, toQuantity } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { MESSAGE_KINDS } from '../../../protocol/rollup/delayed-message.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { L1Sender } from '../batcher/l1-sender.ts';
import type { DeriveStore } from '../derive/derive-store.ts';
import type { Heads } from '../derive/engine.ts';
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
  readonly store: DeriveStore;
  readonly heads: () => Heads;
  /** Where the own chain has a transaction. */
  readonly blockOf: (hash: Hex) => Promise<bigint | undefined>;
  /** The account's next nonce at the safe head. */
  readonly safeNonce: () => Promise<bigint>;
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
  track(transaction: OwnTransaction): void;
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
/** Newest messages that are looked through for the own one. */
const MAX_SEARCHED = 512n;

interface Tracked extends OwnTransaction {
  readonly since: number;
  state: ForcingState;
  sentAt: number;
  waiting: string | undefined;
}

export function createForcing(options: ForcingOptions, deps: ForcingDeps): Forcing {
  const { store, sender, now, log } = deps;
  const tracked = new Map<bigint, Tracked>();

  async function isOver({ hash, nonce }: Tracked): Promise<boolean> {
    const number = await deps.blockOf(hash);
    if (number !== undefined && number <= deps.heads().safe.number) return true;
    return number === undefined && (await deps.safeNonce()) > nonce;
  }

  /** Its place in the Inbox, as derivation read it from L1. */
  async function findInInbox({ raw }: Tracked): Promise<bigint | undefined> {
    const { messageCount } = await store.cursor();
    const data = hexlify(raw);
    for (let index = messageCount - 1n; index >= 0n && messageCount - index <= MAX_SEARCHED; index -= 1n) {
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

  async function advance(one: Tracked, signal: AbortSignal): Promise<void> {
    if (await isOver(one)) {
      tracked.delete(one.nonce);
      return;
    }
    if (now() - one.since < options.forceAfterMs) return;
    const index = await findInInbox(one);
    if (index === undefined) {
      const data = INBOX.encodeFunctionData('sendTransaction', [one.raw]) as Hex;
      return send(one, 'sent-to-inbox', { to: options.inbox, data }, signal);
    }
    if (one.state === 'ordered' || one.state === 'sent-to-inbox') one.state = 'in-inbox';
    // L2 is obliged to read it, or has: what follows is derivation's.
    if ((await store.cursor()).messagesAllowed > index) return;
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

  async function tick(signal: AbortSignal): Promise<void> {
    for (const one of [...tracked.values()].sort((a, b) => Number(a.nonce - b.nonce))) {
      try {
        await advance(one, signal);
        one.waiting = undefined;
      } catch (error) {
        if (signal.aborted) return;
        // A refusal is mostly that the message is too young, or that the account has nothing on L1: the next look tries again.
        const waiting = error instanceof NectarError ? error.message : 'internal error';
        if (waiting !== one.waiting) log.info({ hash: one.hash, reason: waiting }, 'transaction cannot be forced now');
        log.debug({ err: error }, 'transaction cannot be forced now');
        one.waiting = waiting;
      }
    }
  }

  return {
    track({ raw, hash, nonce }) {
      const known = tracked.get(nonce);
      // What is on its way past the sequencer goes on; a replacement inherits how long its nonce has waited.
      if (known !== undefined && known.state !== 'ordered') return;
      if (known === undefined && tracked.size >= MAX_TRACKED) return;
      const since = known?.since ?? now();
      tracked.set(nonce, { raw, hash, nonce, since, state: 'ordered', sentAt: 0, waiting: undefined });
    },
    list: () =>
      [...tracked.values()].map(({ hash, nonce, state, waiting }) => ({
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
