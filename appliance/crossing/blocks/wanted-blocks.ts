import { createHash } from 'node:crypto';
import { verifyBlock } from '../../../protocol/network/block-cid.ts';
import type { StoreReplicas } from '../../store/index.ts';
import type { Want } from './contract.ts';

/** A holder far away and slow; then the block counts as not found. */
const WANT_TIMEOUT_MS = 60_000;
/** More at a time are not waited for: a scrub of a lost disk asks one after the other. */
const MAX_WANTS = 1024;

interface Waiting {
  readonly want: Want;
  settle(result: Uint8Array | undefined): void;
}

/**
 * The store's wishes to the network, told to whichever rollup process listens. Adversary: that process, which hands in what
 * nobody asked for, or other bytes than the CID names.
 */
export interface WantedBlocks extends StoreReplicas {
  /** Tells every wish, those that wait already first, until the signal aborts. The newest listener is the one. */
  listen(send: (want: Want) => Promise<void>, signal: AbortSignal): Promise<never>;
  /** @throws NectarError NETWORK_BLOCK_MISMATCH; a wish that nobody has any more is ignored */
  handIn(id: number, bytes: Uint8Array | undefined): void;
}

export function createWantedBlocks(timeoutMs: number = WANT_TIMEOUT_MS): WantedBlocks {
  const waiting = new Map<number, Waiting>();
  let tell: ((want: Want) => void) | undefined;
  let nextId = 1;

  async function wish(wanted: Omit<Want, 'id'>, signal: AbortSignal): Promise<Uint8Array | undefined> {
    // Nobody who could ask a holder, or nobody to ask: not found is the answer, at once.
    if (tell === undefined || wanted.holders.length === 0 || waiting.size >= MAX_WANTS) return undefined;
    signal.throwIfAborted();
    const want = { ...wanted, id: nextId++ };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const result = await new Promise<Uint8Array | undefined>((resolve) => {
      waiting.set(want.id, { want, settle: resolve });
      limit.addEventListener('abort', () => resolve(undefined), { once: true });
      tell?.(want);
    });
    waiting.delete(want.id);
    if (limit.aborted) tell?.({ ...want, kind: 'cancel', holders: [] });
    signal.throwIfAborted();
    return result;
  }

  return {
    fetch: (root, cid, holders, signal) => wish({ kind: 'fetch', root, cid, holders }, signal),
    listen(send, signal) {
      // One message after the other; a listener that is gone is told of by the signal.
      let sending = Promise.resolve();
      const own = (want: Want): void => {
        sending = sending.then(() => send(want)).catch(() => undefined);
      };
      tell = own;
      for (const { want } of waiting.values()) own(want);
      return new Promise((_, reject) => {
        const leave = (): void => {
          if (tell === own) tell = undefined;
          reject(signal.reason);
        };
        if (signal.aborted) leave();
        else signal.addEventListener('abort', leave, { once: true });
      });
    },
    handIn(id, bytes) {
      const found = waiting.get(id);
      if (found?.want.kind !== 'fetch') return;
      if (bytes === undefined) found.settle(undefined);
      else found.settle(verifyBlock(found.want.cid, bytes, (input) => createHash('sha256').update(input).digest()));
    },
  };
}
