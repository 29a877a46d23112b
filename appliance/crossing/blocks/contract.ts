import type { Cid, PeerIdText } from '../../../protocol/brand.ts';
import type { Store, VersionRef } from '../../store/index.ts';
import { download, feed, unary, upload } from '../method.ts';
import {
  bytes,
  cid,
  count,
  exact,
  flag,
  list,
  nothing,
  number,
  oneOf,
  peerId,
  recordId,
  shape,
  text,
} from '../shape.ts';

/** One segment, sealed; the store refuses larger ones too. */
export const MAX_BLOCK_BYTES = 1024 * 1024;
/** Database key, operator key, network identity: 32 bytes each. */
export const SECRET_BYTES = 32;
const MAX_BLOBS_BYTES = 64 * 1024 * 1024;
const MAX_BLOCKS = 1_000_000;
const MAX_ITEMS = 10_000;

type Unanchored = Awaited<ReturnType<Store['unanchored']>>;
type UnderReplicated = Awaited<ReturnType<Store['underReplicated']>>;

/** What the store lacks or wants to be let go of, for the rollup role to do, since the store reaches nobody. */
export interface Want {
  readonly id: number;
  readonly kind: 'fetch' | 'release' | 'cancel';
  readonly root: Cid;
  readonly cid: Cid;
  readonly holders: PeerIdText[];
}

const holders = list(peerId, 1024);
const versionRef = { recordId, version: count };

export const getBlock = download<{ cid: Cid }, { found: boolean }>({
  name: 'get-block',
  input: shape(exact({ cid })),
  head: shape(exact({ found: flag })),
});

export const underReplicated = unary<{ limit: number }, UnderReplicated>({
  name: 'under-replicated',
  input: shape(exact({ limit: number })),
  output: shape(list(exact({ root: cid, blocks: list(cid, MAX_BLOCKS), holders }), MAX_ITEMS)),
  maxOutputBytes: MAX_BLOBS_BYTES,
});

export const markReplicated = unary<{ root: Cid; holder: PeerIdText }, null>({
  name: 'mark-replicated',
  input: shape(exact({ root: cid, holder: peerId })),
  output: shape(nothing),
});

export const unanchored = unary<{ limit: number }, Unanchored>({
  name: 'unanchored',
  input: shape(exact({ limit: number })),
  output: shape(list(exact({ ...versionRef, commitment: bytes(32) }), MAX_ITEMS)),
  maxOutputBytes: MAX_BLOBS_BYTES,
});

export const markAnchored = unary<{ items: readonly VersionRef[]; anchor: { root: string; batchId: string } }, null>({
  name: 'mark-anchored',
  input: shape(
    exact({ items: list(exact(versionRef), MAX_ITEMS), anchor: exact({ root: text(128), batchId: text(128) }) }),
  ),
  output: shape(nothing),
  maxInputBytes: MAX_BLOBS_BYTES,
});

export const holdBlock = upload<{ owner: PeerIdText; root: Cid; cid: Cid }, null>({
  name: 'hold-block',
  input: shape(exact({ owner: peerId, root: cid, cid })),
  output: shape(nothing),
});

export const getHeld = download<{ owner: PeerIdText; cid: Cid }, { found: boolean }>({
  name: 'get-held',
  input: shape(exact({ owner: peerId, cid })),
  head: shape(exact({ found: flag })),
});

export const releaseHeld = unary<{ owner: PeerIdText; root: Cid }, null>({
  name: 'release-held',
  input: shape(exact({ owner: peerId, root: cid })),
  output: shape(nothing),
});

/** Waits until the node is unlocked. */
export const secrets = download<null, null>({ name: 'secrets', input: shape(nothing), head: shape(nothing) });

export const wanted = feed<null, Want, null>({
  name: 'wanted',
  input: shape(nothing),
  item: shape(exact({ id: count, kind: oneOf('fetch', 'release', 'cancel'), root: cid, cid, holders })),
  output: shape(nothing),
});

/** The answer to a wanted block; `found: false` has no bytes. */
export const handIn = upload<{ id: number; found: boolean }, null>({
  name: 'hand-in',
  input: shape(exact({ id: count, found: flag })),
  output: shape(nothing),
});

export const released = unary<{ id: number; holders: readonly PeerIdText[] }, null>({
  name: 'released',
  input: shape(exact({ id: count, holders })),
  output: shape(nothing),
});
