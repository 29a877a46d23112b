import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { NectarError } from '../protocol/errors.ts';
import type { Terminal } from './terminal.ts';

/** The hash by which the chain names a file of evidence: its SHA-256, as `harden` prints it. @throws NectarError CLI_FILE_UNREADABLE */
export async function hashEvidence(terminal: Terminal, path: string): Promise<string> {
  const bytes = await readFile(resolve(terminal.workingFolder, path)).catch((cause: unknown) => {
    const reason = String((cause as NodeJS.ErrnoException).code ?? 'it is not readable');
    throw new NectarError('CLI_FILE_UNREADABLE', { path, reason }, { cause });
  });
  return `0x${createHash('sha256').update(bytes).digest('hex')}`;
}
