import { define } from './definition.ts';

/** Errors of the record store. Record ids are random and name nobody, so they may appear in data. */
export const STORE_ERRORS = {
  STORE_RECORD_NOT_FOUND: define<{ recordId: string; version?: number }>({
    message: ({ recordId, version }) => `no record ${recordId}${version === undefined ? '' : ` in version ${version}`}`,
  }),
  STORE_RECORD_SHREDDED: define<{ recordId: string; at: string }>({
    message: ({ recordId, at }) => `record ${recordId} was destroyed at ${at}`,
  }),
  STORE_INPUT_INVALID: define<{ field: string; problem: string }>({
    message: ({ field, problem }) => `${field}: ${problem}`,
  }),
  STORE_RECORD_TOO_LARGE: define<{ limitBytes: number }>({
    message: ({ limitBytes }) => `the record is larger than ${limitBytes} bytes`,
  }),
  STORE_RANGE_INVALID: define<{ start: number; bytes: number }>({
    message: ({ start, bytes }) => `the range starts at ${start}, the record has ${bytes} bytes`,
  }),
  STORE_VERSION_CONFLICT: define<{ recordId: string; version: number }>({
    message: ({ recordId, version }) => `version ${version} of record ${recordId} is being written by someone else`,
  }),
  STORE_PRECONDITION_FAILED: define<{ recordId: string; version: number }>({
    message: ({ recordId, version }) => `record ${recordId} is at version ${version}, which is not the one expected`,
  }),
  STORE_REKEY_ABSENT: define<Record<string, never>>({
    message: () => 'there is no unfinished rekey',
  }),
  STORE_REKEY_STOPPED: define<{ failed: number; reason: string }>({
    message: ({ failed, reason }) =>
      failed > 0 ? `${failed} versions could not be sealed under new keys` : `the rekey has stopped: ${reason}`,
  }),
  STORE_UPLOAD_ABSENT: define<{ upload: string }>({
    message: ({ upload }) => `no upload ${upload}`,
  }),
  STORE_UPLOAD_OFFSET: define<{ upload: string; offset: number }>({
    message: ({ upload, offset }) => `the upload ${upload} goes on at byte ${offset}`,
  }),
  STORE_UPLOAD_CONTINUED: define<{ upload: string }>({
    message: ({ upload }) => `the upload ${upload} is continued by another request`,
  }),
  STORE_UPLOAD_CORRUPT: define<{ upload: string; offset: number }>({
    message: ({ upload, offset }) => `the stored part of the upload ${upload} does not authenticate at byte ${offset}`,
  }),
  STORE_UPLOADS_FULL: define<{ limit: number }>({
    message: ({ limit }) => `there are ${limit} unfinished uploads already`,
  }),
  STORE_INDEX_BEHIND: define<{ generation: number; logged: number; missing: number; unknown: number }>({
    message: ({ generation, logged, missing, unknown }) =>
      `the index is an older copy (generation ${generation}, the audit log has seen ${logged}): ${missing} versions are missing` +
      (unknown > 0 ? `, and ${unknown} deletions cannot be made again` : ''),
  }),
  STORE_INDEX_AHEAD: define<{ leaf: number; size: number }>({
    message: ({ leaf, size }) =>
      `the index was built on audit leaf ${leaf}, which is not in the log of ${size} leaves: the log was put back or replaced`,
  }),
  STORE_RECORD_LOST: define<{ recordId: string; version: number; auditLeaf: number }>({
    message: ({ recordId, version, auditLeaf }) =>
      `version ${version} of record ${recordId} is in the audit log (leaf ${auditLeaf}) and not in the index`,
  }),
  STORE_CURSOR_INVALID: define<Record<string, never>>({
    message: () => 'the page cursor is unknown, or belongs to another query',
  }),
  STORE_BLOCK_MISSING: define<{ cid: string }>({
    message: ({ cid }) => `the block ${cid} is not on disk and no replica returned it`,
  }),
  STORE_BLOB_CORRUPT: define<{ cid: string }>({
    message: ({ cid }) => `the block ${cid} does not authenticate and no replica returned a good copy`,
  }),
  STORE_INDEX_UNUSABLE: define<{ reason: string }>({
    message: ({ reason }) => `the disk refuses the index of the store: ${reason}`,
  }),
  STORE_INDEX_CORRUPT: define<{ entry: string }>({
    message: ({ entry }) => `an index entry does not authenticate (${entry})`,
  }),
  STORE_HELD_QUOTA: define<{ quotaBytes: number; scope: string }>({
    message: ({ quotaBytes, scope }) => `the quota of ${quotaBytes} bytes for blocks held for ${scope} is used up`,
  }),
  STORE_BLOCK_INVALID: define<{ cid: string; problem: string }>({
    message: ({ cid, problem }) => `the block offered as ${cid} is refused: ${problem}`,
  }),
  STORE_RECORD_UNACCOUNTED: define<{ recordId: string; version: number; auditLeaf: number }>({
    message: ({ recordId, version, auditLeaf }) =>
      `audit leaf ${auditLeaf} names record ${recordId} version ${version}, and the index does not agree`,
  }),
};
