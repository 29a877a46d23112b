import { setTimeout as delay } from 'node:timers/promises';
import { rollupSeverity } from '../../../protocol/errors.ts';
import type { BatchBlock } from '../../../protocol/rollup/batch.ts';
import type { Readiness, Service } from '../../service.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { BatchPoster } from './batch-poster.ts';
import { collectBatch } from './collect-batch.ts';
import type { L1Sender, Outgoing } from './l1-sender.ts';

/** What the batcher consumes of the node that it runs on. */
export interface BatcherChain {
  settled(): boolean;
  /** What L1 has of L2, as derivation read it back: the only memory of what was posted. */
  posted(): Promise<Posted>;
  unsafeHead(): bigint;
  /** A block of the own chain. */
  getBatchBlock(number: bigint): Promise<BatchBlock>;
}

export interface Posted {
  readonly batchCount: bigint;
  /** The last block that L1 gave. */
  readonly safe: bigint;
  /** Delayed messages that L2 has consumed up to that block. */
  readonly messagesRead: bigint;
  /** Delayed messages that the last batch declared read. */
  readonly messagesAllowed: bigint;
}

export interface BatcherOptions {
  readonly batchIntervalMs: number;
  /** Empty blocks wait this long for company: they are worth no transaction of their own. */
  readonly idleBatchIntervalMs: number;
  readonly maxBatchBytes: number;
  /** A batch that L1 has not taken for this long is offered for more. */
  readonly resubmitMs: number;
}

export interface Batcher extends Service {
  /** Posts what is unposted now instead of at the next interval. */
  flush(): void;
}

export interface BatcherDeps {
  readonly chain: BatcherChain;
  readonly poster: BatchPoster;
  readonly sender: L1Sender;
  readonly log: Logger;
  readonly now: () => number;
  /** Ends what the poster started. */
  readonly onStopped?: () => Promise<void>;
}

interface Waiting {
  readonly outgoing: Outgoing;
  readonly batchCount: bigint;
  sentAt: number;
}

/**
 * Posts the unsafe chain, one batch at a time: the next one goes out when derivation has read the last one back from L1. A
 * batch names its number, which SequencerInbox checks; so neither a crash nor a repetition can post one twice.
 */
export function createBatcher(options: BatcherOptions, deps: BatcherDeps): Batcher {
  const { chain, poster, sender, log, now } = deps;
  let waiting: Waiting | undefined;
  let failing = false;
  let lastSentAt = 0;
  let running: Promise<void> | undefined;
  let stopping = new AbortController();
  let wake = new AbortController();

  async function step(signal: AbortSignal): Promise<void> {
    const posted = await chain.posted();
    // Read back from L1; or L1 took back batches before it, and its number will be given to another.
    if (waiting !== undefined && posted.batchCount !== waiting.batchCount) waiting = undefined;
    if (waiting !== undefined) return pursue(waiting, signal);
    if (!chain.settled() || chain.unsafeHead() <= posted.safe) return;
    const range = { from: posted.safe + 1n, to: chain.unsafeHead(), maxBytes: options.maxBatchBytes };
    const batch = await collectBatch(range, (number) => chain.getBatchBlock(number));
    if (batch.isIdle && now() - lastSentAt < options.idleBatchIntervalMs) return;
    const read = posted.messagesRead + batch.delayedMessages;
    // Inbox counts only forwards, also where a faulty batch declared more than its blocks consumed.
    const isBehind = read < posted.messagesAllowed;
    const delayedCount = isBehind ? posted.messagesAllowed : read;
    const outgoing = await poster.post({ sequenceNumber: posted.batchCount, data: batch.data, delayedCount }, signal);
    lastSentAt = now();
    waiting = { outgoing, batchCount: posted.batchCount, sentAt: lastSentAt };
    const { first, last, data } = batch;
    const form = outgoing.call.blobs === undefined ? 'calldata' : 'blobs';
    log.debug({ batch: posted.batchCount, first, last, size: data.length, form }, 'batch sent');
  }

  /**
   * Sent but not read back yet. It is made anew once its nonce is used without its effect (it reverted, or L1 lost it), or once
   * the account's nonce went back behind it: what waits behind a gap is never mined, whatever it offers.
   */
  async function pursue(current: Waiting, signal: AbortSignal): Promise<void> {
    if (now() - current.sentAt < options.resubmitMs) return;
    const standing = await sender.standing(current.outgoing, signal);
    if (standing !== 'next') {
      if (standing === 'detached') log.warn({ batch: current.batchCount }, "L1 took the batcher's nonce back");
      waiting = undefined;
      return;
    }
    current.sentAt = now();
    if (!(await sender.bump(current.outgoing, signal))) log.warn({}, 'batch waits at the fee limit');
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await step(signal);
        failing = false;
      } catch (error) {
        if (signal.aborted) return;
        // A refusal is mostly derivation being a block behind L1; what stays is reported once.
        if (!failing)
          log[rollupSeverity(error) === 'temporary' ? 'debug' : 'error']({ err: error }, 'batch not posted');
        failing = true;
        waiting = undefined;
      }
      const cut = AbortSignal.any([signal, wake.signal]);
      await delay(options.batchIntervalMs, undefined, { signal: cut }).catch(() => {});
      if (wake.signal.aborted) wake = new AbortController();
    }
  }

  return {
    name: 'batcher',
    async start(signal) {
      stopping = new AbortController();
      running = run(AbortSignal.any([signal, stopping.signal]));
    },
    async stop() {
      stopping.abort();
      await running;
      await deps.onStopped?.();
    },
    readiness: (): Readiness => (failing ? { ready: false, reason: 'batches do not reach L1' } : { ready: true }),
    flush: () => wake.abort(),
  };
}
