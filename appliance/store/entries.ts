/** The values of the index: JSON, sealed. Trusted once opened: only this node writes under its key. */
import type { Cid, PeerIdText, RecordId } from '../../protocol/brand.ts';
import type { DestructionReceipt } from '../../protocol/envelope/destruction-receipt.ts';
import type { WrappedDek } from '../../protocol/envelope/wrapped-dek.ts';
import type { ContentDigests, RecordMeta } from './interfaces.ts';
import type { AccessContext } from './needs.ts';
import type { RekeyState } from './rekey-state.ts';

/** One per record. */
export interface HeadEntry {
  readonly v: 1;
  readonly recordId: RecordId;
  /** Order of creation: the place in listings. */
  readonly seq: number;
  readonly latest: number;
  readonly labels: readonly string[];
  /** Present on a tombstone: the keys of all versions are destroyed. */
  readonly shredded?: DestructionReceipt;
}

/** One per record version. */
export interface VersionEntry {
  readonly v: 1;
  readonly recordId: RecordId;
  readonly version: number;
  readonly root: Cid;
  /** Of plaintext. */
  readonly bytes: number;
  /** The blob's 40-byte header, base64: a range read needs no first block. */
  readonly header: string;
  readonly inline: boolean;
  readonly contentType: string;
  readonly labels: readonly string[];
  readonly name?: string;
  readonly createdAt: string;
  readonly auditLeaf: number;
  /** `since`: the KEK that was current when the data key was made; not known of those that early versions made. */
  readonly dek: { readonly kekId: string; readonly sealed: string; readonly since?: string };
  /** Of the commitment that is anchored, base64. */
  readonly salt: string;
  readonly holders: readonly PeerIdText[];
  readonly former?: readonly FormerHolder[];
  readonly anchor?: { readonly root: string; readonly batchId: string };
  readonly digests?: ContentDigests;
  /** Sealed anew under another data key: the leaf that says so, and the CID that the version's own leaf names. */
  readonly rekeyed?: { readonly leaf: number; readonly cid: Cid };
}

/** It said that it holds the blob, and counts no more. It may have it all the same: it is read from for a time, and told of the deletion. */
export interface FormerHolder {
  readonly holder: PeerIdText;
  /** `false`: it answered with other bytes; `absent`: that it has no such block. The others hold for all that it has. */
  readonly why: 'false' | 'absent' | 'lost' | 'out' | 'distrusted';
  /** ISO 8601. */
  readonly since: string;
}

/** Ciphertext that was replaced: it goes once nobody reads it, and its holders are told then. */
export interface SupersededEntry {
  readonly root: Cid;
  readonly inline: boolean;
  readonly holders: readonly PeerIdText[];
}

/** The rekey that runs, or the last one. */
export interface RekeyEntry {
  readonly v: 1;
  /** The KEK that was made for it: what an older one was current for is sealed anew. */
  readonly target: string;
  readonly state: RekeyState['state'];
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly load: number;
  readonly actor: AccessContext['actor'];
  readonly total: number;
  readonly failed: number;
  /** Why it stopped. */
  readonly reason?: string;
}

/** Blocks under a root that belong to no version (yet, or any more). */
export interface GarbageEntry {
  readonly root: Cid;
}

/** A deletion that has begun: a start that finds one finishes it. */
export interface IntentEntry {
  readonly recordId: RecordId;
  readonly since: string;
}

/** The newest version of a record that the log tells of, and an index that was put back does not have. */
export interface LostEntry {
  readonly recordId: RecordId;
  readonly version: number;
  readonly auditLeaf: number;
}

/** A restore that was declared by whoever had the keys; the first start after it uses it up. */
export interface RestoredEntry {
  readonly v: 1;
  /** Of the index that it was written into: an older one is not what was restored. */
  readonly generation: number;
  /** Of the restored log: the declaration explains none behind them. */
  readonly leaves: number;
  /** Versions of leaves below this one were let go on purpose (a snapshot of an earlier moment): none of them is lost. */
  readonly known: number;
  readonly backupCreatedAt: string;
  readonly manifestSha256: string;
}

/** A destroyed record whose bytes are still to leave the files; with them go entries for those who hold a copy (ReleaseEntry). */
export interface ErasureEntry {
  readonly recordId: RecordId;
  readonly since: string;
  readonly blobs: readonly { readonly root: Cid; readonly inline: boolean; readonly holders: readonly PeerIdText[] }[];
}

/** A block of another owner. */
export interface HeldEntry {
  /** The first root that named it. */
  readonly root: Cid;
  /** All of them; absent in entries of earlier versions. */
  readonly roots?: readonly Cid[];
  readonly cid: Cid;
  readonly bytes: number;
}

/** What is held for one owner. */
export interface HeldOwnerEntry {
  readonly bytes: number;
  /** Absent in entries of earlier versions, until the owner is heard again. */
  readonly owner?: PeerIdText;
  /** ISO 8601; since when the registry does not admit it. */
  readonly outSince?: string;
}

/** What an operator said that this node takes of other owners. */
export interface OfferEntry {
  readonly bytes: number;
  /** ISO 8601. */
  readonly since: string;
}

/** A blob of another owner of which not all blocks have been seen here. */
export interface HeldPartialEntry {
  readonly owner: PeerIdText;
  readonly root: Cid;
}

/** A holder that is still to take away a blob which was destroyed or replaced here. */
export interface ReleaseEntry {
  readonly holder: PeerIdText;
  readonly root: Cid;
  /** ISO 8601. */
  readonly since: string;
}

export interface RefEntry {
  readonly recordId: RecordId;
  readonly version: number;
}

export interface ListingEntry {
  readonly recordId: RecordId;
}

export interface StatsEntry {
  readonly records: number;
  readonly versions: number;
  readonly bytes: number;
  readonly heldBytes: number;
  readonly nextSeq: number;
  readonly idempotencyKeys: number;
  /** Versions whose commitment is anchored. Undefined: of an index that did not count them yet. */
  readonly anchored: number | undefined;
  /** How often the index was written: the log says which number it must have at least. */
  readonly generation: number;
  /** See trail.ts. */
  readonly settled: number;
  readonly auditLeaf: number;
  readonly leafHash: string;
}

export const NO_STATS: StatsEntry = {
  records: 0,
  versions: 0,
  bytes: 0,
  heldBytes: 0,
  nextSeq: 0,
  idempotencyKeys: 0,
  anchored: 0,
  generation: 0,
  settled: -1,
  auditLeaf: -1,
  leafHash: '',
};

/** What a commit changes; generation and marks are the index's own. */
export type StatsDelta = Partial<
  Pick<StatsEntry, 'records' | 'versions' | 'bytes' | 'heldBytes' | 'nextSeq' | 'idempotencyKeys'> & {
    readonly anchored: number;
  }
>;

/** Counts add up; nextSeq is a high-water mark. */
export function addStats(stats: StatsEntry, delta: StatsDelta): StatsEntry {
  return {
    ...stats,
    records: stats.records + (delta.records ?? 0),
    versions: stats.versions + (delta.versions ?? 0),
    bytes: stats.bytes + (delta.bytes ?? 0),
    heldBytes: stats.heldBytes + (delta.heldBytes ?? 0),
    idempotencyKeys: Math.max(0, stats.idempotencyKeys + (delta.idempotencyKeys ?? 0)),
    anchored: stats.anchored === undefined ? undefined : Math.max(0, stats.anchored + (delta.anchored ?? 0)),
    nextSeq: Math.max(stats.nextSeq, delta.nextSeq ?? 0),
  };
}

/** How many of these versions are anchored: what leaves the count with them. */
export function countAnchored(versions: readonly Pick<VersionEntry, 'anchor'>[]): number {
  return versions.filter(({ anchor }) => anchor !== undefined).length;
}

export function encodeEntry(entry: object): Uint8Array {
  return Buffer.from(JSON.stringify(entry));
}

/** For values that came out of the sealed index under the key of their kind. */
export function decodeEntry<T>(value: Uint8Array): T {
  return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')) as T;
}

export function storedDek(wrapped: WrappedDek, since: string | undefined): VersionEntry['dek'] {
  const stored = { kekId: wrapped.kekId, sealed: Buffer.from(wrapped.sealed).toString('base64') };
  return since === undefined ? stored : { ...stored, since };
}

export function wrappedDek(entry: VersionEntry): WrappedDek {
  return { kekId: entry.dek.kekId, sealed: Buffer.from(entry.dek.sealed, 'base64') };
}

/** `counts`: whether a holder has answered lately. */
export function recordMeta(entry: VersionEntry, counts: (holder: PeerIdText) => boolean): RecordMeta {
  const { recordId, version, bytes, contentType, labels, createdAt } = entry;
  return {
    recordId,
    version,
    bytes,
    contentType,
    labels,
    ...(entry.name === undefined ? {} : { name: entry.name }),
    cid: entry.root,
    createdAt,
    kekId: entry.dek.kekId,
    replicas: entry.holders.filter(counts),
    anchored: entry.anchor !== undefined,
    ...(entry.digests === undefined ? {} : { digests: entry.digests }),
  };
}
