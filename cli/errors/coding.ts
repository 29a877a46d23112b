import { EXIT } from '../../appliance/exit-code.ts';
import type { CODING_ERRORS } from '../../protocol/errors/coding.ts';
import type { Guidance } from './guidance.ts';

export const CODING_GUIDANCE: Record<keyof typeof CODING_ERRORS, Guidance> = {
  CODING_INPUT_INVALID: {
    exit: EXIT.bug,
    remedy: 'This is a fault of the program. Report it with a support bundle.',
  },
  CODING_SHARDS_TOO_FEW: {
    exit: EXIT.unreachable,
    remedy:
      'Too few holders answered. Try again when more of them are connected; `nectar-byon status` names those that are silent.',
  },
  CODING_AUDIT_ANSWER_INVALID: {
    exit: EXIT.checksFailed,
    remedy: 'The holder does not have what it was given, or runs another version. Its score falls by itself.',
  },
  CODING_FILE_INVALID: {
    exit: EXIT.config,
    remedy: 'The installation is damaged or mixed from two versions. Install the program again.',
  },
  CODING_THREAD_ENDED: {
    exit: EXIT.unreachable,
    remedy: 'Try again: a new thread is started. When it repeats, the machine has too little memory.',
  },
};
