import { EXIT } from '../../appliance/exit-code.ts';
import type { CONFIG_ERRORS } from '../../protocol/errors/config.ts';
import type { Guidance } from './guidance.ts';

export const CONFIG_GUIDANCE: Record<keyof typeof CONFIG_ERRORS, Guidance> = {
  CONFIG_FILE_MISSING: {
    exit: EXIT.config,
    remedy:
      'Of a node that was there, put the file back from a backup. Else name the node with `--home`, or make one with `nectar-byon init`.',
  },
  CONFIG_FILE_INVALID: {
    exit: EXIT.config,
    remedy:
      'Correct the named options; `nectar-byon config print --defaults` shows every option with its meaning and default.',
  },
  CONFIG_VALUE_INVALID: {
    exit: EXIT.config,
    remedy: 'Correct the variable or flag; `nectar-byon config print --defaults` shows the type of every option.',
  },
};
