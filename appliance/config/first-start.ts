import { join, resolve } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';

/** What a store does whose volume is empty: a node in a cluster has no `init` that filled it. */
export interface FirstStart {
  /** `make`: keys and an identity under the root key; `wait`: for those to adopt. */
  readonly mode: 'make' | 'wait';
  /** Folder where keys that were made elsewhere are mounted, to be taken over. */
  readonly adopt: string;
}

/** NECTAR_FIRST_START and NECTAR_ADOPT. @throws NectarError CONFIG_VALUE_INVALID */
export function firstStartOf(home: string, env: Readonly<Record<string, string | undefined>>): FirstStart {
  const mode = env.NECTAR_FIRST_START || 'wait';
  if (mode !== 'make' && mode !== 'wait')
    throw new NectarError('CONFIG_VALUE_INVALID', { option: 'NECTAR_FIRST_START', expected: 'make or wait' });
  return { mode, adopt: resolve(env.NECTAR_ADOPT || join(home, 'adopt')) };
}
