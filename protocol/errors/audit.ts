import { define, EXIT } from './definition.ts';

/** Errors of the audit log: proofs and notes (pure), and the log on disk. */
export const AUDIT_ERRORS = {
  AUDIT_INCLUSION_INVALID: define<{ index: number; size: number; reason: string }>({
    message: ({ index, size, reason }) => `inclusion proof of leaf ${index} in a tree of ${size} is invalid: ${reason}`,
    remedy:
      'The proof does not show that the leaf is in the log. Ask for it again; if it stays invalid, the log or the proof was altered.',
    http: 422,
    exit: EXIT.checksFailed,
  }),
  AUDIT_CONSISTENCY_INVALID: define<{ from: number; to: number; reason: string }>({
    message: ({ from, to, reason }) => `consistency proof from size ${from} to ${to} is invalid: ${reason}`,
    remedy:
      'The two tree heads do not belong to one append-only log. Treat the log as forked and keep both checkpoints as evidence.',
    http: 422,
    exit: EXIT.checksFailed,
  }),
  AUDIT_FILTER_INVALID: define<{ condition: string; problem: string }>({
    message: ({ condition, problem }) => `the condition ${condition} is invalid: ${problem}`,
    remedy: 'See `nectar-byon audit query --help` for the conditions and their forms.',
    http: 400,
    exit: EXIT.usage,
  }),
  AUDIT_CURSOR_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the place to go on from is no longer known: ${reason}`,
    remedy:
      'Ask again without a cursor. A reading ends with the process that began it, or when too many others began since.',
    http: 400,
    exit: EXIT.usage,
  }),
  AUDIT_INDEX_OUT_OF_RANGE: define<{ index: number; size: number }>({
    message: ({ index, size }) => `the log of ${size} leaves has no leaf ${index}`,
    remedy: 'Use an index below the size that `nectar-byon status` shows.',
    http: 404,
    exit: EXIT.usage,
  }),
  AUDIT_TILE_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `tile ${path} is invalid: ${reason}`,
    remedy:
      'A file of the log was altered or damaged. Run `nectar-byon audit verify`, keep the folder as evidence, restore the file from a copy.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  AUDIT_LEAF_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `audit leaf is invalid: ${reason}`,
    remedy: 'The leaf is not one that this version writes. Run `nectar-byon audit verify`.',
    http: 422,
    exit: EXIT.checksFailed,
  }),
  AUDIT_NOTE_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `signed note is invalid: ${reason}`,
    remedy: 'The checkpoint is not a C2SP signed note of the expected key. Get it again from its source.',
    http: 422,
    exit: EXIT.checksFailed,
  }),
  AUDIT_VKEY_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `verifier key is invalid: ${reason}`,
    remedy: 'Give the key in its text form NAME+HASH+KEY, exactly as the node printed it.',
    http: 422,
    exit: EXIT.usage,
  }),
  AUDIT_CHECKPOINT_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `checkpoint is invalid: ${reason}`,
    remedy:
      'The checkpoint does not belong to this log, or was altered. Run `nectar-byon audit verify` and compare with an anchored one.',
    http: 422,
    exit: EXIT.checksFailed,
  }),
  AUDIT_PROOF_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `audit proof is invalid: ${reason}`,
    remedy:
      'The proof file was altered, cut short, or made by another version. Make it again with `nectar-byon audit prove`.',
    http: 422,
    exit: EXIT.checksFailed,
  }),
  AUDIT_EVENT_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `audit event is invalid: ${reason}`,
    remedy: 'A bug of the caller: the event cannot be recorded, so the operation was refused. Please report it.',
    http: 500,
    exit: EXIT.bug,
  }),
  AUDIT_BODY_INVALID: define<{ index: number; reason: string }>({
    message: ({ index, reason }) => `body of audit entry ${index} is invalid: ${reason}`,
    remedy:
      'The sealed body was altered or belongs to another entry. The proofs of the leaves still hold; keep the file as evidence.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  AUDIT_BUNDLE_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `audit file ${path} is invalid: ${reason}`,
    remedy:
      'A file of the log was altered or damaged. Run `nectar-byon audit verify`, keep the folder as evidence, restore the file from a copy.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  AUDIT_TRUNCATED: define<{ size: number; expected: number; where: string }>({
    message: ({ size, expected, where }) => `the log has ${size} leaves, but ${where} vouches for ${expected}`,
    remedy:
      'Leaves that were acknowledged are gone. Do not restart on this folder; restore the newest copy, and compare with the anchor.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  AUDIT_FORKED: define<{ size: number; where: string }>({
    message: ({ size, where }) => `the log's root at size ${size} differs from the one that ${where} vouches for`,
    remedy:
      'History was rewritten, or the folder belongs to another log. Keep it as evidence and restore a copy that matches the anchor.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  AUDIT_TAIL_TORN: define<{ path: string; bytes: number }>({
    message: ({ path, bytes }) => `${path} ends in ${bytes} bytes of a write that never completed`,
    remedy: 'What a crash leaves behind: nobody was told that it was written. The next start removes it.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  AUDIT_DAMAGED: define<{ reason: string }>({
    message: ({ reason }) => `the audit log is damaged, so nothing private is served: ${reason}`,
    remedy:
      'Run `nectar-byon audit verify` to see what was altered, and restore the audit folder from a copy that matches the anchor.',
    http: 503,
    exit: EXIT.checksFailed,
  }),
  AUDIT_NOT_WRITABLE: define<{ reason: string }>({
    message: ({ reason }) => `the audit log cannot be written, so nothing private is served: ${reason}`,
    remedy:
      'Check the disk and the permissions of the audit folder; the node goes on by itself once it can write again.',
    http: 503,
    exit: EXIT.config,
  }),
};
