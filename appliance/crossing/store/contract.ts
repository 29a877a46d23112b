import type { RecordId } from '../../../protocol/brand.ts';
import type { DestructionReceipt } from '../../../protocol/envelope/destruction-receipt.ts';
import type {
  AccessContext,
  Expected,
  FsckReport,
  ListQuery,
  OpenedRecord,
  OpenOptions,
  PutInput,
  PutReceipt,
  RecordMeta,
  RecordPage,
  ScrubProgress,
  ScrubReport,
  StoreCondition,
} from '../../store/index.ts';
import { download, feed, unary, upload } from '../method.ts';
import {
  accessContext,
  cid,
  count,
  either,
  exact,
  flag,
  list,
  nothing,
  nullable,
  number,
  oneOf,
  optional,
  peerId,
  recordId,
  shape,
  text,
} from '../shape.ts';
import { type ServiceState, serviceStates } from '../state.ts';

const SHRED_TIMEOUT_MS = 600_000;
/** A thousand records, each with 32 labels and a name. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024;
const MAX_REPORT_BYTES = 16 * 1024 * 1024;
const MAX_VERSIONS = 1_000_000;

export interface StoreState {
  readonly services: readonly ServiceState[];
  readonly locked: boolean;
  readonly records: number | null;
  readonly condition: StoreCondition | null;
}

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
  pendingErasures: count,
  damaged: count,
});

export const state = unary<null, StoreState>({
  name: 'state',
  input: shape(nothing),
  output: shape(
    exact({ services: serviceStates, locked: flag, records: nullable(count), condition: nullable(condition) }),
  ),
});

export const put = upload<{ input: PutInput; context: AccessContext }, PutReceipt>({
  name: 'put',
  input: shape(
    exact({
      input: exact({
        recordId: optional(recordId),
        contentType: text(1024),
        labels,
        name: optional(text(4096)),
        expected: optional(expected),
        digests: optional(digests),
        idempotency: optional(exact({ key: text(1024), facts: list(text(8192), 512), ttlMs: count, maxKeys: count })),
      }),
      context: accessContext,
    }),
  ),
  output: shape(exact({ recordId, version: count, cid, bytes: count, auditLeaf: count, replayed: optional(flag) })),
});

export const open = download<
  { id: RecordId; options: OpenOptions; context: AccessContext },
  Omit<OpenedRecord, 'body'>
>({
  name: 'open',
  input: shape(
    exact({
      id: recordId,
      options: exact({ version, range: optional(exact({ start: number, end: optional(number) })) }),
      context: accessContext,
    }),
  ),
  head: shape(exact({ meta, start: count, end: count, auditLeaf: count })),
});

interface OneRecord {
  readonly id: RecordId;
  readonly options: { readonly version?: number };
  readonly context: AccessContext;
}
const oneRecord = shape<OneRecord>(exact({ id: recordId, options: exact({ version }), context: accessContext }));

export const head = unary<OneRecord, RecordMeta>({ name: 'head', input: oneRecord, output: shape(meta) });

export const listRecords = unary<{ query: ListQuery; context: AccessContext }, RecordPage>({
  name: 'list',
  input: shape(
    exact({
      query: exact({ label: optional(text(1024)), limit: number, cursor: optional(text(4096)) }),
      context: accessContext,
    }),
  ),
  output: shape(exact({ records: list(meta, 10_000), cursor: optional(text(4096)), damaged: optional(count) })),
  maxOutputBytes: MAX_PAGE_BYTES,
});

export const shred = unary<{ id: RecordId; context: AccessContext; expected?: Expected }, DestructionReceipt>({
  name: 'shred',
  input: shape(exact({ id: recordId, context: accessContext, expected: optional(expected) })),
  output: shape(
    exact({
      type: text(64),
      nodeId: text(64),
      recordId,
      versions: list(exact({ version: count, cid }), MAX_VERSIONS),
      destroyedAt: text(64),
      auditLeaf: count,
      signature: text(256),
    }),
  ),
  maxOutputBytes: MAX_REPORT_BYTES,
  timeoutMs: SHRED_TIMEOUT_MS,
});

export const rewrap = feed<{ context: AccessContext }, number, { rewrapped: number }>({
  name: 'rewrap',
  input: shape(exact({ context: accessContext })),
  item: shape(count),
  output: shape(exact({ rewrapped: count })),
});

export const exportCar = download<OneRecord, null>({ name: 'export-car', input: oneRecord, head: shape(nothing) });

export const fsck = feed<{ accept: boolean; context: AccessContext }, ScrubProgress, FsckReport>({
  name: 'fsck',
  input: shape(exact({ accept: flag, context: accessContext })),
  item: shape(exact({ versions: count, total: count })),
  output: shape(
    exact({
      records: count,
      versions: count,
      rebuilt: count,
      removed: count,
      lostVersions: count,
      lost: list(exact({ recordId: optional(recordId), version: optional(count) }), 10_000),
      accepted: flag,
    }),
  ),
  maxOutputBytes: MAX_REPORT_BYTES,
});

export const scrub = feed<null, ScrubProgress, ScrubReport>({
  name: 'scrub',
  input: shape(nothing),
  item: shape(exact({ versions: count, total: count })),
  output: shape(
    exact({
      entries: count,
      records: count,
      versions: count,
      blocks: count,
      bytes: count,
      restored: count,
      evidenceLeaves: optional(count),
      findings: list(
        exact({
          code: text(64),
          recordId: optional(recordId),
          version: optional(count),
          cid: optional(cid),
          auditLeaf: optional(count),
        }),
        MAX_VERSIONS,
      ),
    }),
  ),
  maxOutputBytes: MAX_REPORT_BYTES,
});
