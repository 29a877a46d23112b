import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeEnvelopeCrypto as crypto } from '../../../../appliance/keys/index.ts';
import {
  type AccessContext,
  createStore,
  type EvidenceEvent,
  type FileGenerations,
  type Store,
  type StoreAuditEvent,
  type StoreDeps,
  type StoreOptions,
} from '../../../../appliance/store/index.ts';
import { createLogger, createMetrics } from '../../../../appliance/telemetry/index.ts';
import type { RecordId } from '../../../../protocol/brand.ts';
import { unwrapDek, wrapDek } from '../../../../protocol/envelope/wrapped-dek.ts';
import { NectarError } from '../../../../protocol/errors.ts';

export const NODE_ID = 'ffeeddccbbaa99887766554433221100';
export const context: AccessContext = { actor: { subject: 'tester' }, requestId: 'r1' };
export const signal = new AbortController().signal;

/** A real key hierarchy in small: KEKs by number, the current one switchable. */
export function createTestKeys() {
  const root = randomBytes(32);
  let current = 1;
  const kek = (id: string) => ({ id, key: crypto.hkdf(root, new Uint8Array(0), Buffer.from(id), 32) });
  const ended = new Set<string>();
  const must = (dek: Uint8Array | undefined): Uint8Array => {
    if (dek === undefined) throw new Error('does not unwrap');
    return dek;
  };
  const keys: StoreDeps['keys'] & { rotate(): void; current(): string; destroyed(): readonly string[] } = {
    current: () => `kek/${current}`,
    destroyed: () => [...ended],
    derive: (purpose) => crypto.hkdf(root, new Uint8Array(0), Buffer.from(purpose), 32),
    pending: () => undefined,
    newDek(of) {
      const dek = randomBytes(32);
      return {
        dek: Uint8Array.from(dek),
        wrapped: wrapDek(crypto, kek(`kek/${current}`), { dek, context: of, nonce: randomBytes(12) }),
      };
    },
    unwrapDek: (wrapped, of) =>
      ended.has(wrapped.kekId)
        ? must(undefined)
        : must(unwrapDek(crypto, kek(wrapped.kekId), { wrapped, context: of })),
    rewrapDek: (wrapped, of) =>
      wrapped.kekId === `kek/${current}`
        ? wrapped
        : wrapDek(crypto, kek(`kek/${current}`), {
            dek: keys.unwrapDek(wrapped, of),
            context: of,
            nonce: randomBytes(12),
          }),
    rotate() {
      current += 1;
    },
    async retire(olderThan) {
      const destroyed = [];
      for (let id = 1; id < Number(olderThan.slice(4)); id++) if (!ended.has(`kek/${id}`)) destroyed.push(`kek/${id}`);
      for (const id of destroyed) ended.add(id);
      return { destroyed, generation: current };
    },
  };
  return keys;
}

export interface TestAudit {
  readonly events: StoreAuditEvent[];
  append(event: StoreAuditEvent): Promise<{ index: number }>;
  /** The next append of this type rejects. */
  failNext: string | undefined;
  records(from: number): AsyncGenerator<EvidenceEvent>;
  latest(): Promise<FileGenerations>;
}

export function createTestAudit(): TestAudit {
  const events: StoreAuditEvent[] = [];
  return {
    events,
    failNext: undefined,
    async append(event) {
      if (this.failNext === event.type) {
        this.failNext = undefined;
        throw new NectarError('AUDIT_NOT_WRITABLE', { reason: 'not writable' });
      }
      events.push(event);
      return { index: events.length - 1 };
    },
    async latest() {
      const stated = events.map(({ detail }) => detail?.indexGeneration).filter((value) => typeof value === 'number');
      return { size: events.length, ...(stated.length === 0 ? {} : { index: Math.max(...stated) }) };
    },
    async *records(from) {
      for (const [index, event] of events.entries()) {
        const { type, outcome, recordId, version, detail } = event;
        const cid = detail?.cid;
        const destroyedAt = detail?.destroyedAt;
        if (index < from || !type.startsWith('record.')) continue;
        yield {
          index,
          type,
          outcome,
          ...(recordId === undefined ? {} : { recordId }),
          ...(version === undefined ? {} : { version }),
          ...(typeof cid === 'string' ? { cid } : {}),
          ...(typeof destroyedAt === 'string' ? { destroyedAt } : {}),
        };
      }
    },
  };
}

const signer = generateKeyPairSync('ed25519');
export const signerPublicKey = signer.publicKey;

export interface Fixture {
  readonly home: string;
  readonly store: Store;
  readonly audit: TestAudit;
  readonly keys: ReturnType<typeof createTestKeys>;
  /** Stops (unless `crash`) and starts another store on the same home. */
  restart(): Promise<Store>;
  /** Another store on the same home and log, as after an exchange of files while it was down. */
  start(): Promise<Store>;
  close(): Promise<void>;
  /** Puts its clock forward. */
  pass(milliseconds: number): void;
}

export interface FixtureOptions extends Partial<StoreOptions> {
  readonly replicas_?: StoreDeps['replicas'];
  readonly coding?: NonNullable<StoreDeps['coding']>;
  readonly keys?: ReturnType<typeof createTestKeys>;
  readonly audit?: TestAudit;
  readonly settleIndex?: () => Promise<void>;
}

export async function createFixture(overrides: FixtureOptions = {}): Promise<Fixture> {
  const home = overrides.home ?? (await mkdtemp(join(tmpdir(), 'nectar-store-')));
  const keys = overrides.keys ?? createTestKeys();
  const audit = overrides.audit ?? createTestAudit();
  let clock = Date.UTC(2026, 0, 1);
  const { replicas_, coding, keys: _, audit: __, settleIndex, ...options } = overrides;
  const make = (): Store =>
    createStore(
      {
        maxRecordBytes: 1024 ** 4,
        inlineMaxBytes: 64 * 1024,
        minFreeBytes: 0,
        replicas: 1,
        maxPartialUploads: 16,
        maxPartialUploadsPerOwner: 8,
        partialUploadTtlMs: 3_600_000,
        holderLateMs: 3_600_000,
        holderLostMs: 86_400_000,
        releaseMaxAgeMs: 365 * 86_400_000,
        heldGraceMs: 30 * 86_400_000,
        heldPartialMs: 3_600_000,
        heldMaxPercent: 100,
        ownReserveBytes: 0,
        heldMaxBytes: 4 * 1024 * 1024,
        heldPerOwnerMaxBytes: 2 * 1024 * 1024,
        nodeId: NODE_ID,
        ...options,
        home,
      },
      {
        crypto,
        keys,
        audit,
        evidence: audit,
        ...(replicas_ === undefined ? {} : { replicas: replicas_ }),
        ...(coding === undefined ? {} : { coding }),
        ...(settleIndex === undefined ? {} : { settleIndex }),
        signer: { sign: (bytes) => sign(null, bytes, signer.privateKey) },
        log: createLogger({ level: 'silent' }),
        metrics: createMetrics(),
        now() {
          clock += 1000;
          return new Date(clock);
        },
        randomBytes: (n) => randomBytes(n),
      },
    );
  let store = make();
  await store.start(signal);
  return {
    home,
    get store() {
      return store;
    },
    audit,
    keys,
    pass(milliseconds) {
      clock += milliseconds;
    },
    async restart() {
      await store.stop();
      store = make();
      await store.start(signal);
      return store;
    },
    async start() {
      store = make();
      await store.start(signal);
      return store;
    },
    async close() {
      await store.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export async function* streamOf(bytes: Uint8Array, chunk = 60_000): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += chunk) yield bytes.subarray(offset, offset + chunk);
}

export async function put(
  store: Store,
  bytes: Uint8Array,
  more: { recordId?: RecordId; labels?: string[]; name?: string } = {},
) {
  return store.put({ contentType: 'application/octet-stream', labels: [], ...more }, streamOf(bytes), context, signal);
}

export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

export async function get(store: Store, id: RecordId, options: Parameters<Store['open']>[1] = {}): Promise<Buffer> {
  return readAll((await store.open(id, options, context, signal)).body);
}
