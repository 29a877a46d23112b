import { define, EXIT } from './definition.ts';

/** Errors of the record store. Record ids are random and name nobody, so they may appear in data. */
export const STORE_ERRORS = {
  STORE_RECORD_NOT_FOUND: define<{ recordId: string; version?: number }>({
    message: ({ recordId, version }) => `no record ${recordId}${version === undefined ? '' : ` in version ${version}`}`,
    remedy: 'Check the id with `nectar-byon ls`.',
    http: 404,
    exit: EXIT.usage,
  }),
  STORE_RECORD_SHREDDED: define<{ recordId: string; at: string }>({
    message: ({ recordId, at }) => `record ${recordId} was destroyed at ${at}`,
    remedy: 'Its keys are gone: no copy of it can be read. The audit log holds who destroyed it.',
    http: 410,
    exit: EXIT.usage,
  }),
  STORE_INPUT_INVALID: define<{ field: string; problem: string }>({
    message: ({ field, problem }) => `${field}: ${problem}`,
    remedy: 'Correct the named field; docs/reference/config.md lists the bounds.',
    http: 400,
    exit: EXIT.usage,
  }),
  STORE_RECORD_TOO_LARGE: define<{ limitBytes: number }>({
    message: ({ limitBytes }) => `the record is larger than ${limitBytes} bytes`,
    remedy: 'Split it, or raise `store.maxRecordBytes`. Nothing was stored.',
    http: 413,
    exit: EXIT.usage,
  }),
  STORE_RANGE_INVALID: define<{ start: number; bytes: number }>({
    message: ({ start, bytes }) => `the range starts at ${start}, the record has ${bytes} bytes`,
    remedy: 'Ask for a range inside the record.',
    http: 416,
    exit: EXIT.usage,
  }),
  STORE_VERSION_CONFLICT: define<{ recordId: string; version: number }>({
    message: ({ recordId, version }) => `version ${version} of record ${recordId} is being written by someone else`,
    remedy: 'Read the record again and repeat the update on its newest version.',
    http: 409,
    exit: EXIT.usage,
  }),
  STORE_PRECONDITION_FAILED: define<{ recordId: string; version: number }>({
    message: ({ recordId, version }) => `record ${recordId} is at version ${version}, which is not the one expected`,
    remedy: 'Read the record again and repeat the change on its newest version. Nothing was changed.',
    http: 412,
    exit: EXIT.usage,
  }),
  STORE_CURSOR_INVALID: define<Record<string, never>>({
    message: () => 'the page cursor is not one of ours, or belongs to another query',
    remedy: 'Start the listing again without a cursor.',
    http: 400,
    exit: EXIT.usage,
  }),
  STORE_BLOCK_MISSING: define<{ cid: string }>({
    message: ({ cid }) => `the block ${cid} is not on disk and no replica returned it`,
    remedy:
      'Run a scrub to see what else is missing; bring a peer that holds a replica online, or restore store/blocks from a backup.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  STORE_BLOB_CORRUPT: define<{ cid: string }>({
    message: ({ cid }) => `the block ${cid} does not authenticate and no replica returned a good copy`,
    remedy:
      'The file was altered or the disk is failing. Nothing of it was served. Bring a replica online or restore from a backup.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  STORE_INDEX_CORRUPT: define<{ entry: string }>({
    message: ({ entry }) => `an index entry does not authenticate (${entry})`,
    remedy:
      'store/index was altered or the disk is failing. Stop the node and restore store/index from a backup; blocks are untouched.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  STORE_HELD_QUOTA: define<{ quotaBytes: number; scope: string }>({
    message: ({ quotaBytes, scope }) => `the quota of ${quotaBytes} bytes for blocks held for ${scope} is used up`,
    remedy: 'Raise `store.heldMaxBytes` or `store.heldPerOwnerMaxBytes`, or leave it: the peer asks another node.',
    http: 507,
    exit: EXIT.usage,
  }),
  STORE_BLOCK_INVALID: define<{ cid: string; problem: string }>({
    message: ({ cid, problem }) => `the block offered as ${cid} is refused: ${problem}`,
    remedy: 'The peer sent a block that is not what it claims. Nothing was stored.',
    http: 400,
    exit: EXIT.checksFailed,
  }),
  STORE_RECORD_UNACCOUNTED: define<{ recordId: string; version: number; auditLeaf: number }>({
    message: ({ recordId, version, auditLeaf }) =>
      `audit leaf ${auditLeaf} names record ${recordId} version ${version}, and the index does not agree`,
    remedy:
      'Either a put or a deletion was cut off by a crash (the client got no receipt), or the index was rolled back: compare with your receipts.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
};
