import { EXIT } from '../../appliance/exit-code.ts';
import type { CUSTODY_ERRORS } from '../../protocol/errors/custody.ts';
import type { Guidance } from './guidance.ts';

export const CUSTODY_GUIDANCE: Record<keyof typeof CUSTODY_ERRORS, Guidance> = {
  CUSTODY_NAME_INVALID: {
    exit: EXIT.usage,
    remedy: 'Use `nectar-byon backup --to node://...`: a node keeps backup repositories and nothing else.',
  },
  CUSTODY_OBJECT_ABSENT: {
    exit: EXIT.checksFailed,
    remedy: 'Run `nectar-byon backup` while the node is still there: it brings what is missing.',
  },
  CUSTODY_OBJECT_PRESENT: {
    exit: EXIT.usage,
    remedy: 'Nothing is replaced in a repository. Another run was there first: run the backup again.',
  },
  CUSTODY_CONTENT_REFUSED: {
    exit: EXIT.checksFailed,
    remedy:
      'The node that keeps the repository takes only what its owner has signed. Run the backup again; when it repeats, ask whoever runs that node for a new repository.',
  },
  CUSTODY_QUOTA: {
    exit: EXIT.config,
    remedy:
      'Let go of old snapshots (`nectar-byon backup prune`), or ask whoever runs that node to raise `custody.maxBytesPerRepository` or `custody.maxRepositories`.',
  },
  CUSTODY_REMOVAL_REFUSED: {
    exit: EXIT.usage,
    remedy:
      'To prune, name the file of a token with the scope backups:prune (`nectar-byon custody grant NAME --prune` at the node that keeps it).',
  },
  CUSTODY_REPOSITORY_ABSENT: {
    exit: EXIT.usage,
    remedy: '`nectar-byon custody list` names the owners whose repositories this node keeps.',
  },
};
