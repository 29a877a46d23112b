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
      'Leaves that left the machine are gone: the log was put back to an older state. Nothing private is served. Stop the node and put the newest audit folder back; if it is lost for good, declare the gap with `nectar-byon audit resolve`.',
    http: 503,
    exit: EXIT.checksFailed,
  }),
  AUDIT_FORKED: define<{ size: number; where: string }>({
    message: ({ size, where }) => `the log's root at size ${size} differs from the one that ${where} vouches for`,
    remedy:
      'The log is not the one that was seen outside: history was rewritten, or an older copy has grown. Nothing private is served. Keep the folder as evidence and put the right one back; if it is lost for good, declare the gap with `nectar-byon audit resolve`.',
    http: 503,
    exit: EXIT.checksFailed,
  }),
  AUDIT_GAP_DECLARED: define<{ epoch: number; from: number; lost: number | null; at: string; where: string }>({
    message: ({ epoch, from, lost, at, where }) =>
      `epoch ${epoch} of the log was declared at leaf ${from} on ${at}: ${lost ?? 'an unknown number of'} leaves that ${where} vouches for are lost`,
    remedy:
      'A restore or `audit resolve` declared this, and the log says so for ever. Nothing else is wrong; compare the gap with what is known of that day.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  AUDIT_FROM_FUTURE: define<{ index: number; time: string; leaves: number }>({
    message: ({ index, time, leaves }) =>
      `${leaves} leaves are dated in the future of this machine's clock, the first is leaf ${index} of ${time}`,
    remedy:
      'The clock is wrong now, or was then. Set it (`nectar-byon doctor` compares it); the entries stay as they are.',
    http: 500,
    exit: EXIT.checksFailed,
  }),
  AUDIT_NOTHING_TO_RESOLVE: define<{ size: number }>({
    message: ({ size }) =>
      `the log of ${size} leaves agrees with every tree head known outside: nothing is to be resolved`,
    remedy: 'Nothing has to be done. `nectar-byon audit verify` examines the whole log.',
    http: 409,
    exit: EXIT.usage,
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
