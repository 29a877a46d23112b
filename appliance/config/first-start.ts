import { join, resolve } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';

/** What a store does whose volume is empty: a node in a cluster has no `init` that filled it. */
export interface FirstStart {
  /** `make`: keys and an identity under the root key; `wait`: for those to adopt. */
  readonly mode: 'make' | 'wait';
  /** Folder where keys that were made elsewhere are mounted, to be taken over. */
  readonly adopt: string;
  /** The loss of which volume, by its mark, an operator has accepted; empty: of none. */
  readonly startEmpty: string;
}

/** NECTAR_FIRST_START, NECTAR_ADOPT and NECTAR_START_EMPTY. @throws NectarError CONFIG_VALUE_INVALID */
export function firstStartOf(home: string, env: Readonly<Record<string, string | undefined>>): FirstStart {
  const mode = env.NECTAR_FIRST_START || 'wait';
  if (mode !== 'make' && mode !== 'wait')
    throw new NectarError('CONFIG_VALUE_INVALID', { option: 'NECTAR_FIRST_START', expected: 'make or wait' });
  const startEmpty = env.NECTAR_START_EMPTY ?? '';
  if (startEmpty !== '' && !/^audit:[0-9a-f]{32}$/.test(startEmpty))
    throw new NectarError('CONFIG_VALUE_INVALID', { option: 'NECTAR_START_EMPTY', expected: 'audit:MARK' });
  return { mode, adopt: resolve(env.NECTAR_ADOPT || join(home, 'adopt')), startEmpty };
}
