import { EXIT } from '../../appliance/exit-code.ts';
import type { AUDIT_ERRORS } from '../../protocol/errors/audit.ts';
import type { Guidance } from './guidance.ts';

export const AUDIT_GUIDANCE: Record<keyof typeof AUDIT_ERRORS, Guidance> = {
  AUDIT_INCLUSION_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The proof does not show that the leaf is in the log. Ask for it again; if it stays invalid, the log or the proof was altered.',
  },
  AUDIT_CONSISTENCY_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The two tree heads do not belong to one append-only log. Treat the log as forked and keep both checkpoints as evidence.',
  },
  AUDIT_EXPORT_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The bundle was altered, cut short, or made by another version. Keep it as evidence and make it again with `nectar-byon audit export`.',
  },
  AUDIT_FILTER_INVALID: {
    exit: EXIT.usage,
    remedy: 'See `nectar-byon audit query --help` for the conditions and their forms.',
  },
  AUDIT_CURSOR_INVALID: {
    exit: EXIT.usage,
    remedy:
      'Ask again without a cursor. A cursor ends with the process that gave it, or when too many newer ones exist.',
  },
  AUDIT_INDEX_OUT_OF_RANGE: {
    exit: EXIT.usage,
    remedy: 'Use an index below the size that `nectar-byon status` shows.',
  },
  AUDIT_TILE_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'A file of the log was altered or damaged. Run `nectar-byon audit verify`, keep the folder as evidence, restore the file from a copy.',
  },
  AUDIT_LEAF_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'The leaf is not one that this version writes. Run `nectar-byon audit verify`.',
  },
  AUDIT_NOTE_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'The checkpoint is not a C2SP signed note of the expected key. Get it again from its source.',
  },
  AUDIT_VKEY_INVALID: {
    exit: EXIT.usage,
    remedy: 'Give the key in its text form NAME+HASH+KEY, exactly as the node printed it.',
  },
  AUDIT_CHECKPOINT_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The checkpoint does not belong to this log, or was altered. Run `nectar-byon audit verify` and compare with an anchored one.',
  },
  AUDIT_PROOF_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The proof file was altered, cut short, or made by another version. Make it again with `nectar-byon audit prove`.',
  },
  AUDIT_EVENT_INVALID: {
    exit: EXIT.bug,
    remedy: 'A bug of the caller: the event cannot be recorded, so the operation was refused. Please report it.',
  },
  AUDIT_BODY_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'The sealed body was altered or belongs to another entry. The proofs of the leaves still hold; keep the file as evidence.',
  },
  AUDIT_BUNDLE_INVALID: {
    exit: EXIT.checksFailed,
    remedy:
      'A file of the log was altered or damaged. Run `nectar-byon audit verify`, keep the folder as evidence, restore the file from a copy.',
  },
  AUDIT_TRUNCATED: {
    exit: EXIT.checksFailed,
    remedy:
      'Leaves that left the machine are gone: the log was put back to an older state. Nothing private is served. Stop the node and put the newest audit folder back; if it is lost for good, declare the gap with `nectar-byon audit resolve`.',
  },
  AUDIT_FORKED: {
    exit: EXIT.checksFailed,
    remedy:
      'The log is not the one that was seen outside: history was rewritten, or an older copy has grown. Nothing private is served. Keep the folder as evidence and put the right one back; if it is lost for good, declare the gap with `nectar-byon audit resolve`.',
  },
  AUDIT_GAP_DECLARED: {
    exit: EXIT.checksFailed,
    remedy:
      'A restore or `audit resolve` declared this, and the log says so for ever. Nothing else is wrong; compare the gap with what is known of that day.',
  },
  AUDIT_FROM_FUTURE: {
    exit: EXIT.checksFailed,
    remedy: 'The clock is wrong now, or was then. `nectar-byon doctor` compares it; the entries stay as they are.',
  },
  AUDIT_NOTHING_TO_RESOLVE: {
    exit: EXIT.usage,
    remedy: 'Nothing has to be done. `nectar-byon audit verify` examines the whole log.',
  },
  AUDIT_TAIL_TORN: {
    exit: EXIT.checksFailed,
    remedy: 'What a crash leaves behind: nobody was told that it was written. The next start removes it.',
  },
  AUDIT_DAMAGED: {
    exit: EXIT.checksFailed,
    remedy:
      'Run `nectar-byon audit verify` to see what was altered, and restore the audit folder from a copy that matches the anchor.',
  },
  AUDIT_NOT_WRITABLE: {
    exit: EXIT.config,
    remedy:
      'Check the disk and the permissions of the audit folder; the node goes on by itself once it can write again.',
  },
};
