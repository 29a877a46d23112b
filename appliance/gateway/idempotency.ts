import { createHash } from 'node:crypto';
import { NectarError } from '../../protocol/errors.ts';
import type { PutReceipt } from './dependencies.ts';

interface Remembered {
  readonly expiresAt: number;
  /** Undefined while the first request runs. */
  done?: { readonly fingerprint: string; readonly receipt: PutReceipt };
}

export interface IdempotencyOptions {
  readonly maxKeys: number;
  readonly ttlMs: number;
}

export interface Idempotency {
  /**
   * Runs `store` once per key; a repetition with the same content gets the first receipt.
   *
   * @throws NectarError GATEWAY_IDEMPOTENCY_RUNNING, GATEWAY_IDEMPOTENCY_MISMATCH
   */
  once(request: IdempotentRequest): Promise<{ receipt: PutReceipt; replayed: boolean }>;
}

export interface IdempotentRequest {
  /** Token id and Idempotency-Key: one caller's keys say nothing about another's. */
  readonly key: string;
  /** Everything but the body that makes the request what it is. */
  readonly facts: readonly string[];
  readonly body: AsyncIterable<Uint8Array>;
  readonly store: (body: AsyncIterable<Uint8Array>) => Promise<PutReceipt>;
}

/**
 * Remembers the receipts of POSTs by Idempotency-Key, in memory: a retry within one run of the node makes no second
 * record; after a restart it does. Bounded in number and age, the oldest finished key is forgotten first.
 */
export function createIdempotency(options: IdempotencyOptions, now: () => number): Idempotency {
  const remembered = new Map<string, Remembered>();

  const forget = (): void => {
    for (const [key, entry] of remembered) {
      if (entry.done !== undefined && (entry.expiresAt <= now() || remembered.size >= options.maxKeys))
        remembered.delete(key);
      else if (remembered.size < options.maxKeys) break;
    }
  };

  return {
    async once({ key, facts, body, store }) {
      forget();
      const hash = createHash('sha256').update(JSON.stringify(facts));
      const first = remembered.get(key);
      if (first !== undefined && first.expiresAt > now()) {
        if (first.done === undefined) throw new NectarError('GATEWAY_IDEMPOTENCY_RUNNING', {});
        const { fingerprint, receipt } = first.done;
        for await (const chunk of bounded(body, receipt.bytes)) hash.update(chunk);
        if (hash.digest('hex') !== fingerprint) throw new NectarError('GATEWAY_IDEMPOTENCY_MISMATCH', {});
        return { receipt, replayed: true };
      }
      const entry: Remembered = { expiresAt: now() + options.ttlMs };
      remembered.delete(key);
      remembered.set(key, entry);
      try {
        const receipt = await store(hashed(body, (chunk) => hash.update(chunk)));
        entry.done = { fingerprint: hash.digest('hex'), receipt };
        return { receipt, replayed: false };
      } finally {
        if (entry.done === undefined) remembered.delete(key);
      }
    },
  };
}

async function* hashed(
  body: AsyncIterable<Uint8Array>,
  update: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of body) {
    update(chunk);
    yield chunk;
  }
}

/** A repetition longer than the first request is another request: no need to read the rest. */
async function* bounded(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array, void, void> {
  let read = 0;
  for await (const chunk of body) {
    read += chunk.length;
    if (read > bytes) throw new NectarError('GATEWAY_IDEMPOTENCY_MISMATCH', {});
    yield chunk;
  }
}
