import type { Cid, PeerIdText, RecordId } from '../../protocol/brand.ts';
import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import { indexSubkey, parseIndexSecret } from '../../protocol/envelope/index-secret.ts';
import { createNameMac, type NameMac } from './name-mac.ts';

/** The first byte of a database key: what kind of entry it is. */
export const KIND = {
  head: 1,
  version: 2,
  listing: 3,
  inlineBlock: 4,
  root: 5,
  garbage: 6,
  intent: 7,
  unanchored: 8,
  underReplicated: 9,
  heldBlock: 10,
  heldRoot: 11,
  heldOwner: 12,
  stats: 13,
  condition: 14,
  lost: 15,
  erasure: 16,
  idempotency: 17,
  idempotencyAge: 18,
  restored: 19,
  rekey: 20,
  superseded: 21,
  holder: 22,
  scrubbed: 23,
  release: 24,
  heldPartial: 25,
  offer: 26,
  shardSegment: 27,
  shardPlace: 28,
  shardHolder: 29,
  sharding: 30,
  heldShard: 31,
} as const;

export type Kind = (typeof KIND)[keyof typeof KIND];

/**
 * Database keys: kind(1) | HMAC-SHA256(name)(32) [| order]. Whoever reads the disk learns how many entries of each kind
 * there are, which versions belong to one record, how many records share a label and the order of their creation (LevelDB
 * itself shows that): no id, no label, no name.
 */
export interface IndexKeys {
  /** Seals the values. */
  readonly valueKey: Uint8Array;
  readonly cursorKey: Uint8Array;
  head(id: RecordId): Uint8Array;
  version(id: RecordId, version: number): Uint8Array;
  /** [gte, lt) of a record's versions. */
  versions(id: RecordId): { gte: Uint8Array; lt: Uint8Array };
  listing(label: string | undefined, seq: number): Uint8Array;
  listings(label: string | undefined): { gte: Uint8Array; lt: Uint8Array };
  ofVersion(kind: typeof KIND.unanchored | typeof KIND.underReplicated, id: RecordId, version: number): Uint8Array;
  ofCid(
    kind: typeof KIND.inlineBlock | typeof KIND.root | typeof KIND.garbage | typeof KIND.superseded,
    cid: Cid,
  ): Uint8Array;
  intent(id: RecordId): Uint8Array;
  lost(id: RecordId): Uint8Array;
  erasure(id: RecordId): Uint8Array;
  /** By the caller's key; and by its age, the oldest first. */
  idempotency(key: string): Uint8Array;
  idempotencyAge(expiresAt: number, key: string): Uint8Array;
  heldBlock(owner: PeerIdText, cid: Cid): Uint8Array;
  heldRoot(owner: PeerIdText, root: Cid, cid: Cid): Uint8Array;
  heldRoots(owner: PeerIdText, root: Cid): { gte: Uint8Array; lt: Uint8Array };
  heldOwner(owner: PeerIdText): Uint8Array;
  heldPartial(owner: PeerIdText, root: Cid): Uint8Array;
  holder(peerId: PeerIdText): Uint8Array;
  /** What a holder is still to take away, the oldest first; `since` in milliseconds. */
  release(holder: PeerIdText, since: number, root: Cid): Uint8Array;
  releases(holder: PeerIdText): { gte: Uint8Array; lt: Uint8Array };
  /** The folder of an owner's held blocks: says nothing about who it is. */
  heldFolder(owner: PeerIdText): string;
  readonly stats: Uint8Array;
  readonly condition: Uint8Array;
  readonly restored: Uint8Array;
  readonly rekey: Uint8Array;
  readonly scrubbed: Uint8Array;
  readonly offer: Uint8Array;
  /** A segment of a blob, by its number; all of a blob. */
  shardSegment(root: Cid, number: number): Uint8Array;
  shardSegments(root: Cid): { gte: Uint8Array; lt: Uint8Array };
  /** Where a shard belongs, by its random id. */
  shardPlace(shard: Cid): Uint8Array;
  shardHolder(peerId: PeerIdText): Uint8Array;
  readonly sharding: Uint8Array;
  heldShard(owner: PeerIdText, shard: Cid): Uint8Array;
}

/** Names of records kept at a time. */
const MAX_NAMES = 256;

/** [gte, lt) of all entries of a kind. */
export function kindRange(kind: Kind): { gte: Uint8Array; lt: Uint8Array } {
  return { gte: Uint8Array.of(kind), lt: Uint8Array.of(kind + 1) };
}

/** The place that the key of a listing entry ends in. */
export function listingSeq(key: Uint8Array): number {
  return Number(new DataView(key.buffer, key.byteOffset, key.byteLength).getBigUint64(key.length - 8));
}

export function createIndexKeys(crypto: EnvelopeCrypto, indexSecret: Uint8Array): IndexKeys {
  const secret = parseIndexSecret(crypto, indexSecret);
  const [innermost, ...links] = secret.names.map(createNameMac);
  if (innermost === undefined) throw new RangeError('a secret of an index has a key of names');
  const first: NameMac = innermost;
  /** Parts are joined by a byte that occurs in no id, CID or label. Names are Latin-1 text, a byte a character. */
  const mac = (...parts: string[]): string => linked(links, first(parts.join('\0')));
  const allName = mac('list-all');
  const listName = (label: string | undefined): string => (label === undefined ? allName : mac('list', label));
  /** A change of a record asks for its name several times in a row, and a listing twice for each of a batch. */
  const names = new Map<RecordId, string>();
  const recordName = (id: RecordId): string => {
    const known = names.get(id);
    if (known !== undefined) return known;
    if (names.size >= MAX_NAMES) names.clear();
    const name = mac('record', id);
    names.set(id, name);
    return name;
  };
  const prefixRange = (prefix: Uint8Array): { gte: Uint8Array; lt: Uint8Array } => ({
    gte: prefix,
    lt: Buffer.concat([prefix, AFTER]),
  });

  return {
    valueKey: indexSubkey(crypto, secret.key, 'values'),
    cursorKey: indexSubkey(crypto, secret.key, 'cursors'),
    head: (id) => key(KIND.head, recordName(id)),
    version: (id, version) => key(KIND.version, recordName(id), uint32(version)),
    versions: (id) => prefixRange(key(KIND.version, recordName(id))),
    listing: (label, seq) => key(KIND.listing, listName(label), uint64(seq)),
    listings: (label) => prefixRange(key(KIND.listing, listName(label))),
    ofVersion: (kind, id, version) => key(kind, mac(`kind-${kind}`, id, String(version))),
    ofCid: (kind, cid) => key(kind, mac(`kind-${kind}`, cid)),
    intent: (id) => key(KIND.intent, mac('intent', id)),
    heldBlock: (owner, cid) => key(KIND.heldBlock, mac('held-block', owner, cid)),
    heldRoot: (owner, root, cid) => key(KIND.heldRoot, mac('held-root', owner, root) + mac('held-block', owner, cid)),
    heldRoots: (owner, root) => prefixRange(key(KIND.heldRoot, mac('held-root', owner, root))),
    holder: (peerId) => key(KIND.holder, mac('holder', peerId)),
    release: (holder, since, root) =>
      key(KIND.release, mac('release-holder', holder), uint64(since) + mac('release', root)),
    releases: (holder) => prefixRange(key(KIND.release, mac('release-holder', holder))),
    heldOwner: (owner) => key(KIND.heldOwner, mac('held-owner', owner)),
    heldPartial: (owner, root) => key(KIND.heldPartial, mac('held-partial', owner, root)),
    // By the first key for ever: folders keep their names when the index gets another secret.
    heldFolder: (owner) => Buffer.from(first(`held-folder\0${owner}`), 'latin1').toString('hex', 0, 16),
    lost: (id) => key(KIND.lost, mac('lost', id)),
    erasure: (id) => key(KIND.erasure, mac('erasure', id)),
    idempotency: (name) => key(KIND.idempotency, mac('idempotency', name)),
    idempotencyAge: (expiresAt, name) => key(KIND.idempotencyAge, uint64(expiresAt) + mac('idempotency', name)),
    stats: Uint8Array.of(KIND.stats),
    condition: Uint8Array.of(KIND.condition),
    restored: Uint8Array.of(KIND.restored),
    rekey: Uint8Array.of(KIND.rekey),
    scrubbed: Uint8Array.of(KIND.scrubbed),
    offer: Uint8Array.of(KIND.offer),
    shardSegment: (root, number) => key(KIND.shardSegment, mac('shard-segments', root), uint32(number)),
    shardSegments: (root) => prefixRange(key(KIND.shardSegment, mac('shard-segments', root))),
    shardPlace: (shard) => key(KIND.shardPlace, mac('shard-place', shard)),
    shardHolder: (peerId) => key(KIND.shardHolder, mac('shard-holder', peerId)),
    sharding: Uint8Array.of(KIND.sharding),
    heldShard: (owner, shard) => key(KIND.heldShard, mac('held-shard', owner, shard)),
  };
}

function linked(links: readonly NameMac[], name: string): string {
  return links.reduce((inner, link) => link(inner), name);
}

const NAME_BYTES = 32;
/** Where names lie in a key: right behind the kind, but in these kinds. */
const NAMES_AT: Readonly<Partial<Record<Kind, readonly number[]>>> = {
  [KIND.stats]: [],
  [KIND.condition]: [],
  [KIND.restored]: [],
  [KIND.rekey]: [],
  [KIND.scrubbed]: [],
  [KIND.offer]: [],
  [KIND.sharding]: [],
  [KIND.heldRoot]: [1, 1 + NAME_BYTES],
  [KIND.idempotencyAge]: [9],
  [KIND.release]: [1, 1 + NAME_BYTES + 8],
};

/**
 * What an entry is called under another secret of the index, made by `nextIndexSecret` of the one before: kind and order stay.
 *
 * @throws RangeError for a secret that does not follow from the other, and for a key that is of no kind
 */
export function createRenaming(
  crypto: EnvelopeCrypto,
  { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array },
): (key: Uint8Array) => Uint8Array {
  const [before, after] = [from, to].map((secret) => parseIndexSecret(crypto, secret).names);
  if (before?.every((name, i) => Buffer.from(name).equals(after?.[i] ?? Buffer.alloc(0))) !== true)
    throw new RangeError('one secret of the index does not follow from the other');
  const links = (after ?? []).slice(before.length).map(createNameMac);
  return (key) => {
    const renamed = Buffer.from(key);
    for (const at of NAMES_AT[key[0] as Kind] ?? [1]) {
      if (key.length < at + NAME_BYTES) throw new RangeError('a key of the index is cut off');
      const name = renamed.toString('latin1', at, at + NAME_BYTES);
      renamed.write(linked(links, name), at, 'latin1');
    }
    return renamed;
  };
}

/** Sorts after every order that follows a prefix: orders are at most 32 bytes, or begin with a time. */
const AFTER = new Uint8Array(33).fill(0xff);

/** kind | name | order, of Latin-1 text: small buffers are parts of a common one, and cost no memory of their own. */
function key(kind: Kind, name: string, order = ''): Uint8Array {
  const bytes = Buffer.allocUnsafe(1 + name.length + order.length);
  bytes[0] = kind;
  bytes.write(name, 1, 'latin1');
  if (order !== '') bytes.write(order, 1 + name.length, 'latin1');
  return bytes;
}

/** Four bytes, big-endian, as Latin-1. */
function uint32(value: number): string {
  return String.fromCharCode((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function uint64(value: number): string {
  return uint32(Math.floor(value / 2 ** 32)) + uint32(value);
}
