import { NectarError } from '../../protocol/errors.ts';
import type { Terminal } from '../terminal.ts';
import type { OpenCollectors } from './gather-facts.ts';

export async function openManifestCollectors(_files: readonly string[], _terminal: Terminal): Promise<OpenCollectors> {
  throw new NectarError('CLI_TARGET_UNAVAILABLE', { target: 'kubernetes' });
}
