import type { Cid, RecordId } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { BlobUses } from './blob-uses.ts';
import type { BlockFiles } from './block-files.ts';
import type { IndexCondition } from './condition.ts';
import type { StoreConfig } from './config.ts';
import { decodeEntry, type HeadEntry, type LostEntry, type OfferEntry, type VersionEntry } from './entries.ts';
import type { Erasures } from './erasures.ts';
import type { HashThread } from './hash-thread.ts';
import type { HolderBook } from './holder-book.ts';
import type { IndexDb } from './index-db.ts';
import type { IndexHealth } from './index-health.ts';
import { type IndexKeys, KIND } from './index-keys.ts';
import type { StoreCondition } from './interfaces.ts';
import type { StoreMetrics } from './metrics.ts';
import type { AccessContext, StoreDeps } from './needs.ts';
import type { Sharding } from './own-shards.ts';
import type { RecordLocks } from './record-locks.ts';
import type { ReleaseQueue } from './releases.ts';
import type { Superseded } from './superseded.ts';
import type { Trail } from './trail.ts';

export interface StoreOptions extends StoreConfig {
  readonly home: string;
  /** 16 bytes as 32 hex digits. */
  readonly nodeId: string;
}

/** What an open store is made of; the operations are functions over it. */
export interface StoreCore {
  readonly options: StoreOptions;
  readonly deps: StoreDeps;
  readonly metrics: StoreMetrics;
  readonly db: IndexDb;
  readonly keys: IndexKeys;
  readonly files: BlockFiles;
  readonly hashes: HashThread;
  readonly trail: Trail;
  readonly erasures: Erasures;
  readonly superseded: Superseded;
  readonly releases: ReleaseQueue;
  readonly uses: BlobUses;
  readonly holders: HolderBook;
  readonly sharding: Sharding;
  /** Undefined: as configured. */
  offer: OfferEntry | undefined;
  /** Whether the index takes writes. */
  readonly health: IndexHealth;
  /** What the start, and the log since, said of the index. */
  readonly index: {
    condition: IndexCondition;
    /** This is the first start after a restore. */
    restored?: NonNullable<StoreCondition['restored']>;
    /** Puts that the log has and the index lacks, of the moment before this start. */
    cutOff?: number;
    readonly damaged: Set<string>;
    unreadable?: NonNullable<StoreCondition['unreadable']>;
  };
  readonly locks: RecordLocks;
  readonly folders: StoreFolders;
  /** Versions being uploaded: a second writer of the same one is told at once. */
  readonly uploading: Set<string>;
  /** The next record's place in listings. */
  readonly takeSeq: () => number;
  /** Aborted at stop. */
  readonly signal: AbortSignal;
}

export interface StoreFolders {
  readonly index: string;
  readonly blocks: string;
  readonly staging: string;
  readonly held: string;
}

/** Whom the audit log names for what the store does by itself. */
export function systemContext(requestId: string): AccessContext {
  return { actor: { subject: 'system:store' }, requestId };
}

/** A random name for something staged. */
export function stagingName(core: StoreCore): string {
  return Buffer.from(core.deps.randomBytes(12)).toString('hex');
}

export async function findEntry<T>(core: StoreCore, key: Uint8Array): Promise<T | undefined> {
  const value = await core.db.get(key);
  return value === undefined ? undefined : decodeEntry<T>(value);
}

/** The head of a live record. STORE_RECORD_NOT_FOUND, STORE_RECORD_SHREDDED, STORE_INDEX_CORRUPT. */
export async function getHead(core: StoreCore, recordId: RecordId): Promise<HeadEntry> {
  if (!/^[0-9a-f]{32}$/.test(recordId)) throw new NectarError('STORE_RECORD_NOT_FOUND', { recordId });
  const head = await findEntry<HeadEntry>(core, core.keys.head(recordId));
  if (head === undefined) {
    await refuseOrphans(core, recordId);
    await refuseLost(core, recordId, 0);
    throw new NectarError('STORE_RECORD_NOT_FOUND', { recordId });
  }
  if (head.shredded !== undefined) {
    throw new NectarError('STORE_RECORD_SHREDDED', { recordId, at: head.shredded.destroyedAt });
  }
  return head;
}

export async function getVersion(core: StoreCore, recordId: RecordId, version?: number): Promise<VersionEntry> {
  const head = await getHead(core, recordId);
  if (version === undefined && core.index.condition.state === 'behind') await refuseLost(core, recordId, head.latest);
  const wanted = version ?? head.latest;
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > head.latest) {
    throw new NectarError('STORE_RECORD_NOT_FOUND', { recordId, version: wanted });
  }
  const entry = await findEntry<VersionEntry>(core, core.keys.version(recordId, wanted));
  // Versions have no gaps: one that the head counts and that is not there was removed.
  if (entry === undefined) throw new NectarError('STORE_INDEX_CORRUPT', { entry: `version ${wanted} of ${recordId}` });
  return entry;
}

/** A head that someone removed leaves its versions behind. */
async function refuseOrphans(core: StoreCore, recordId: RecordId): Promise<void> {
  for await (const _ of core.db.range({ ...core.keys.versions(recordId), limit: 1 })) {
    throw new NectarError('STORE_INDEX_CORRUPT', { entry: `head of ${recordId}` });
  }
}

/** Throws STORE_RECORD_LOST for a record, or a newest version, that the log tells of and the index does not have. */
async function refuseLost(core: StoreCore, recordId: RecordId, latest: number): Promise<void> {
  const lost = await findEntry<LostEntry>(core, core.keys.lost(recordId));
  if (lost === undefined || lost.version <= latest) return;
  const { version, auditLeaf } = lost;
  throw new NectarError('STORE_RECORD_LOST', { recordId, version, auditLeaf });
}

/** The block as stored, unchecked; undefined when it is not there. */
export async function findBlock(core: StoreCore, cid: Cid): Promise<Uint8Array | undefined> {
  return (await core.files.read(cid)) ?? (await core.db.get(core.keys.ofCid(KIND.inlineBlock, cid)));
}
