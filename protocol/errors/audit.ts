import { define } from './definition.ts';

/** Errors of the audit log: proofs and notes (pure), and the log on disk. */
export const AUDIT_ERRORS = {
  AUDIT_INCLUSION_INVALID: define<{ index: number; size: number; reason: string }>({
    message: ({ index, size, reason }) => `inclusion proof of leaf ${index} in a tree of ${size} is invalid: ${reason}`,
  }),
  AUDIT_CONSISTENCY_INVALID: define<{ from: number; to: number; reason: string }>({
    message: ({ from, to, reason }) => `consistency proof from size ${from} to ${to} is invalid: ${reason}`,
  }),
  AUDIT_EXPORT_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `audit bundle is invalid: ${reason}`,
  }),
  AUDIT_FILTER_INVALID: define<{ condition: string; problem: string }>({
    message: ({ condition, problem }) => `the condition ${condition} is invalid: ${problem}`,
  }),
  AUDIT_CURSOR_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `the cursor is no longer known: ${reason}`,
  }),
  AUDIT_INDEX_OUT_OF_RANGE: define<{ index: number; size: number }>({
    message: ({ index, size }) => `the log of ${size} leaves has no leaf ${index}`,
  }),
  AUDIT_TILE_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `tile ${path} is invalid: ${reason}`,
  }),
  AUDIT_LEAF_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `audit leaf is invalid: ${reason}`,
  }),
  AUDIT_NOTE_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `signed note is invalid: ${reason}`,
  }),
  AUDIT_VKEY_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `verifier key is invalid: ${reason}`,
  }),
  AUDIT_CHECKPOINT_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `checkpoint is invalid: ${reason}`,
  }),
  AUDIT_PROOF_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `audit proof is invalid: ${reason}`,
  }),
  AUDIT_EVENT_INVALID: define<{ reason: string }>({
    message: ({ reason }) => `audit event is invalid: ${reason}`,
  }),
  AUDIT_BODY_INVALID: define<{ index: number; reason: string }>({
    message: ({ index, reason }) => `body of audit entry ${index} is invalid: ${reason}`,
  }),
  AUDIT_BUNDLE_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `audit file ${path} is invalid: ${reason}`,
  }),
  AUDIT_TRUNCATED: define<{ size: number; expected: number; where: string }>({
    message: ({ size, expected, where }) => `the log has ${size} leaves, but ${where} vouches for ${expected}`,
  }),
  AUDIT_FORKED: define<{ size: number; where: string }>({
    message: ({ size, where }) => `the log's root at size ${size} differs from the one that ${where} vouches for`,
  }),
  AUDIT_GAP_DECLARED: define<{ epoch: number; from: number; lost: number | null; at: string; where: string }>({
    message: ({ epoch, from, lost, at, where }) =>
      lost === null
        ? `epoch ${epoch} was declared at leaf ${from} on ${at}; what is lost is not known yet`
        : `epoch ${epoch} was declared at leaf ${from} on ${at}: ${lost} leaves that ${where} vouches for are lost`,
  }),
  AUDIT_FROM_FUTURE: define<{ index: number; time: string; leaves: number }>({
    message: ({ index, time, leaves }) =>
      `${leaves} leaves have a time ahead of this machine's clock, the first is leaf ${index} of ${time}`,
  }),
  AUDIT_NOTHING_TO_RESOLVE: define<{ size: number }>({
    message: ({ size }) => `the log of ${size} leaves agrees with every tree head known outside`,
  }),
  AUDIT_TAIL_TORN: define<{ path: string; bytes: number }>({
    message: ({ path, bytes }) => `${path} ends in ${bytes} bytes of a write that never completed`,
  }),
  AUDIT_DAMAGED: define<{ reason: string }>({
    message: ({ reason }) => `the audit log is damaged, so nothing private is served: ${reason}`,
  }),
  AUDIT_NOT_WRITABLE: define<{ reason: string }>({
    message: ({ reason }) => `the audit log cannot be written, so nothing private is served: ${reason}`,
  }),
};
