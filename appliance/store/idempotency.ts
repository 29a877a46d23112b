import { createHash, type Hash } from 'node:crypto';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { findEntry, type StoreCore } from './core.ts';
import { decodeEntry, encodeEntry } from './entries.ts';
import type { IndexOp } from './index-db.ts';
import { KIND, kindRange } from './index-keys.ts';
import type { IdempotencyKey, PutReceipt } from './interfaces.ts';

/** Old keys that one put takes away: two for one that comes, so that their number falls to a bound that was lowered. */
const PRUNED_PER_PUT = 2;

interface RememberedPut {
  readonly fingerprint: string;
  readonly receipt: PutReceipt;
  readonly expiresAt: number;
}

interface AgeEntry {
  /** Database key of the remembered put, base64. */
  readonly entry: string;
  readonly expiresAt: number;
}

/** A put as it runs under an idempotency key: the body to read, and what its commit has to write. */
export interface KeyedPut {
  readonly body: AsyncIterable<Uint8Array>;
  /** To be asked for once the body has been read: the receipt is remembered in the batch that makes the put. */
  remember(receipt: PutReceipt): Promise<readonly IndexOp[]>;
}

/**
 * Runs a put once per key. Its identity is as durable as the put: a repetition, after a restart too, gets the first receipt
 * when its content is the same.
 *
 * @throws NectarError GATEWAY_IDEMPOTENCY_RUNNING, GATEWAY_IDEMPOTENCY_MISMATCH
 */
export async function putOnce(
  core: StoreCore,
  request: { readonly idempotency: IdempotencyKey; readonly body: AsyncIterable<Uint8Array> },
  put: (keyed: KeyedPut) => Promise<PutReceipt>,
): Promise<PutReceipt> {
  const { key, facts } = request.idempotency;
  const slot = `idempotency ${key}`;
  if (core.uploading.has(slot)) throw new NectarError('GATEWAY_IDEMPOTENCY_RUNNING', {});
  core.uploading.add(slot);
  try {
    const hash = createHash('sha256').update(JSON.stringify(facts));
    const first = await findRemembered(core, key);
    if (first !== undefined) return await repeat(first, request.body, hash);
    return await put({
      body: hashed(request.body, hash),
      remember: (receipt) => rememberOps(core, request.idempotency, { fingerprint: hash.digest('hex'), receipt }),
    });
  } finally {
    core.uploading.delete(slot);
  }
}

async function findRemembered(core: StoreCore, key: string): Promise<RememberedPut | undefined> {
  const first = await findEntry<RememberedPut>(core, core.keys.idempotency(key)).catch((error: unknown) => {
    // What does not open is forgotten: the put is made, and remembered in its place.
    if (isNectarError(error, 'STORE_INDEX_CORRUPT')) return undefined;
    throw error;
  });
  return first === undefined || first.expiresAt <= core.deps.now().getTime() ? undefined : first;
}

async function repeat(first: RememberedPut, body: AsyncIterable<Uint8Array>, hash: Hash): Promise<PutReceipt> {
  let read = 0;
  for await (const chunk of body) {
    read += chunk.length;
    // Longer than the first: no need to read the rest.
    if (read > first.receipt.bytes) throw new NectarError('GATEWAY_IDEMPOTENCY_MISMATCH', {});
    hash.update(chunk);
  }
  if (hash.digest('hex') !== first.fingerprint) throw new NectarError('GATEWAY_IDEMPOTENCY_MISMATCH', {});
  return { ...first.receipt, replayed: true };
}

async function rememberOps(
  core: StoreCore,
  { key, ttlMs, maxKeys }: IdempotencyKey,
  put: { readonly fingerprint: string; readonly receipt: PutReceipt },
): Promise<readonly IndexOp[]> {
  const now = core.deps.now().getTime();
  const expiresAt = now + ttlMs;
  const entry = core.keys.idempotency(key);
  const remembered: RememberedPut = { ...put, expiresAt };
  const age: AgeEntry = { entry: Buffer.from(entry).toString('base64'), expiresAt };
  const pruned = await pruneOps(core, { now, maxKeys });
  return [
    ...pruned.ops,
    { type: 'put', key: entry, value: encodeEntry(remembered) },
    { type: 'put', key: core.keys.idempotencyAge(expiresAt, key), value: encodeEntry(age) },
    { type: 'count', delta: { idempotencyKeys: 1 - pruned.count } },
  ];
}

/** The oldest keys that have ended or are too many. Two puts at a time may name the same: the recount of fsck mends the number. */
async function pruneOps(
  core: StoreCore,
  { now, maxKeys }: { readonly now: number; readonly maxKeys: number },
): Promise<{ ops: IndexOp[]; count: number }> {
  const ops: IndexOp[] = [];
  let count = 0;
  const full = core.db.stats().idempotencyKeys >= maxKeys;
  const oldest = { ...kindRange(KIND.idempotencyAge), limit: PRUNED_PER_PUT };
  for await (const { key, value } of core.db.range(oldest, (bad) => ops.push({ type: 'del', key: bad }))) {
    const { entry, expiresAt } = decodeEntry<AgeEntry>(value);
    if (!full && expiresAt > now) break;
    const place = Buffer.from(entry, 'base64');
    const current = await findEntry<RememberedPut>(core, place).catch(() => undefined);
    ops.push({ type: 'del', key });
    // The same key may have been used again since.
    if (current === undefined || current.expiresAt === expiresAt) ops.push({ type: 'del', key: place });
    count += 1;
  }
  return { ops, count };
}

async function* hashed(body: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
}
