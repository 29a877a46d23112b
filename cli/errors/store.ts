import { EXIT } from '../../appliance/exit-code.ts';
import type { STORE_ERRORS } from '../../protocol/errors/store.ts';
import type { Guidance } from './guidance.ts';

export const STORE_GUIDANCE: Record<keyof typeof STORE_ERRORS, Guidance> = {
  STORE_RECORD_NOT_FOUND: {
    exit: EXIT.usage,
    remedy: 'Check the id with `nectar-byon ls`.',
  },
  STORE_RECORD_SHREDDED: {
    exit: EXIT.usage,
    remedy: 'Its keys are gone: no copy of it can be read. The audit log holds who destroyed it.',
  },
  STORE_INPUT_INVALID: {
    exit: EXIT.usage,
    remedy: 'Correct the named field; docs/reference/config.md lists the bounds.',
  },
  STORE_RECORD_TOO_LARGE: {
    exit: EXIT.usage,
    remedy: 'Split it, or raise `store.maxRecordBytes`. Nothing was stored.',
  },
  STORE_RANGE_INVALID: {
    exit: EXIT.usage,
    remedy: 'Ask for a range inside the record.',
  },
  STORE_VERSION_CONFLICT: {
    exit: EXIT.usage,
    remedy: 'Read the record again and repeat the update on its newest version.',
  },
  STORE_REKEY_ABSENT: {
    exit: EXIT.usage,
    remedy: '`nectar-byon keys rekey` begins one.',
  },
  STORE_REKEY_STOPPED: {
    exit: EXIT.checksFailed,
    remedy:
      'What is done stays done, and the older keys are kept. `nectar-byon scrub` names versions that do not open: bring their blocks back, or destroy their records. Then `nectar-byon keys rekey` goes on.',
  },
  STORE_UPLOAD_ABSENT: {
    exit: EXIT.usage,
    remedy: 'It has finished, has expired, or belongs to another subject. Start a new upload.',
  },
  STORE_UPLOAD_OFFSET: {
    exit: EXIT.usage,
    remedy: 'Ask for the offset (HEAD) and send what follows it.',
  },
  STORE_UPLOAD_CONTINUED: {
    exit: EXIT.unreachable,
    remedy: 'Nothing to do: the later request goes on with the upload.',
  },
  STORE_UPLOAD_CORRUPT: {
    exit: EXIT.bug,
    remedy:
      'The disk gave back something else than was written: look at the machine, delete the upload and begin anew.',
  },
  STORE_UPLOADS_FULL: {
    exit: EXIT.unreachable,
    remedy:
      'Finish or delete unfinished uploads, wait until they expire, or raise `store.maxPartialUploads` or `store.maxPartialUploadsPerOwner`.',
  },
  STORE_INDEX_BEHIND: {
    exit: EXIT.checksFailed,
    remedy:
      'store/index was put back to an older copy. Put the newest copy in place and restart; or, when there is none, `nectar-byon fsck --accept` goes on without what is missing, which it names. Until then nothing new is stored; what was destroyed stays destroyed.',
  },
  STORE_INDEX_AHEAD: {
    exit: EXIT.checksFailed,
    remedy:
      'The audit log was put back to an older copy, or exchanged: put the right one in place and restart. When it is lost, resolve the log first (`nectar-byon audit resolve`), then run `nectar-byon fsck --accept`. Until then nothing private is served.',
  },
  STORE_RECORD_LOST: {
    exit: EXIT.checksFailed,
    remedy:
      'An older index was put in place of the one that held it, or a kill cut the put off before it was answered: whoever has a receipt knows. A backup that is newer than the audit leaf named has it; `nectar-byon fsck` lists all of them.',
  },
  STORE_PRECONDITION_FAILED: {
    exit: EXIT.usage,
    remedy: 'Read the record again and repeat the change on its newest version. Nothing was changed.',
  },
  STORE_CURSOR_INVALID: {
    exit: EXIT.usage,
    remedy: 'Start the listing again without a cursor.',
  },
  STORE_BLOCK_MISSING: {
    exit: EXIT.checksFailed,
    remedy:
      'Run a scrub to see what else is missing; bring a peer that holds a replica online, or restore store/blocks from a backup.',
  },
  STORE_BLOB_CORRUPT: {
    exit: EXIT.checksFailed,
    remedy:
      'The file was altered or the disk is failing. Nothing of it was served. Bring a replica online or restore from a backup.',
  },
  STORE_INDEX_UNUSABLE: {
    exit: EXIT.config,
    remedy:
      'Check the disk that holds HOME/store/index and the permissions of the folder. Nothing acknowledged was lost, the request was not carried out, and the node goes on by itself once the disk takes writes again.',
  },
  STORE_INDEX_CORRUPT: {
    exit: EXIT.checksFailed,
    remedy:
      'store/index was altered or the disk is failing. Stop the node and restore store/index from a backup; blocks are untouched.',
  },
  STORE_HELD_QUOTA: {
    exit: EXIT.usage,
    remedy:
      'Offer more (`nectar-byon storage offer SIZE`), raise `store.heldPerOwnerMaxBytes`, free space, or leave it: the peer asks another node.',
  },
  STORE_BLOCK_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'The peer sent a block that is not what it claims. Nothing was stored.',
  },
  STORE_RECORD_UNACCOUNTED: {
    exit: EXIT.checksFailed,
    remedy:
      'Either a put or a deletion was cut off by a crash (the client got no receipt), or the index was rolled back: compare with your receipts.',
  },
};
