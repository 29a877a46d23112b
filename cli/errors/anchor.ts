import { EXIT } from '../../appliance/exit-code.ts';
import type { ANCHOR_ERRORS } from '../../protocol/errors/anchor.ts';
import type { Guidance } from './guidance.ts';

export const ANCHOR_GUIDANCE: Record<keyof typeof ANCHOR_ERRORS, Guidance> = {
  ANCHOR_PENDING_CORRUPT: {
    exit: EXIT.checksFailed,
    remedy:
      'Move the file away and start again: anchoring begins anew from the index and the log, and the chain refuses a root that it already has.',
  },
  ANCHOR_ANSWER_INVALID: {
    exit: EXIT.config,
    remedy: 'The genesis of this network carries another contract than this version knows. Compare versions.',
  },
  ANCHOR_CALL_REFUSED: {
    exit: EXIT.unreachable,
    remedy: 'The node tries again by itself; `nectar-byon status` says what it waits for.',
  },
};
