import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../../service.ts';
import type { StoreReplicas } from '../../store/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { BlocksClient } from './client.ts';
import type { Want } from './contract.ts';

const RETRY_MS = 250;
/** Blocks are a MiB each: so many are in memory at most. */
const MAX_FETCHES = 8;

export interface BlockFetcherDeps {
  readonly blocks: Pick<BlocksClient, 'wanted' | 'handIn'>;
  /** p2p: asks the holders. */
  readonly holders: StoreReplicas;
  readonly log: Logger;
}

/** In the rollup role: fetches what the store wants of the network, for the store reaches nobody. */
export function createBlockFetcher({ blocks, holders, log }: BlockFetcherDeps): Service {
  const abort = new AbortController();
  const running = new Map<number, AbortController>();
  const queue: Want[] = [];
  let loop: Promise<void> | undefined;

  async function fulfil(want: Want, signal: AbortSignal): Promise<void> {
    const { id, root, cid } = want;
    const bytes = await holders.fetch(root, cid, want.holders, signal).catch(() => undefined);
    await blocks.handIn(id, bytes);
  }

  function startNext(): void {
    if (running.size >= MAX_FETCHES) return;
    const want = queue.shift();
    if (want === undefined) return;
    const own = new AbortController();
    running.set(want.id, own);
    fulfil(want, AbortSignal.any([abort.signal, own.signal]))
      .catch((error: unknown) => log.debug({ err: error }, 'a fetched block was not handed to the store'))
      .finally(() => {
        running.delete(want.id);
        startNext();
      });
  }

  function take(want: Want): void {
    if (want.kind !== 'cancel') {
      queue.push(want);
      startNext();
      return;
    }
    running.get(want.id)?.abort();
    const at = queue.findIndex(({ id }) => id === want.id);
    if (at >= 0) queue.splice(at, 1);
  }

  async function follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await blocks.wanted(take, signal).catch((error: unknown) => {
        if (!signal.aborted) log.debug({ err: error }, 'the store does not say which blocks it wants');
      });
      queue.length = 0;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    name: 'block fetcher',
    async start(signal) {
      loop = follow(AbortSignal.any([signal, abort.signal]));
    },
    async stop() {
      abort.abort();
      await loop;
    },
    readiness: () => (loop === undefined ? { ready: false, reason: 'not started' } : { ready: true }),
  };
}
