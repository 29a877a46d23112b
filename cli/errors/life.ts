import { EXIT } from '../../appliance/exit-code.ts';
import type { LIFE_ERRORS } from '../../protocol/errors/life.ts';
import type { Guidance } from './guidance.ts';

export const LIFE_GUIDANCE: Record<keyof typeof LIFE_ERRORS, Guidance> = {
  BACKUP_FORMAT_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'Name the file that `nectar-byon backup` wrote. Nothing was restored.',
  },
  BACKUP_VERSION_NEWER: {
    exit: EXIT.config,
    remedy: 'Restore it with the version of the program that wrote it, or a newer one.',
  },
  BACKUP_TRUNCATED: {
    exit: EXIT.checksFailed,
    remedy:
      'The copy is incomplete: copy it again from where it was made, or use an older backup. Nothing was restored.',
  },
  BACKUP_ALTERED: {
    exit: EXIT.checksFailed,
    remedy: 'Use another copy or an older backup. Nothing was restored.',
  },
  BACKUP_SIGNATURE_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'Somebody else made or changed this file. Use another copy. Nothing was restored.',
  },
  BACKUP_SOURCE_UNSTABLE: {
    exit: EXIT.unreachable,
    remedy: 'Try again when the node is less busy, or after `nectar-byon down`.',
  },
  BACKUP_NODE_PRESENT: {
    exit: EXIT.usage,
    remedy:
      'The node is there: start it with `nectar-byon up`. Its home is lost: `nectar-byon adopt` makes it anew from the volumes. Volumes are lost: `nectar-byon restore BACKUP --over --target docker` with the home that is there. Nothing was touched.',
  },
  BACKUP_LOG_REFUSED: {
    exit: EXIT.checksFailed,
    remedy:
      'Name another copy of the log, or restore without one: then records that were destroyed after the backup are readable again, and have to be destroyed again. Nothing was restored.',
  },
  ADOPT_NODE_ABSENT: {
    exit: EXIT.usage,
    remedy:
      'Name the engine that has them with `--engine`, and the first digits of the node with `--node`. Volumes that are lost too: `nectar-byon restore`.',
  },
  ADOPT_NODE_AMBIGUOUS: {
    exit: EXIT.usage,
    remedy: 'Name one of them with `--node`.',
  },
  BACKUP_OBJECT_MISSING: {
    remedy:
      'Restore another snapshot, and run `nectar-byon backup` while the node is still there: it brings what is missing.',
    exit: EXIT.checksFailed,
  },
  BACKUP_TARGET_REFUSED: {
    remedy: 'Check that the place exists, has room, and lets this user write.',
    exit: EXIT.unreachable,
  },
  BACKUP_PRUNE_DENIED: {
    exit: EXIT.checksFailed,
    remedy:
      'Nothing was removed, and the copies are whole. `custody grant OWNER --prune` at that node makes a file for it: `nectar-byon backup prune --credentials FILE` now and then, or `backup schedule --prune-credentials FILE` for the schedule.',
  },
  BACKUP_REPOSITORY_FOREIGN: {
    remedy: 'One repository holds one node. Name another place.',
    exit: EXIT.usage,
  },
  BACKUP_REPOSITORIES_DAMAGED: {
    remedy:
      'Move the file away, then name each place again: `nectar-byon backup --to PLACE`, and what it had of `backup keep` and `backup schedule`. The node has the generation of each on record, so an older one is still found.',
    exit: EXIT.config,
  },
  BACKUP_REPOSITORY_BEHIND: {
    remedy:
      'Whoever holds it has put an older copy back, or lost the newest part. Find out who; go on with `nectar-byon backup --to ... --accept-older`, or begin a new repository.',
    exit: EXIT.checksFailed,
  },
  BACKUP_REPOSITORY_FORKED: {
    remedy:
      'Two homes of one node write to it, or somebody changed it. Begin a new repository, and keep this one as evidence.',
    exit: EXIT.checksFailed,
  },
  BACKUP_INDEX_SHRUNK: {
    remedy:
      'Records never leave the index, so it is damaged or an older one. Nothing was replaced in the repository. Restore from it; or take the loss with --accept-loss.',
    exit: EXIT.checksFailed,
  },
  BACKUP_SNAPSHOT_UNKNOWN: {
    remedy: '`nectar-byon backup list` shows those that are there.',
    exit: EXIT.usage,
  },
  BACKUP_BUSY: {
    remedy: 'Wait until it has ended.',
    exit: EXIT.unreachable,
  },
  BACKUP_VERIFY_FAILED: {
    remedy:
      'The next `nectar-byon backup --to ...` brings what is missing; remove an object that was altered, and it is brought too. Then verify again.',
    exit: EXIT.checksFailed,
  },
  BACKUP_KEY_REFUSED: {
    exit: EXIT.usage,
    remedy:
      'Keep the key file apart from the backups, in a safe or another building: whoever has both reads everything, and without it a backup opens for nobody.',
  },
  HOME_FORMAT_NEWER: {
    exit: EXIT.config,
    remedy: 'A newer version has run here. Use that one; an older one could damage the data, so it does not start.',
  },
  HOME_FORMAT_INVALID: {
    exit: EXIT.config,
    remedy: 'The file was altered. Restore it from a backup.',
  },
  HOME_MIGRATION_FAILED: {
    exit: EXIT.config,
    remedy:
      'Nothing was lost: the home still has its old format. Start it with the version that wrote it, and report this.',
  },
  UPGRADE_NOT_CONTAINERS: {
    exit: EXIT.usage,
    remedy: 'Install the new version into a folder of its own, and call `upgrade` of that one without `--image-set`.',
  },
  UPGRADE_REFUSED: {
    exit: EXIT.checksFailed,
    remedy: 'Put right what is named, then run `nectar-byon upgrade` again. Nothing was changed.',
  },
  UPGRADE_ROLLED_BACK: {
    exit: EXIT.checksFailed,
    remedy: 'Nothing was lost. See `nectar-byon logs`, and report it with `nectar-byon support-bundle`.',
  },
  UPGRADE_ROLLBACK_ABSENT: {
    exit: EXIT.usage,
    remedy: 'A rollback undoes the last upgrade; there has been none, or it was undone already.',
  },
  BUNDLE_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'Name the file that `nectar-byon bundle save` wrote, copied whole. Nothing was loaded.',
  },
  BUNDLE_ALTERED: {
    exit: EXIT.checksFailed,
    remedy: 'Copy the bundle again from where it was made. Nothing was loaded.',
  },
  BUNDLE_PART_MISSING: {
    exit: EXIT.usage,
    remedy:
      'Build it first, in a clone: `npm run bundle && npm run program` makes the program, `npm run images -- build` the images.',
  },
  RELEASE_SIGNATURE_MISSING: {
    exit: EXIT.checksFailed,
    remedy:
      'Take the whole release, as its maker published it. What you built yourself is taken with `--unsigned`. Nothing was used.',
  },
  RELEASE_SIGNATURE_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'Somebody changed it, or it was damaged: get the release again from its maker. Nothing was used.',
  },
  RELEASE_KEY_UNKNOWN: {
    exit: EXIT.checksFailed,
    remedy:
      'Compare the key with what SECURITY.md says of release keys; then name its public file with `--release-key`. Nothing was used.',
  },
  RELEASE_KEY_INVALID: {
    exit: EXIT.usage,
    remedy: 'Name the file release-key.pub that `npm run release -- keygen` wrote, or that the maker published.',
  },
  RELEASE_ARTIFACT_FOREIGN: {
    exit: EXIT.checksFailed,
    remedy:
      'It is of another release, or somebody exchanged it: get the release again from its maker. Nothing was used.',
  },
  RELEASE_OLDER: {
    exit: EXIT.checksFailed,
    remedy:
      'An older release has faults that a newer one mended. Take a newer one; where you mean the older one, `--accept-older`. Nothing was used.',
  },
};
