import type { Static } from 'typebox';
import { HASH_BYTES } from '../../../protocol/coding/shard-tree.ts';
import { MAX_RELEASE_ROOTS } from '../../../protocol/network/release-exchange.ts';
import { MAX_SHARD_BLOCKS, SHARD_REFUSALS } from '../../../protocol/network/shard-exchange.ts';
import { AUDIT_LEAVES, MAX_ANSWER_BYTES } from '../../../protocol/storage/audit.ts';
import { call, contract, every, found, piece, SIGNAL, STREAM } from '../contract.ts';
import {
  bytes,
  cid,
  count,
  done,
  either,
  exact,
  exactly,
  flag,
  list,
  number,
  oneOf,
  optional,
  peerId,
  recordId,
  text,
} from '../shape.ts';

/** One segment, sealed; the store refuses larger ones too. */
const MAX_BLOCK_BYTES = 1024 * 1024;
/** Database key, operator key, network identity: 32 bytes each. */
export const SECRET_BYTES = 32;
const MAX_BLOBS_BYTES = 64 * 1024 * 1024;
const MAX_BLOCKS = 1_000_000;
const MAX_ITEMS = 10_000;
/** An owner's blocks go one after the other. */
const TIDY_TIMEOUT_MS = 3_600_000;

const holders = list(peerId, 1024);
/** A repair reads shards of holders that may be slow before it says what to bring. */
const SHARD_TIMEOUT_MS = 600_000;
const shardBlocks = list(cid, MAX_SHARD_BLOCKS);
const leaves = list(exact({ id: cid, leaf: count }), AUDIT_LEAVES);
const shardAnswer = either(
  exact({ type: exactly('offer'), freeBytes: count }),
  exact({ type: exactly('taken') }),
  exact({ type: exactly('proofs'), answer: bytes(MAX_ANSWER_BYTES) }),
  exact({ type: exactly('refused'), reason: oneOf(...SHARD_REFUSALS), question: optional(count) }),
);

const versionRef = { recordId, version: count };

/** What the store lacks, for the rollup role to fetch, since the store reaches nobody. */
const want = exact({ id: count, kind: oneOf('fetch', 'cancel'), root: cid, cid, holders });
export type Want = Static<typeof want>;

/** What the rollup role may ask of the store: ciphertext, commitments, and its own three secrets. */
export const blocks = contract('blocks', {
  get: call({ args: [cid], returns: found(MAX_BLOCK_BYTES) }),
  underReplicated: call({
    args: [number],
    returns: list(
      exact({ root: cid, blocks: list(cid, MAX_BLOCKS), holders, former: holders, barred: holders }),
      MAX_ITEMS,
    ),
    maxOutputBytes: MAX_BLOBS_BYTES,
  }),
  markReplicated: call({ args: [cid, peerId], returns: done }),
  holderQuestions: call({ args: [number], returns: list(exact({ holder: peerId, root: cid, cid }), MAX_ITEMS) }),
  holderAnswered: call({
    args: [
      exact({
        holder: peerId,
        root: cid,
        cid,
        outcome: oneOf('proved', 'absent', 'false', 'silent', 'out'),
        sha256: optional(text(64)),
      }),
    ],
    returns: done,
  }),
  pendingReleases: call({
    args: [number],
    returns: list(exact({ holder: peerId, roots: list(cid, MAX_RELEASE_ROOTS) }), MAX_ITEMS),
    maxOutputBytes: MAX_BLOBS_BYTES,
  }),
  released: call({
    args: [
      exact({
        holder: peerId,
        roots: list(cid, MAX_RELEASE_ROOTS),
        receipt: exact({ nonce: text(64), epoch: count, bytes: count, signature: text(88) }),
      }),
    ],
    returns: done,
  }),
  shardHolders: call({ args: [], returns: list(peerId, MAX_ITEMS) }),
  shardWork: call({
    args: [
      exact({
        offers: list(exact({ holder: peerId, site: text(256), system: count, freeBytes: count }), MAX_ITEMS),
        silent: list(peerId, MAX_ITEMS),
        out: list(peerId, MAX_ITEMS),
      }),
    ],
    returns: list(
      exact({ holder: peerId, id: cid, root: bytes(HASH_BYTES), bytes: count, blocks: shardBlocks }),
      MAX_ITEMS,
    ),
    maxInputBytes: MAX_BLOBS_BYTES,
    maxOutputBytes: MAX_BLOBS_BYTES,
    timeoutMs: SHARD_TIMEOUT_MS,
  }),
  shardBrought: call({ args: [exact({ id: cid, holder: peerId, isTaken: flag })], returns: done }),
  shardAudits: call({
    args: [],
    returns: list(exact({ holder: peerId, first: optional(cid), leaves }), MAX_ITEMS),
    maxOutputBytes: MAX_BLOBS_BYTES,
  }),
  shardAudited: call({
    args: [
      exact({
        holder: peerId,
        first: optional(cid),
        outcome: oneOf('proofs', 'absent', 'silent'),
        answer: optional(bytes(MAX_ANSWER_BYTES)),
        question: optional(count),
      }),
    ],
    returns: done,
  }),
  freeBytes: call({ args: [peerId], returns: count }),
  takeShard: call({
    args: [peerId, exact({ id: cid, root: bytes(HASH_BYTES), bytes: count, blocks: shardBlocks })],
    returns: shardAnswer,
  }),
  proveLeaves: call({ args: [peerId, leaves], returns: shardAnswer }),
  unanchored: call({
    args: [number],
    returns: list(exact({ ...versionRef, commitment: bytes(32) }), MAX_ITEMS),
    maxOutputBytes: MAX_BLOBS_BYTES,
  }),
  markAnchored: call({
    args: [
      list(exact({ ...versionRef, commitment: bytes(32) }), MAX_ITEMS),
      exact({ root: text(128), batchId: text(128) }),
    ],
    returns: done,
    maxInputBytes: MAX_BLOBS_BYTES,
  }),
  hold: call({ args: [peerId, cid, cid, piece(MAX_BLOCK_BYTES)], returns: done }),
  getHeld: call({ args: [peerId, cid], returns: found(MAX_BLOCK_BYTES) }),
  release: call({ args: [peerId, cid, optional(list(cid, 1024))], returns: count }),
  heldOwners: call({ args: [], returns: list(peerId, MAX_ITEMS) }),
  owes: call({ args: [peerId], returns: flag }),
  tidyHeld: call({
    args: [list(exact({ owner: peerId, isMember: flag }), MAX_ITEMS)],
    returns: done,
    maxInputBytes: MAX_BLOBS_BYTES,
    timeoutMs: TIDY_TIMEOUT_MS,
  }),
  /** Waits until the node is unlocked. */
  secrets: call({ args: [SIGNAL], returns: STREAM }),
  wanted: call({ args: [every(want), SIGNAL], returns: done }),
  /** The answer to a wanted block; `found: false` has no bytes. */
  handIn: call({ args: [count, flag, piece(MAX_BLOCK_BYTES)], returns: done }),
});
