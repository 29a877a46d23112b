import type { Static } from 'typebox';
import { BODY, call, contract, newest, OPTIONAL_SIGNAL, opened, SIGNAL, STREAM, TIMEOUT } from '../contract.ts';
import {
  accessContext,
  cid,
  count,
  counts,
  done,
  either,
  exact,
  exactly,
  flag,
  list,
  nullable,
  number,
  oneOf,
  optional,
  peerId,
  recordId,
  text,
} from '../shape.ts';
import { serviceStates } from '../state.ts';

const SHRED_TIMEOUT_MS = 600_000;
/** A thousand records, each with 32 labels and a name. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024;
const MAX_REPORT_BYTES = 16 * 1024 * 1024;
const MAX_VERSIONS = 1_000_000;
/** Records in one question whether they are there. */
const MAX_ASKED = 1_000;

const labels = list(text(512), 256);
const version = optional(number);
const tags = optional(either(oneOf('any'), list(text(256), 256)));
const expected = exact({ match: tags, noneMatch: tags });
const digests = exact({ 'sha-256': optional(text(64)), 'sha-512': optional(text(128)) });
const meta = exact({
  recordId,
  version: count,
  bytes: count,
  contentType: text(1024),
  labels,
  name: optional(text(4096)),
  cid,
  createdAt: text(64),
  kekId: text(64),
  replicas: list(peerId, 1024),
  anchored: flag,
  digests: optional(digests),
});

const rekeyState = exact({
  state: oneOf('running', 'paused', 'failed', 'incomplete', 'done'),
  target: text(64),
  startedAt: text(64),
  endedAt: optional(text(64)),
  load: count,
  total: count,
  done: count,
  failed: count,
  bytes: count,
  reason: optional(text(64)),
});

const offer = exact({ bytes: count, heldBytes: count, from: oneOf('configuration', 'command') });

/** Of a record of a TiB, at 8 MiB a segment. */
const MAX_SEGMENTS = 131_072;
const shardCondition = exact({
  ...{ holders: count, storageClass: optional(text(32)) },
  ...{ segments: count, durable: count, waiting: count, repairs: count },
  ...{ leastMargin: optional(number), margins: counts, unprovedMs: optional(count) },
  standings: list(
    exact({ holder: peerId, score: number, passed: count, isSuspended: flag, provedAt: optional(text(64)) }),
    64,
  ),
});

const condition = exact({
  index: exact({
    state: oneOf('fresh', 'behind', 'ahead'),
    since: optional(text(64)),
    generation: optional(count),
    logged: optional(count),
    missing: optional(count),
    unknown: optional(count),
    leaf: optional(count),
    size: optional(count),
  }),
  restored: optional(exact({ backupCreatedAt: text(64), missing: count })),
  cutOff: optional(count),
  pendingErasures: count,
  damaged: count,
  holders: list(
    exact({
      holder: peerId,
      state: oneOf('good', 'late', 'lost', 'out', 'distrusted'),
      provedAt: optional(text(64)),
      faults: count,
    }),
    64,
  ),
  releases: exact({ pending: count, oldestMs: optional(count) }),
  offer,
  shards: shardCondition,
  unreadable: optional(exact({ versions: count, at: text(64) })),
  rekey: optional(rekeyState),
});

const recordShards = exact({
  recordId,
  version: count,
  segments: list(
    exact({ number: count, storageClass: text(32), bytes: count, shards: count, placed: count, margin: number }),
    MAX_SEGMENTS,
  ),
});

const storeState = exact({
  services: serviceStates,
  locked: flag,
  records: nullable(count),
  anchored: nullable(count),
  condition: nullable(condition),
});
export type StoreState = Static<typeof storeState>;

const idempotency = exact({ key: text(1024), facts: list(text(8192), 512), ttlMs: count, maxKeys: count });
const putInput = exact({
  recordId: optional(recordId),
  contentType: text(1024),
  labels,
  name: optional(text(4096)),
  expected: optional(expected),
  digests: optional(digests),
  idempotency: optional(idempotency),
});
const putReceipt = exact({
  recordId,
  version: count,
  cid,
  bytes: count,
  auditLeaf: count,
  replayed: optional(exactly(true)),
});
const openOptions = exact({ version, range: optional(exact({ start: number, end: optional(number) })) });
const tinkOptions = exact({ part: oneOf('blob', 'keyset'), version });
const ofVersion = exact({ version });
const presence = exact({
  recordId,
  state: oneOf('present', 'absent', 'destroyed', 'lost', 'damaged'),
  version,
});
const listQuery = exact({
  label: optional(text(1024)),
  order: optional(oneOf('oldest', 'newest')),
  limit: number,
  cursor: optional(text(4096)),
});
const page = exact({ records: list(meta, 10_000), cursor: optional(text(4096)), damaged: optional(count) });
const destructionReceipt = exact({
  type: exactly('nectar/destruction-receipt/1'),
  nodeId: text(64),
  recordId,
  versions: list(exact({ version: count, cid }), MAX_VERSIONS),
  destroyedAt: text(64),
  auditLeaf: count,
  signature: text(256),
});
const progress = newest(exact({ versions: count, total: count }));
const fsckReport = exact({
  records: count,
  versions: count,
  rebuilt: count,
  removed: count,
  lostVersions: count,
  lost: list(exact({ recordId: optional(recordId), version: optional(count) }), 10_000),
  accepted: flag,
});
const finding = exact({
  code: text(64),
  recordId: optional(recordId),
  version: optional(count),
  cid: optional(cid),
  auditLeaf: optional(count),
});
const scrubReport = exact({
  entries: count,
  records: count,
  versions: count,
  blocks: count,
  bytes: count,
  restored: count,
  evidenceLeaves: optional(count),
  findings: list(finding, MAX_VERSIONS),
});

/** What the gateway may ask of the store. */
export const store = contract('store', {
  state: call({ args: [TIMEOUT], returns: storeState }),
  put: call({ args: [putInput, BODY, accessContext, SIGNAL], returns: putReceipt, freesPieces: true }),
  open: call({
    args: [recordId, openOptions, accessContext, SIGNAL],
    returns: opened(exact({ meta, start: count, end: count, auditLeaf: count })),
    freesPieces: true,
  }),
  head: call({ args: [recordId, ofVersion, accessContext], returns: meta }),
  present: call({ args: [list(recordId, MAX_ASKED), accessContext], returns: list(presence, MAX_ASKED) }),
  list: call({ args: [listQuery, accessContext], returns: page, maxOutputBytes: MAX_PAGE_BYTES }),
  shred: call({
    args: [recordId, accessContext, optional(expected)],
    returns: destructionReceipt,
    maxOutputBytes: MAX_REPORT_BYTES,
    timeoutMs: SHRED_TIMEOUT_MS,
  }),
  rewrap: call({ args: [newest(count), accessContext], returns: exact({ rewrapped: count }) }),
  rekey: call({ args: [exact({ target: optional(text(64)), load: count }), accessContext], returns: rekeyState }),
  pauseRekey: call({ args: [accessContext], returns: rekeyState }),
  keepReplaced: call({ args: [count], returns: done }),
  changeOffer: call({ args: [count, accessContext], returns: offer }),
  exportCar: call({ args: [recordId, ofVersion, accessContext], returns: STREAM }),
  exportTink: call({
    args: [recordId, tinkOptions, accessContext, SIGNAL],
    returns: opened(exact({ recordId, version: count, blobBytes: count, associatedData: text(128), auditLeaf: count })),
    freesPieces: true,
  }),
  fsck: call({
    args: [exact({ accept: flag, context: accessContext }), progress, OPTIONAL_SIGNAL],
    returns: fsckReport,
    maxOutputBytes: MAX_REPORT_BYTES,
  }),
  adopt: call({
    args: [BODY, accessContext, SIGNAL],
    returns: exact({ offered: count, adopted: count, refused: count, wanted: list(text(128), MAX_VERSIONS) }),
    maxOutputBytes: MAX_REPORT_BYTES,
  }),
  shardsOf: call({ args: [recordId], returns: recordShards, maxOutputBytes: MAX_REPORT_BYTES }),
  drill: call({
    args: [exact({ recordId, segment: count }), SIGNAL],
    returns: exact({ recordId, version: count, segment: count, bytes: count, blocks: count }),
  }),
  repairShards: call({ args: [exact({ awayFrom: optional(peerId) })], returns: shardCondition }),
  scrub: call({ args: [progress, OPTIONAL_SIGNAL], returns: scrubReport, maxOutputBytes: MAX_REPORT_BYTES }),
});

const uploadState = exact({
  id: text(64),
  offset: count,
  bytes: count,
  expiresAt: text(64),
  receipt: optional(putReceipt),
});
/** Asking for the state of an upload may wait for it to become a record. */
const COMPLETION_TIMEOUT_MS = 3_600_000;

/** Uploads in several requests. */
export const uploads = contract('uploads', {
  begin: call({
    args: [exact({ input: putInput, bytes: count }), accessContext],
    returns: uploadState,
    timeoutMs: COMPLETION_TIMEOUT_MS,
  }),
  append: call({
    args: [text(64), count, BODY, accessContext, SIGNAL],
    returns: uploadState,
    freesPieces: true,
  }),
  state: call({ args: [text(64), accessContext], returns: uploadState, timeoutMs: COMPLETION_TIMEOUT_MS }),
  discard: call({ args: [text(64), accessContext], returns: done, timeoutMs: COMPLETION_TIMEOUT_MS }),
});
