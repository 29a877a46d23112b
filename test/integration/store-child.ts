/** Run by the store's integration tests: a store of its own in a process of its own, with a key and an audit log on disk. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeEnvelopeCrypto as crypto } from '../../appliance/keys/index.ts';
import {
  createStore,
  type EvidenceEvent,
  type Store,
  type StoreAuditEvent,
  type StoreDeps,
} from '../../appliance/store/index.ts';
import { freeBytes } from '../../appliance/stream-memory.ts';
import { createLogger, createMetrics } from '../../appliance/telemetry/index.ts';
import { unwrapDek, wrapDek } from '../../protocol/envelope/wrapped-dek.ts';

const MIB = 1024 * 1024;
export const context = { actor: { subject: 'child' }, requestId: 'child' };
export const signal = new AbortController().signal;

/** What a test has otherwise. */
export interface ChildParts {
  readonly keys?: StoreDeps['keys'];
  /** The secret of its index, and of the one that is to take its place. */
  readonly index?: {
    readonly current: () => Uint8Array;
    readonly pending: () => Uint8Array | undefined;
    readonly settle: () => Promise<void>;
  };
  /** Told before a leaf is written, and when it is durable. */
  readonly onLeaf?: (event: StoreAuditEvent, when: 'before' | 'after') => void;
}

/** The store of a home; key and audit log are plain files there, for the test's eyes. */
export async function openChildStore(home: string, minFreeBytes = 0, parts: ChildParts = {}): Promise<Store> {
  const keyPath = join(home, 'test.key');
  if (!existsSync(keyPath)) writeFileSync(keyPath, randomBytes(32), { mode: 0o600 });
  const kek = { id: 'kek/1', key: readFileSync(keyPath) };
  const log = openSync(join(home, 'test-audit.log'), 'a+');
  const lines = (): string[] =>
    readFileSync(join(home, 'test-audit.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  let size = lines().length;
  const store = createStore(
    {
      home,
      nodeId: '11'.repeat(16),
      maxRecordBytes: 1024 ** 4,
      inlineMaxBytes: 64 * 1024,
      minFreeBytes,
      replicas: 0,
      maxPartialUploads: 16,
      maxPartialUploadsPerOwner: 8,
      partialUploadTtlMs: 3_600_000,
      holderLateMs: 3_600_000,
      holderLostMs: 86_400_000,
      releaseMaxAgeMs: 365 * 86_400_000,
      heldGraceMs: 30 * 86_400_000,
      heldPartialMs: 3_600_000,
      heldMaxPercent: 0,
      ownReserveBytes: 0,
      heldMaxBytes: 0,
      heldPerOwnerMaxBytes: 0,
    },
    {
      crypto,
      keys: parts.keys ?? {
        retire: async () => ({ destroyed: [], generation: 1 }),
        derive: () => Uint8Array.from(parts.index?.current() ?? kek.key),
        pending: () => parts.index?.pending(),
        newDek(of) {
          const dek = randomBytes(32);
          return { dek, wrapped: wrapDek(crypto, kek, { dek, context: of, nonce: randomBytes(12) }) };
        },
        unwrapDek(wrapped, of) {
          const dek = unwrapDek(crypto, kek, { wrapped, context: of });
          if (dek === undefined) throw new Error('wrapped DEK does not open');
          return dek;
        },
        rewrapDek: (wrapped) => wrapped,
      },
      ...(parts.index !== undefined && { settleIndex: parts.index.settle }),
      audit: {
        async append(event: StoreAuditEvent) {
          parts.onLeaf?.(event, 'before');
          const index = size++;
          const { type, outcome, recordId, version, detail } = event;
          const { cid, destroyedAt, indexGeneration, phase } = detail ?? {};
          const line = { index, type, outcome, recordId, version, cid, destroyedAt, indexGeneration, phase };
          writeSync(log, `${JSON.stringify(line)}\n`);
          fdatasyncSync(log);
          parts.onLeaf?.(event, 'after');
          return { index };
        },
      },
      evidence: {
        async latest() {
          const stated = lines().map(
            (line) => (JSON.parse(line) as { indexGeneration?: number }).indexGeneration ?? -1,
          );
          return { size: stated.length, ...(stated.length === 0 ? {} : { index: Math.max(0, ...stated) }) };
        },
        async *records(from) {
          const events = lines().map((line) => JSON.parse(line) as EvidenceEvent);
          for (const event of events) if (event.index >= from && event.type.startsWith('record.')) yield event;
        },
      },
      signer: { sign: (bytes) => createHash('sha512').update(bytes).digest() },
      log: createLogger({ level: 'silent' }),
      metrics: createMetrics(),
      now: () => new Date(),
      randomBytes: (n) => randomBytes(n),
    },
  );
  await store.start(signal);
  return store;
}

/** Content that a seed tells: nobody has to keep it to check it. */
export async function* seeded(seed: string, bytes: number): AsyncGenerator<Uint8Array> {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  for (let left = bytes; left > 0; left -= MIB) yield cipher.update(Buffer.alloc(Math.min(left, MIB)));
}

export async function digestOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of source) hash.update(part);
  return hash.digest('hex');
}

/** Puts, updates and shreds for ever, and says on stdout what was acknowledged. */
async function load(home: string): Promise<void> {
  const store = await openChildStore(home);
  const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);
  const sizes = [100, 4096, 70_000, 2 * MIB + 5, 5 * MIB];
  const worker = async (n: number): Promise<void> => {
    for (let i = 0; ; i++) {
      const bytes = sizes[(n + i) % sizes.length] ?? 0;
      const seed = randomBytes(8).toString('hex');
      const receipt = await store.put({ contentType: 'a/b', labels: ['load'] }, seeded(seed, bytes), context, signal);
      say({ put: receipt.recordId, seed, bytes });
      if (i % 4 !== 3) continue;
      say({ shredding: receipt.recordId });
      await store.shred(receipt.recordId, context);
      say({ shredded: receipt.recordId });
    }
  };
  await Promise.all(Array.from({ length: 6 }, (_, n) => worker(n)));
}

/** One piece over and over: what it measures is the store's memory, not the source's. */
async function* repeated(bytes: number): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(64 * 1024, 'piece');
  for (let left = bytes; left > 0; left -= piece.length) yield piece.subarray(0, left);
}

/** As the gateway reads it: each piece is given back once it has left. */
async function* freed(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    yield piece;
    freeBytes(piece);
  }
}

/** Prints how much a put and a get add to the resident size at their worst. */
async function memory(home: string, bytes: number): Promise<void> {
  const store = await openChildStore(home);
  const put = (size: number) => store.put({ contentType: 'a/b', labels: [] }, repeated(size), context, signal);
  const get = async (id: Awaited<ReturnType<typeof put>>['recordId']): Promise<string> =>
    digestOf(freed((await store.open(id, {}, context, signal)).body));
  await get((await put(4 * MIB)).recordId);
  const expected = await digestOf(repeated(bytes));
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 10);
  const same = (await get((await put(bytes)).recordId)) === expected;
  clearInterval(timer);
  await store.stop();
  writeSync(1, JSON.stringify({ addedBytes: peak - before, same }));
}

/** Fills a small volume, makes room, goes on: prints what happened. */
async function full(home: string, reserveBytes: number): Promise<void> {
  const store = await openChildStore(home, reserveBytes);
  const kept: { id: Awaited<ReturnType<Store['put']>>['recordId']; seed: string; bytes: number }[] = [];
  const codes = new Set<string>();
  let refused = 0;
  const put = async (bytes: number): Promise<void> => {
    const seed = randomBytes(8).toString('hex');
    try {
      const receipt = await store.put({ contentType: 'a/b', labels: [] }, seeded(seed, bytes), context, signal);
      kept.push({ id: receipt.recordId, seed, bytes });
    } catch (error) {
      codes.add((error as { code?: string }).code ?? String(error));
      refused += 1;
    }
  };
  for (let i = 0; refused < 6; i++) await put(i % 3 === 0 ? 6 * MIB : 50_000);
  const intact = async (): Promise<number> => {
    let good = 0;
    for (const { id, seed, bytes } of kept) {
      const read = await digestOf((await store.open(id, {}, context, signal)).body);
      good += read === (await digestOf(seeded(seed, bytes))) ? 1 : 0;
    }
    return good;
  };
  const before = { kept: kept.length, intact: await intact() };
  for (const { id } of kept.splice(0, 3)) await store.shred(id, context);
  // What a deletion frees comes behind its answer.
  while (store.condition().pendingErasures > 0) await delay(20);
  const shortly = kept.length;
  await put(6 * MIB);
  await put(50_000);
  const after = { added: kept.length - shortly, intact: await intact(), kept: kept.length };
  const findings = (await store.scrub(() => undefined)).findings;
  await store.stop();
  writeSync(1, JSON.stringify({ codes: [...codes], before, after, findings }));
}

if (import.meta.main) {
  const [mode, home = '', bytes = '0'] = process.argv.slice(2);
  if (mode === 'load') await load(home);
  if (mode === 'memory') await memory(home, Number(bytes));
  if (mode === 'full') await full(home, Number(bytes));
  closeSync(1);
}
