/** Store benchmarks: `npm run bench -- store`. Sizes by BENCH_STORE_MIB (1024), BENCH_STORE_SMALL (4000), BENCH_STORE_MEMORY_MIB (2048). */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { Value } from 'typebox/value';
import { type Audit, auditConfig, createAudit } from '../appliance/audit/index.ts';
import { nodeEnvelopeCrypto } from '../appliance/keys/index.ts';
import { createStore, type Store } from '../appliance/store/index.ts';
import { createLogger, createMetrics } from '../appliance/telemetry/index.ts';
import { unwrapDek, wrapDek } from '../protocol/envelope/wrapped-dek.ts';

const MIB = 1024 * 1024;
const SIZE_MIB = Number(process.env.BENCH_STORE_MIB ?? 1024);
const SMALL_PUTS = Number(process.env.BENCH_STORE_SMALL ?? 4000);
const MEMORY_MIB = Number(process.env.BENCH_STORE_MEMORY_MIB ?? 2048);
const SMALL_BYTES = 4096;
const CONCURRENCY = 64;
const ROUNDS = 3;

const context = { actor: { subject: 'bench' }, requestId: 'bench' };
const signal = new AbortController().signal;

interface Result {
  readonly name: string;
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  readonly ratio: number;
  readonly unit: string;
}

function report(result: Omit<Result, 'ratio'>): void {
  const round = (value: number): number => Number(value.toPrecision(3));
  const { ours, peer } = result;
  console.log(JSON.stringify({ ...result, ours: round(ours), peer: round(peer), ratio: round(ours / peer) }));
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function* body(mib: number): AsyncGenerator<Uint8Array> {
  const piece = randomBytes(MIB);
  for (let i = 0; i < mib; i++) yield piece;
}

async function openAudit(folder: string): Promise<Audit> {
  const seed = randomBytes(32);
  const audit = createAudit(
    { folder, origin: 'nectar.bench/node', config: Value.Create(auditConfig) },
    {
      keys: { derive: () => new Uint8Array(32).fill(1) },
      signer: { publicKey: ed25519.getPublicKey(seed), sign: (bytes) => ed25519.sign(bytes, seed) },
      log: createLogger({ level: 'silent' }),
      metrics: createMetrics(),
      now: Date.now,
      randomBytes,
    },
  );
  await audit.start(signal);
  return audit;
}

async function openStore(home: string): Promise<{ store: Store; close(): Promise<void> }> {
  const kek = { id: 'kek/1', key: randomBytes(32) };
  const crypto = nodeEnvelopeCrypto;
  const audit = await openAudit(join(home, 'audit'));
  const options = {
    home,
    nodeId: '00'.repeat(16),
    maxRecordBytes: 1024 ** 4,
    inlineMaxBytes: 64 * 1024,
    minFreeBytes: 64 * MIB,
    replicas: 1,
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
  };
  const store = createStore(options, {
    crypto,
    keys: {
      retire: async () => ({ destroyed: [], generation: 1 }),
      derive: () => Uint8Array.from(kek.key),
      pending: () => undefined,
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
    audit,
    evidence: audit,
    signer: { sign: (bytes) => bytes.subarray(0, 64) },
    log: createLogger({ level: 'silent' }),
    metrics: createMetrics(),
    now: () => new Date(),
    randomBytes: (n) => randomBytes(n),
  });
  await store.start(signal);
  return {
    store,
    async close() {
      await store.stop();
      await audit.stop();
    },
  };
}

/** The limit of a put: the same bytes sealed, hashed, written and synced, in 1 MiB pieces, one after the other. */
async function limitPut(path: string, mib: number): Promise<void> {
  const key = randomBytes(32);
  const file = await open(path, 'w');
  for await (const piece of body(mib)) {
    const cipher = createCipheriv('aes-256-gcm', key, randomBytes(12));
    const sealed = cipher.update(piece);
    cipher.final();
    createHash('sha256').update(sealed).digest();
    await file.write(sealed);
  }
  await file.sync();
  await file.close();
}

/** The limit of a get: the same bytes read and opened. */
async function limitGet(path: string, mib: number): Promise<void> {
  const key = randomBytes(32);
  const file = await open(path, 'r');
  for (let i = 0; i < mib; i++) {
    const piece = Buffer.allocUnsafeSlow(MIB);
    await file.read(piece, 0, MIB, i * MIB);
    createCipheriv('aes-256-gcm', key, randomBytes(12)).update(piece);
  }
  await file.close();
}

async function drain(source: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const part of source) bytes += part.length;
  return bytes;
}

async function large(home: string, store: Store): Promise<void> {
  const times = { put: [] as number[], get: [] as number[], limitPut: [] as number[], limitGet: [] as number[] };
  const path = join(home, 'limit.bin');
  for (let round = 0; round < ROUNDS; round++) {
    times.limitPut.push(await seconds(() => limitPut(path, SIZE_MIB)));
    let id: Awaited<ReturnType<Store['put']>> | undefined;
    times.put.push(
      await seconds(async () => {
        id = await store.put({ contentType: 'application/octet-stream', labels: [] }, body(SIZE_MIB), context, signal);
      }),
    );
    if (id === undefined) throw new Error('no receipt');
    const { recordId } = id;
    times.limitGet.push(await seconds(() => limitGet(path, SIZE_MIB)));
    times.get.push(
      await seconds(async () => {
        const bytes = await drain((await store.open(recordId, {}, context, signal)).body);
        if (bytes !== SIZE_MIB * MIB) throw new Error('short read');
      }),
    );
    await store.shred(recordId, context);
    await rm(path);
  }
  const speed = (list: readonly number[]): number => SIZE_MIB / median(list);
  const peerName = 'AES-256-GCM + SHA-256 + write + fsync, one thread, 1 MiB pieces';
  report({ name: 'store-put', ours: speed(times.put), peer: speed(times.limitPut), peerName, unit: 'MiB/s' });
  const readName = 'read + AES-256-GCM, one thread, 1 MiB pieces';
  report({ name: 'store-get', ours: speed(times.get), peer: speed(times.limitGet), peerName: readName, unit: 'MiB/s' });
}

async function small(home: string, store: Store): Promise<void> {
  const record = randomBytes(SMALL_BYTES);
  let left = SMALL_PUTS;
  const putter = async (): Promise<void> => {
    while (left-- > 0) {
      const once = (async function* () {
        yield record;
      })();
      await store.put({ contentType: 'application/fhir+json', labels: ['bench'] }, once, context, signal);
    }
  };
  const ours = await seconds(() => Promise.all(Array.from({ length: CONCURRENCY }, putter)));
  const file = await open(join(home, 'limit-small.bin'), 'w');
  const rounds = Math.min(SMALL_PUTS, 2000);
  const peer = await seconds(async () => {
    for (let i = 0; i < rounds; i++) {
      const cipher = createCipheriv('aes-256-gcm', randomBytes(32), randomBytes(12));
      await file.write(cipher.update(record));
      await file.datasync();
    }
  });
  await file.close();
  const peerName = 'AES-256-GCM + write + fdatasync per put, one after the other';
  report({ name: 'store-put-4k-audited', ours: SMALL_PUTS / ours, peer: rounds / peer, peerName, unit: 'puts/s' });
}

/** How much a put and a get of a large record add to the resident size; the limit is what the design promises. */
async function memory(store: Store): Promise<void> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const { recordId } = await store.put({ contentType: 'a/b', labels: [] }, body(MEMORY_MIB), context, signal);
  await drain((await store.open(recordId, {}, context, signal)).body);
  clearInterval(timer);
  await store.shred(recordId, context);
  const promised = 100;
  report({
    name: 'store-memory',
    ours: (peak - before) / MIB,
    peer: promised,
    peerName: `promised limit for ${MEMORY_MIB} MiB`,
    unit: 'MiB',
  });
}

export async function run(): Promise<void> {
  const home = await mkdtemp(join(process.env.BENCH_DIR ?? tmpdir(), 'nectar-bench-store-'));
  const { store, close } = await openStore(home);
  try {
    await memory(store);
    await large(home, store);
    await small(home, store);
  } finally {
    await close();
    await rm(home, { recursive: true, force: true });
  }
}
